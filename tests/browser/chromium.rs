//! A browser over its DevTools protocol, by a pipe: nothing to install but Debian's `chromium`, and nothing to depend on.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

pub(crate) struct Chromium {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    next: u64,
    session: Option<String>,
    /// What the page complained about.
    pub(crate) complaints: Vec<String>,
    /// What it asked for.
    pub(crate) asked: Vec<String>,
    /// Bytes that came over the wire since the last page was opened.
    pub(crate) received: f64,
    _profile: tempfile::TempDir,
}

const PATIENCE: Duration = Duration::from_secs(20);

impl Chromium {
    pub(crate) fn start() -> Self {
        let profile = tempfile::tempdir().unwrap();
        // The protocol is spoken on the descriptors 3 and 4.
        let line = "exec chromium --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --hide-scrollbars \
                    --remote-debugging-pipe --user-data-dir=\"$0\" about:blank 3<&0 4>&1 </dev/null >/dev/null 2>&1";
        let mut child = Command::new("sh")
            .args(["-c", line])
            .arg(profile.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("sh starts");
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut browser = Self {
            child,
            input,
            output,
            next: 0,
            session: None,
            complaints: Vec::new(),
            asked: Vec::new(),
            received: 0.0,
            _profile: profile,
        };
        let target = browser.say("Target.createTarget", json!({"url": "about:blank"}))["targetId"].clone();
        let session = browser.say("Target.attachToTarget", json!({"targetId": target, "flatten": true}));
        browser.session = session["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.say(&format!("{domain}.enable"), json!({}));
        }
        browser
    }

    /// Says something and waits for the answer; what happens meanwhile is noted.
    #[allow(clippy::needless_pass_by_value, reason = "it is made for the call")]
    pub(crate) fn say(&mut self, method: &str, params: Value) -> Value {
        self.try_to_say(method, params).unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    #[allow(clippy::needless_pass_by_value, reason = "it is made for the call")]
    fn try_to_say(&mut self, method: &str, params: Value) -> Result<Value, Value> {
        self.next += 1;
        let mut message = json!({"id": self.next, "method": method, "params": params});
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        self.input.write_all(format!("{message}\0").as_bytes()).unwrap();
        self.input.flush().unwrap();
        loop {
            let mut answer = Vec::new();
            assert!(self.output.read_until(0, &mut answer).unwrap() > 0, "the browser has gone; is Debian's chromium installed?");
            let answer: Value = serde_json::from_slice(&answer[..answer.len() - 1]).unwrap();
            if answer["id"] == self.next {
                return answer.get("error").map_or_else(|| Ok(answer["result"].clone()), |error| Err(error.clone()));
            }
            self.note(&answer);
        }
    }

    fn note(&mut self, event: &Value) {
        let params = &event["params"];
        match event["method"].as_str().unwrap_or_default() {
            "Runtime.exceptionThrown" => self.complaints.push(params["exceptionDetails"].to_string()),
            "Log.entryAdded" if params["entry"]["level"] == "error" => self.complaints.push(params["entry"].to_string()),
            "Runtime.consoleAPICalled" if params["type"] == "error" => self.complaints.push(params["args"].to_string()),
            "Page.javascriptDialogOpening" => self.complaints.push(format!("a dialog: {}", params["message"])),
            "Network.requestWillBeSent" => self.asked.push(params["request"]["url"].as_str().unwrap_or_default().to_owned()),
            "Network.loadingFinished" => self.received += params["encodedDataLength"].as_f64().unwrap_or_default(),
            _ => {}
        }
    }

    pub(crate) fn size(&mut self, width: u32, height: u32) {
        self.say("Emulation.setDeviceMetricsOverride", json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false}));
    }

    pub(crate) fn theme(&mut self, name: &str) {
        self.say("Emulation.setEmulatedMedia", json!({"features": [{"name": "prefers-color-scheme", "value": name}]}));
    }

    pub(crate) fn without_script(&mut self, off: bool) {
        self.say("Emulation.setScriptExecutionDisabled", json!({"value": off}));
    }

    pub(crate) fn open(&mut self, url: &str) {
        self.received = 0.0;
        self.say("Page.navigate", json!({"url": url}));
        self.wait_for("document.readyState === 'complete' && location.href !== 'about:blank'");
    }

    /// The value of an expression in the page.
    pub(crate) fn value(&mut self, expression: &str) -> Value {
        let asked = json!({"expression": expression, "awaitPromise": true, "returnByValue": true});
        let answer = self.say("Runtime.evaluate", asked);
        assert!(answer.get("exceptionDetails").is_none(), "{expression}: {}", answer["exceptionDetails"]);
        answer["result"]["value"].clone()
    }

    pub(crate) fn text(&mut self, expression: &str) -> String {
        self.value(expression).as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn wait_for(&mut self, expression: &str) {
        let start = Instant::now();
        // In the middle of a navigation there is no page to ask.
        let asked = json!({"expression": expression, "awaitPromise": true, "returnByValue": true});
        while !self.try_to_say("Runtime.evaluate", asked.clone()).is_ok_and(|answer| answer["result"]["value"] == json!(true)) {
            if start.elapsed() > PATIENCE {
                panic!("it never came true on {}: {expression}", self.text("location.href"));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub(crate) fn key(&mut self, key: &str) {
        let text = if key.chars().count() == 1 {
            key
        } else if key == "Enter" {
            "\r"
        } else {
            ""
        };
        let kind = if text.is_empty() { "rawKeyDown" } else { "keyDown" };
        let code = match key {
            "ArrowLeft" => 37,
            "ArrowRight" => 39,
            "Tab" => 9,
            "Enter" => 13,
            "Escape" => 27,
            " " => 32,
            _ => 0,
        };
        self.say("Input.dispatchKeyEvent", json!({"type": kind, "key": key, "text": text, "windowsVirtualKeyCode": code}));
        self.say("Input.dispatchKeyEvent", json!({"type": "keyUp", "key": key, "windowsVirtualKeyCode": code}));
    }

    /// Moves the mouse over a part of the page; across and down are shares of it.
    pub(crate) fn point(&mut self, selector: &str, across: f64, down: f64) {
        let (x, y) = self.place(selector, across, down);
        self.say("Input.dispatchMouseEvent", json!({"type": "mouseMoved", "x": x, "y": y}));
    }

    /// A finger on the middle of it, and away again.
    pub(crate) fn touch(&mut self, selector: &str) {
        let (x, y) = self.place(selector, 0.5, 0.5);
        self.say("Input.dispatchTouchEvent", json!({"type": "touchStart", "touchPoints": [{"x": x, "y": y}]}));
        self.say("Input.dispatchTouchEvent", json!({"type": "touchEnd", "touchPoints": []}));
    }

    /// A real click on the middle of what it shows first; nothing may lie over it.
    pub(crate) fn press(&mut self, selector: &str) {
        let (x, y) = self.place(selector, 0.5, 0.5);
        let hit =
            format!("(() => {{ const e = document.elementFromPoint({x}, {y}); return Boolean(e?.closest({})); }})()", json!(selector));
        assert_eq!(self.value(&hit), json!(true), "something lies over {selector}");
        for kind in ["mousePressed", "mouseReleased"] {
            self.say("Input.dispatchMouseEvent", json!({"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1}));
        }
    }

    /// A click that leads to another page.
    pub(crate) fn go(&mut self, selector: &str) {
        self.leave(|browser| browser.press(selector));
    }

    /// Writes into the fields of a form that stands alone, and sends it.
    pub(crate) fn fill(&mut self, fields: &[(&str, &str)]) {
        for (id, text) in fields {
            self.value(&format!("document.getElementById('{id}').value = ''; document.getElementById('{id}').focus()"));
            self.say("Input.insertText", json!({"text": text}));
        }
        self.go(".alone form button");
    }

    /// Back, as by its button.
    pub(crate) fn back(&mut self) {
        let here = self.text("location.href");
        self.value("history.back()");
        self.wait_for(&format!("location.href !== {} && document.readyState === 'complete'", json!(here)));
    }

    /// Does what leads to another page, and waits for that.
    pub(crate) fn leave(&mut self, act: impl FnOnce(&mut Self)) {
        self.value("window.left = false");
        act(self);
        self.wait_for("window.left === undefined && document.readyState === 'complete'");
    }

    fn place(&mut self, selector: &str, across: f64, down: f64) -> (f64, f64) {
        let found = self.value(&format!(
            "(() => {{ const e = document.querySelector({}); e.scrollIntoView({{block: 'center', behavior: 'instant'}}); \
             const r = e.getBoundingClientRect(); return [r.left, r.top, r.width, r.height]; }})()",
            json!(selector)
        ));
        let at = |place: usize| found[place].as_f64().unwrap();
        (at(0) + across * at(2), at(1) + down * at(3))
    }

    pub(crate) fn click(&mut self, selector: &str) {
        self.value(&format!("document.querySelector({}).click()", json!(selector)));
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        self.session = None;
        self.next += 1;
        let _ = self.input.write_all(format!("{}\0", json!({"id": self.next, "method": "Browser.close"})).as_bytes());
        let _ = self.child.wait();
    }
}

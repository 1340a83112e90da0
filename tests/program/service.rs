//! An app that records, as a process of its own: what it answers, and what it says of itself.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::Value;

use crate::common::{axum_app, until};

/// Where its pages are.
#[derive(Clone, Copy)]
pub(crate) struct Pages(SocketAddr);

/// Killed when dropped.
pub(crate) struct Service {
    child: Child,
    pages: Pages,
    /// Requests that were answered.
    pub(crate) sent: u64,
}

impl Service {
    pub(crate) fn start(data: &Path) -> Self {
        Self::spawn(Command::new(axum_app()).args(["--open", "--port", "0", "--data"]).arg(data))
    }

    fn spawn(command: &mut Command) -> Self {
        let mut child = command.env("RUST_LOG", "off").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.strip_prefix("http://").and_then(|line| line.split('/').next()).and_then(|address| address.parse().ok());
        Self { child, pages: Pages(address.unwrap_or_else(|| panic!("it says where it listens, not {line:?}"))), sent: 0 }
    }

    /// What it has to say if it does not start.
    pub(crate) fn refused(data: &Path) -> String {
        let output = Command::new(axum_app()).args(["--port", "0", "--data"]).arg(data).env("RUST_LOG", "off").output().unwrap();
        assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// So many requests on one connection, each of a user of its own, each answered.
    #[track_caller]
    pub(crate) fn send(&mut self, requests: u64) {
        let mut stream = self.pages.connect();
        for _ in 0..requests {
            let request = format!("GET /items/7 HTTP/1.1\r\nhost: localhost\r\nx-user-id: {:0>100}\r\n\r\n", self.sent);
            stream.write_all(request.as_bytes()).unwrap();
            let (mut answer, mut piece) = (Vec::new(), [0; 1024]);
            while !answer.ends_with(b"item 7\n") {
                let read = stream.read(&mut piece).unwrap();
                assert!(read > 0, "it hung up");
                answer.extend_from_slice(&piece[..read]);
            }
            self.sent += 1;
        }
    }

    pub(crate) fn pages(&self) -> Pages {
        self.pages
    }

    /// The status and the body of a page below `/analytics`.
    pub(crate) fn get(&self, page: &str) -> (u16, String) {
        self.pages.get(page)
    }

    pub(crate) fn json(&self, page: &str) -> Value {
        let (status, body) = self.get(page);
        serde_json::from_str(&body).unwrap_or_else(|error| panic!("{page}, {status}: {error}: {body}"))
    }

    pub(crate) fn status(&self) -> String {
        self.json("/api/health")["status"].as_str().unwrap_or_default().to_owned()
    }

    /// What it has counted, such as `written`.
    pub(crate) fn counter(&self, name: &str) -> u64 {
        let health = self.json("/api/health");
        health["detail"]["counters"][name].as_u64().unwrap_or_else(|| panic!("{name} in {health}"))
    }

    /// Until all that it answered is in the store.
    #[track_caller]
    pub(crate) fn writes_all(&self) {
        until("all is written", || self.status() == "recording" && self.counter("written") == self.sent);
    }

    /// Until it says so with this reason, where monitors look and where people do.
    #[track_caller]
    pub(crate) fn shows(&self, status: &str, reason: &str) {
        let mut health = Value::Null;
        let start = std::time::Instant::now();
        while !(health["status"] == status && health["detail"]["reason"].as_str().is_some_and(|said| said.contains(reason))) {
            assert!(start.elapsed() < Duration::from_secs(30), "{status}, {reason:?}: it says {health}");
            std::thread::sleep(Duration::from_millis(20));
            health = self.json("/api/health");
        }
        for page in ["", "/settings"] {
            let (code, html) = self.get(page);
            let html = html.replace("&#39;", "'").replace("&#38;", "&");
            assert!(code == 200 && html.contains("class=\"notice") && html.contains(reason), "{page}: {code} {html}");
        }
    }

    pub(crate) fn signal(&self, name: &str) {
        assert!(Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap().success());
    }

    /// Asks it to stop; whether it stopped cleanly.
    pub(crate) fn stop(mut self) -> bool {
        self.signal("INT");
        self.child.wait().unwrap().success()
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Pages {
    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.0).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream
    }

    /// The status and the body of a page below `/analytics`.
    pub(crate) fn get(&self, page: &str) -> (u16, String) {
        let mut stream = self.connect();
        write!(stream, "GET /analytics{page} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer to {page}: {text:?}"));
        (head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default(), body.to_owned())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

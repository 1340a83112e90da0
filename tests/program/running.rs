use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Output, Stdio},
    time::Duration,
};

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Done {
    fn of(output: Output) -> Self {
        let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        Self { code: output.status.code().unwrap_or(-1), out, err }
    }

    /// The output of a run that went well.
    #[track_caller]
    pub(crate) fn good(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.out
    }

    /// What a run that failed had to say.
    #[track_caller]
    pub(crate) fn bad(self) -> String {
        assert_eq!((self.code, self.out.as_str()), (1, ""), "{self:?}");
        assert!(self.err.starts_with("error: "), "{self:?}");
        self.err
    }
}

/// The program in a directory of its own, with nothing of ours in its environment.
pub(crate) fn program(at: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tower-analytics"));
    let ours = std::env::vars_os().map(|(name, _)| name).filter(|name| name.to_string_lossy().starts_with("ANALYTICS_"));
    for name in ours {
        command.env_remove(name);
    }
    command.current_dir(at).env("NO_COLOR", "1").stdin(Stdio::null());
    command
}

#[track_caller]
pub(crate) fn run(at: &Path, args: &[&str]) -> Done {
    Done::of(program(at).args(args).output().unwrap())
}

/// With this on its standard input, which is no terminal.
#[track_caller]
pub(crate) fn run_with(at: &Path, args: &[&str], input: impl AsRef<[u8]>) -> Done {
    fed(program(at).args(args), input)
}

#[track_caller]
pub(crate) fn fed(command: &mut Command, input: impl AsRef<[u8]>) -> Done {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Whoever fails early does not read it.
    drop(child.stdin.take().unwrap().write_all(input.as_ref()));
    Done::of(child.wait_with_output().unwrap())
}

/// A server on a port of its own; killed when dropped.
pub(crate) struct Server {
    child: Child,
    out: BufReader<ChildStdout>,
    pub(crate) greeting: String,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts `serve` and reads its greeting to the end.
    pub(crate) fn start(at: &Path, args: &[&str]) -> Self {
        Self::start_command(program(at).args(["serve", "--port", "0", "--no-browser"]).args(args))
    }

    pub(crate) fn start_command(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut greeting = String::new();
        // The last line is about signing in, or, where nobody does, about the data.
        while !(greeting.contains("\nSign-in") || greeting.contains("\nData")) {
            if out.read_line(&mut greeting).unwrap() == 0 {
                panic!("no greeting: {:?}", Done::of(child.wait_with_output().unwrap()));
            }
        }
        let url = greeting.split("http://").nth(1).and_then(|rest| rest.split('/').next());
        let address = url.and_then(|address| address.parse().ok()).unwrap_or_else(|| panic!("no address in {greeting:?}"));
        Self { child, out, greeting, address }
    }

    /// The head of the answer to a GET, with this token.
    pub(crate) fn get(&self, path: &str, token: Option<&str>) -> Answer {
        self.ask("GET", path, token)
    }

    pub(crate) fn ask(&self, method: &str, path: &str, token: Option<&str>) -> Answer {
        let token = token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
        self.send(&format!("{method} {path}"), &token, "")
    }

    /// A form of one of its pages, as a browser sends it.
    pub(crate) fn post(&self, path: &str, form: &str) -> Answer {
        let length = form.len();
        let headers =
            format!("content-type: application/x-www-form-urlencoded\r\nsec-fetch-site: same-origin\r\ncontent-length: {length}\r\n");
        self.send(&format!("POST {path}"), &headers, form)
    }

    /// The head of the answer to a GET of somebody who is signed in.
    pub(crate) fn get_as(&self, path: &str, cookie: &str) -> Answer {
        self.send(&format!("GET {path}"), &format!("cookie: {cookie}\r\n"), "")
    }

    fn send(&self, line: &str, headers: &str, body: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        write!(stream, "{line} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}\r\n{body}").unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        let head = text.split("\r\n\r\n").next().unwrap_or_default();
        let cookie = head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).and_then(|cookie| cookie.split(';').next());
        let (cookie, head) = (cookie.map(str::to_owned), head.to_ascii_lowercase());
        Answer { status: head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default(), head, cookie }
    }

    pub(crate) fn signal(&self, name: &str) {
        assert!(Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap().success());
    }

    /// Asks it to stop, and gives all that it said.
    pub(crate) fn stop(mut self) -> Done {
        self.signal("TERM");
        let mut out = self.greeting.clone();
        self.out.read_to_string(&mut out).unwrap();
        let mut err = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        Done { code: self.child.wait().unwrap().code().unwrap_or(-1), out, err }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// In lower case.
    pub(crate) head: String,
    /// As a browser would send it back.
    pub(crate) cookie: Option<String>,
}

/// A file with this text; its name.
pub(crate) fn file(at: &Path, name: &str, text: &str) -> String {
    std::fs::write(at.join(name), text).unwrap();
    name.to_owned()
}

pub(crate) fn files(at: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(at).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[cfg(unix)]
pub(crate) fn mode(file: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;

    std::fs::metadata(file).unwrap().permissions().mode() & 0o777
}

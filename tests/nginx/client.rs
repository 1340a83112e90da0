//! As little HTTP as tells what was sent and what came back.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Reply {
    /// The first value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let is_it = |line: &&str| line.split_once(':').is_some_and(|(key, _)| key.eq_ignore_ascii_case(name));
        self.head.lines().find(is_it).map(|line| line[name.len() + 1..].trim())
    }

    pub(crate) fn location(&self) -> &str {
        self.header("location").unwrap_or_else(|| panic!("no redirect: {}\n{}", self.head, self.body))
    }
}

/// Headers as lines, each with its end.
pub(crate) type Lines<'a> = &'a str;

/// A request on a connection of its own.
pub(crate) fn send(to: SocketAddr, method: &str, target: &str, headers: Lines<'_>, body: &[u8]) -> Reply {
    let mut request = format!("{method} {target} HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\n{headers}\r\n").into_bytes();
    request.extend_from_slice(body);
    let mut client = TcpStream::connect(to).unwrap();
    client.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    client.write_all(&request).unwrap();
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer to {method} {target}: {answer:?}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let reply = Reply { status, head: head.to_owned(), body: body.to_owned() };
    if reply.header("transfer-encoding") == Some("chunked") { Reply { body: joined(body), ..reply } } else { reply }
}

/// What a script or a program asks for.
pub(crate) fn get(to: SocketAddr, target: &str, headers: Lines<'_>) -> Reply {
    send(to, "GET", target, headers, b"")
}

fn joined(mut chunks: &str) -> String {
    let mut body = String::new();
    while let Some((size, rest)) = chunks.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        body.push_str(&rest[..size]);
        chunks = &rest[size + 2..];
    }
    body
}

/// What of a browser matters here: what it says of each request, and that it keeps a cookie.
pub(crate) struct Browser {
    site: SocketAddr,
    pub(crate) cookie: Option<String>,
}

impl Browser {
    pub(crate) fn new(site: SocketAddr) -> Self {
        Self { site, cookie: None }
    }

    /// Follows a link.
    pub(crate) fn open(&mut self, target: &str) -> Reply {
        self.send("GET", target, "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Site: same-origin\r\nAccept: text/html,*/*\r\n", "")
    }

    /// A script asks.
    pub(crate) fn fetch(&mut self, target: &str) -> Reply {
        self.send("GET", target, "Sec-Fetch-Mode: cors\r\nSec-Fetch-Site: same-origin\r\nAccept: */*\r\n", "")
    }

    /// The button of a form.
    pub(crate) fn submit(&mut self, target: &str, form: &str) -> Reply {
        let headers = format!(
            "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Site: same-origin\r\nOrigin: https://{}\r\nAccept: text/html\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n",
            self.site,
            form.len()
        );
        self.send("POST", target, &headers, form)
    }

    fn send(&mut self, method: &str, target: &str, headers: &str, body: &str) -> Reply {
        let cookie = self.cookie.as_ref().map(|cookie| format!("Cookie: theme=dark; {cookie}; lang=en\r\n")).unwrap_or_default();
        let reply = send(self.site, method, target, &format!("{headers}{cookie}"), body.as_bytes());
        if let Some(set) = reply.header("set-cookie") {
            let pair = set.split(';').next().unwrap();
            self.cookie = Some(pair.to_owned()).filter(|pair| !pair.ends_with('='));
        }
        reply
    }
}

//! A host that answers as no library would: one thread a connection, every byte by hand.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

type Answer = dyn Fn(&str, &mut dyn Write) -> std::io::Result<()> + Send + Sync;

#[derive(Clone)]
pub(crate) struct Host {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    answer: Arc<Mutex<Arc<Answer>>>,
}

impl Host {
    /// On a port of this machine, in plain http.
    pub(crate) fn new() -> Self {
        Self::through(Box::new)
    }

    /// With something around each connection, such as TLS.
    pub(crate) fn through<S: Read + Write>(wrap: impl Fn(TcpStream) -> Box<S> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let quiet: Arc<Answer> = Arc::new(|_, _| Ok(()));
        let host = Self { address: listener.local_addr().unwrap(), asked: Arc::default(), answer: Arc::new(Mutex::new(quiet)) };
        let (mine, wrap) = (host.clone(), Arc::new(wrap));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (mine, wrap) = (mine.clone(), Arc::clone(&wrap));
                // Whoever gives up on us is not our fault.
                thread::spawn(move || drop(mine.serve(&mut *wrap(stream))));
            }
        });
        host
    }

    fn serve(&self, stream: &mut (impl Read + Write)) -> std::io::Result<()> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte)?;
            head.push(byte[0]);
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        self.asked.lock().unwrap().push(head);
        let answer = Arc::clone(&self.answer.lock().unwrap_or_else(PoisonError::into_inner));
        answer(&path, stream)?;
        stream.flush()
    }

    /// What it writes from now on, to whoever asks for this path.
    pub(crate) fn answer(&self, answer: impl Fn(&str, &mut dyn Write) -> std::io::Result<()> + Send + Sync + 'static) {
        *self.answer.lock().unwrap() = Arc::new(answer);
    }

    /// The same document for all, with these header lines.
    pub(crate) fn serves(&self, headers: &str, document: impl Into<String>) {
        let (headers, document) = (headers.to_owned(), document.into());
        self.answer(move |_, stream| stream.write_all(&ok(&headers, document.as_bytes())));
    }

    /// The heads of all requests so far.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

/// A whole answer; the lines of `headers` each end in CRLF.
pub(crate) fn ok(headers: &str, body: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 200 OK\r\n{headers}Content-Length: {}\r\n\r\n", body.len()).as_bytes(), body].concat()
}

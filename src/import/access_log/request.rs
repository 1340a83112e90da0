/// Method and path of a request's line, if it is one of HTTP.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request<'a> {
    pub(super) method: &'a str,
    /// Without query; empty if it asks for no path (`*`, `CONNECT host:443`).
    pub(super) path: &'a [u8],
}

impl<'a> Request<'a> {
    /// `GET /items/7?a=b HTTP/1.1`; of HTTP/0.9 `GET /items/7`. The target may hold spaces, as scanners send them.
    pub(super) fn parse(line: &'a [u8]) -> Option<Self> {
        let end = memchr::memchr(b' ', line)?;
        let (method, rest) = (&line[..end], &line[end + 1..]);
        let is_method =
            (1..=24).contains(&method.len()) && method.iter().all(|byte| byte.is_ascii_uppercase() || matches!(byte, b'-' | b'_'));
        if !is_method {
            return None;
        }
        let target = match memchr::memrchr(b' ', rest) {
            Some(end) if rest[end + 1..].starts_with(b"HTTP/") => &rest[..end],
            None if method == b"GET" && rest.starts_with(b"/") => rest,
            _ => return None,
        };
        Some(Self { method: std::str::from_utf8(method).ok()?, path: path(target) })
    }

    /// Whether nothing says that it is made up.
    pub(super) fn is_standard(&self) -> bool {
        ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "CONNECT", "TRACE"].contains(&self.method)
    }
}

fn path(target: &[u8]) -> &[u8] {
    let target = match target {
        [b'/', ..] => target,
        // A proxy is asked with the whole address.
        _ => match memchr::memmem::find(target, b"://") {
            Some(scheme) => {
                let rest = &target[scheme + 3..];
                memchr::memchr(b'/', rest).map_or(&b"/"[..], |begin| &rest[begin..])
            }
            None => b"",
        },
    };
    &target[..memchr::memchr2(b'?', b'#', target).unwrap_or(target.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_give_method_and_path() {
        for (line, method, path) in [
            ("GET /items/7 HTTP/1.1", "GET", "/items/7"),
            ("POST /items?a=b HTTP/2.0", "POST", "/items"),
            ("GET / HTTP/3", "GET", "/"),
            ("GET /old", "GET", "/old"),
            ("GET http://shop.example/items?u=http://x HTTP/1.1", "GET", "/items"),
            ("GET http://shop.example HTTP/1.1", "GET", "/"),
            ("GET /to?u=http://x/y HTTP/1.1", "GET", "/to"),
            ("OPTIONS * HTTP/1.1", "OPTIONS", ""),
            ("CONNECT shop.example:443 HTTP/1.1", "CONNECT", ""),
            ("GET /a b c HTTP/1.1", "GET", "/a b c"),
            ("M-SEARCH /x HTTP/1.1", "M-SEARCH", "/x"),
        ] {
            assert_eq!(Request::parse(line.as_bytes()), Some(Request { method, path: path.as_bytes() }), "{line}");
        }
    }

    #[test]
    fn what_is_no_request_of_http_is_none() {
        for line in [
            "",
            "-",
            r"\x16\x03\x01\x02\x00",
            "quit",
            "get / HTTP/1.1",
            "SSH-2.0-Go",
            "POST /x",
            "GET nothing",
            "GET / FTP/1.0",
            " / HTTP/1.1",
        ] {
            assert_eq!(Request::parse(line.as_bytes()), None, "{line}");
        }
    }
}

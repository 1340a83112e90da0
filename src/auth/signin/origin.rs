use std::fmt;

use http::Uri;

/// Scheme, host and port of a page (RFC 6454), in the one spelling that two of them are compared in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

impl Origin {
    /// The origin of a URL such as `public_url`; its path does not matter. `None` unless it is http or https.
    pub(crate) fn of_url(url: &str) -> Option<Self> {
        let uri: Uri = url.parse().ok()?;
        let scheme = uri.scheme_str()?.to_ascii_lowercase();
        let default_port = match scheme.as_str() {
            "http" => 80,
            "https" => 443,
            _ => return None,
        };
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'))?;
        let host = authority.host().to_ascii_lowercase();
        // A colon without a number behind it, or a number too large, is no port.
        let port = match authority.as_str().strip_prefix(authority.host())?.strip_prefix(':') {
            Some(port) => port.parse().ok()?,
            None => default_port,
        };
        (!host.is_empty()).then_some(Self { scheme, host, port })
    }

    /// Our own as the request names it: `host` is the header `Host`, believed only from a trusted proxy or over the
    /// connection itself.
    pub(crate) fn of_host(is_https: bool, host: &str) -> Option<Self> {
        Self::of_header(&format!("http{}://{host}", if is_https { "s" } else { "" }))
    }

    /// The value of the header `Origin`: nothing may stand behind the port. `null` is no origin.
    pub(crate) fn of_header(value: &str) -> Option<Self> {
        let (_, rest) = value.split_once("://")?;
        (!rest.contains(['/', '?', '#'])).then(|| Self::of_url(value)).flatten()
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}", self.scheme, self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(origin: Option<Origin>) -> String {
        origin.map_or_else(|| "none".to_owned(), |origin| origin.to_string())
    }

    #[test]
    fn origins_are_the_same_in_every_spelling() {
        for (value, expected) in [
            ("https://stats.example.com", "https://stats.example.com:443"),
            ("HTTPS://Stats.Example.COM:443", "https://stats.example.com:443"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("http://[::1]:80", "http://[::1]:80"),
            ("http://127.0.0.1", "http://127.0.0.1:80"),
        ] {
            assert_eq!(shown(Origin::of_header(value)), expected, "{value}");
        }
        assert_eq!(shown(Origin::of_url("https://example.com/ops/?a#b")), "https://example.com:443");
        assert_eq!(shown(Origin::of_host(true, "example.com:8443")), "https://example.com:8443");
        assert_eq!(shown(Origin::of_host(false, "example.com")), "http://example.com:80");
    }

    #[test]
    fn what_is_no_origin_equals_none() {
        for value in [
            "",
            "null",
            "example.com",
            "https://",
            "https://a/",
            "https://a?",
            "https://a#",
            "https://a/b",
            "https://u@a",
            "https://u:p@a",
            "https://a:",
            "https://a:99999",
            "https://a:x",
            "file://a",
            "ftp://a",
            "https://a b",
            "https:a",
            "//a",
            "https://a, https://b",
        ] {
            assert_eq!(shown(Origin::of_header(value)), "none", "{value}");
        }
        for host in ["", "a/b", "a@b", "u@a", "a b", "a#", ":80"] {
            assert_eq!(shown(Origin::of_host(true, host)), "none", "{host}");
        }
    }
}

use std::{borrow::Cow, fmt};

use percent_encoding::{AsciiSet, CONTROLS, percent_decode, utf8_percent_encode};

/// Where a sign-in leads: always a path of our own origin, percent-encoded, fit for `Location` and for a form.
///
/// A wrong value is not an error that anybody sees: it leads to the first page. Whatever a browser, a proxy or a
/// server may read differently is wrong (OWASP, Unvalidated Redirects and Forwards).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Next(String);

/// In bytes; longer ones lead to the first page.
const MAX_LENGTH: usize = 2048;

/// What the URL standard encodes in paths, queries or fragments. `%` is not among them: what is encoded stays as it is.
const ENCODED: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'\'').add(b'<').add(b'>').add(b'^').add(b'`').add(b'{').add(b'|').add(b'}');

impl Next {
    /// The value of the parameter `next`, percent-decoded once by whoever read the form or the query. `base` is the
    /// base path as the browser sees it; it is also the default.
    pub(crate) fn of(raw: Option<&str>, base: &str) -> Self {
        Self(raw.and_then(|raw| checked(raw, base)).unwrap_or_else(|| if base.is_empty() { "/" } else { base }.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn checked(raw: &str, base: &str) -> Option<String> {
    if raw.len() > MAX_LENGTH || raw.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return None;
    }
    let (path, rest) = raw.split_at(raw.find(['?', '#']).unwrap_or(raw.len()));
    let rests = Decodings::of(rest);
    let paths = Decodings::of(path);
    // A space, which can only be an encoded one here, is plain: addresses of files and searches have it.
    let is_plain = |text: &[u8]| text.iter().all(|byte| *byte >= b' ' && *byte != 0x7F && *byte != b'\\');
    // An empty segment anywhere, not only at the front: `/a/..//evil`, and all the `/https://evil` that lists know. Nor one that is
    // empty, or another, to whoever trims.
    let is_path = |text: &[u8]| {
        let is_odd = |segment: &[u8]| segment.starts_with(b" ") || segment.ends_with(b" ");
        let has_odd = text.split(|byte| matches!(byte, b'/' | b';' | b'?' | b'#')).any(is_odd);
        is_plain(text) && !has_odd && text.first() == Some(&b'/') && !text.windows(2).any(|pair| pair == b"//")
    };
    if !rests.all(is_plain) || !paths.all(is_path) || !paths.all(|path| !is_ours(path, base)) {
        return None;
    }
    let resolved = String::from_utf8(without_dots(path.as_bytes())).ok()?;
    let next = format!("{}{}", utf8_percent_encode(&resolved, ENCODED), utf8_percent_encode(rest, ENCODED));
    (next.starts_with('/') && !next.starts_with("//")).then_some(next)
}

/// A text as it stands, and what it is after one and two rounds of decoding.
struct Decodings<'a>([Cow<'a, [u8]>; 3]);

impl<'a> Decodings<'a> {
    fn of(text: &'a str) -> Self {
        let once: Cow<'a, [u8]> = percent_decode(text.as_bytes()).into();
        let twice = Cow::Owned(percent_decode(&once).collect());
        Self([Cow::Borrowed(text.as_bytes()), once, twice])
    }

    fn all(&self, is_so: impl Fn(&[u8]) -> bool) -> bool {
        self.0.iter().all(|text| is_so(text))
    }
}

/// Signing in must not lead to signing in or out again.
fn is_ours(path: &[u8], base: &str) -> bool {
    let path = without_dots(path);
    let Some(below) = path.strip_prefix(base.as_bytes()) else { return false };
    let first = below.split(|byte| *byte == b'/').nth(1).unwrap_or_default();
    // Up to what some servers take for a parameter.
    let name = first.split(|byte| matches!(byte, b';' | b'?' | b'#')).next().unwrap_or_default();
    below.starts_with(b"/") && [&b"login"[..], b"logout", b"auth"].iter().any(|ours| name.eq_ignore_ascii_case(ours))
}

/// The path with `.` and `..` taken out, as the URL standard says: encoded ones are dots too.
fn without_dots(path: &[u8]) -> Vec<u8> {
    let mut kept: Vec<&[u8]> = Vec::new();
    let mut segments = path.split(|byte| *byte == b'/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match dots(segment) {
            Some(1) => {}
            Some(2) => drop(kept.pop()),
            _ => {
                kept.push(segment);
                continue;
            }
        }
        if is_last {
            kept.push(b"");
        }
    }
    kept.iter().flat_map(|segment| [b"/", *segment].concat()).collect()
}

/// How many dots a segment is, if it is nothing else.
fn dots(mut segment: &[u8]) -> Option<usize> {
    let mut count = 0;
    while !segment.is_empty() {
        let length = match segment {
            [b'.', ..] => 1,
            [b'%', b'2', b'e' | b'E', ..] => 3,
            _ => return None,
        };
        segment = &segment[length..];
        count += 1;
    }
    Some(count)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use url::Url;

    use super::*;

    const BASE: &str = "/analytics";

    fn next(raw: &str) -> String {
        Next::of(Some(raw), BASE).to_string()
    }

    #[test]
    fn paths_of_our_own_origin_are_kept_and_encoded() {
        for (raw, expected) in [
            ("/", "/"),
            ("/analytics/users?days=7&role=a+b#top", "/analytics/users?days=7&role=a+b#top"),
            ("/app/x?a=1&b=https://example.com//y", "/app/x?a=1&b=https://example.com//y"),
            ("/analytics/loginless", "/analytics/loginless"),
            ("/analytics/users/login", "/analytics/users/login"),
            ("/other/login", "/other/login"),
            ("/a/./b/../c/", "/a/c/"),
            ("/a/%2e%2E/b", "/b"),
            ("/a/b/..", "/a/"),
            ("/../../a", "/a"),
            ("/...", "/..."),
            ("/größe?q=ü#ß", "/gr%C3%B6%C3%9Fe?q=%C3%BC#%C3%9F"),
            ("/x?q=<\"'>{|}^`", "/x?q=%3C%22%27%3E%7B%7C%7D%5E%60"),
            ("/%C3%BC/100%", "/%C3%BC/100%"),
            ("/@example.com:80", "/@example.com:80"),
            ("/files/My%20Report.pdf?q=a%20b%20", "/files/My%20Report.pdf?q=a%20b%20"),
            ("/a%2520b", "/a%2520b"),
        ] {
            assert_eq!(next(raw), expected, "{raw}");
        }
    }

    #[test]
    fn every_known_way_around_leads_to_the_first_page() {
        let long = format!("/{}", "a".repeat(MAX_LENGTH));
        let classes: [(&str, &[&str]); 13] = [
            ("nothing", &["", " ", "a", "analytics", "?a=b", "#a", ".", "..", "../a"]),
            (
                "another scheme",
                &["https://example.com", "http:example.com", "javascript:alert(1)", "data:text/html,x", "JaVaScRiPt:x", "x:/y"],
            ),
            (
                "another host",
                &["//example.com", "///example.com", "////example.com/..", "//example.com@example.org", "//%09/example.com", "//"],
            ),
            (
                "a back slash",
                &["/\\example.com", "\\/example.com", "/\\/example.com", "/a\\b", "/x?q=a\\b", "/;\\@example.com", "\\\\example.com"],
            ),
            ("an encoded back slash", &["/%5cexample.com", "/%5Cexample.com", "/a/%255cexample.com", "/x?q=%5c", "/x#%5c"]),
            ("an encoded slash", &["/%2fexample.com", "/%2F%2fexample.com", "/%252fexample.com", "/a/%2f..", "/%2f/example.com"]),
            (
                "a control character",
                &["/\texample.com", "/\t/example.com", "/a\r\nSet-Cookie: a=b", "/a\0", "/a\u{7f}", "\n/a", "/a\u{85}", "/a\u{2028}"],
            ),
            (
                "an encoded one",
                &["/%09/example.com", "/%0d%0aLocation:x", "/a%00", "/a%7f", "/a%250a", "/x?q=%0A", "/%01javascript:alert(1)"],
            ),
            (
                "dots before a host",
                &["/.//example.com", "/a/..//example.com", "/%2e//example.com", "/..//example.com", "/a/%2e%2e//x", "/.%2f/x"],
            ),
            (
                "a URL in the path",
                &["/https://example.com", "/http:%2f%2fexample.com", "/<>//example.com", "/x:1/:///y", "/example.com/%2f%2e%2e"],
            ),
            (
                "a sign-in again",
                &[
                    "/analytics/login",
                    "/analytics/login/",
                    "/analytics/login?next=/a",
                    "/analytics/logout#x",
                    "/analytics/auth/verify",
                    "/analytics/auth",
                    "/analytics/./login",
                    "/a/../analytics/login",
                    "/analytics/%6cogin",
                    "/analytics/%256cogin",
                    "/analytics/%252e/login",
                    "/analytics/LOGIN",
                    "/analytics/login;x=1",
                    "/analytics/login%3fx",
                ],
            ),
            ("white space", &["/a b", "/a\u{a0}b", " /a", "/a ", "/\u{2003}/example.com", "/x?q=a b"]),
            (
                "encoded white space",
                &["/%20/example.com", "/%20", "/a%20/b", "/a/%20b", "/%2520/x", "/..%20/x", "/analytics/login%20", "/analytics/%20login"],
            ),
        ];
        for (class, payloads) in classes {
            for raw in payloads {
                assert_eq!(next(raw), BASE, "{class}: {raw:?}");
            }
        }
        assert_eq!(next(&long), BASE);
        assert_eq!(next(&long[1..]), BASE);
        assert_eq!(Next::of(None, BASE).as_str(), BASE);
    }

    #[test]
    fn the_longest_value_is_kept() {
        let longest = format!("/{}", "a".repeat(MAX_LENGTH - 1));
        assert_eq!(next(&longest), longest);
    }

    /// Whatever looks dangerous, in any order.
    fn dangerous() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            proptest::sample::select(vec![
                "/",
                "//",
                "\\",
                "%2f",
                "%2F",
                "%5c",
                "%252f",
                "%255c",
                ".",
                "..",
                "%2e",
                "%252e",
                "%09",
                "%0d%0a",
                "%",
                "%2",
                "@",
                ":",
                "?",
                "#",
                ";",
                "&",
                "analytics",
                "login",
                "%6cogin",
                "example.com",
                "https:",
                "javascript:",
                "\t",
                "\n",
                " ",
                "%20",
                "\0",
                "ü",
                "。",
                "[",
                "]",
                "|",
                "<",
                "\"",
                "\u{feff}",
                "\u{202e}",
                "~",
                "+",
                "=",
            ])
            .prop_map(str::to_owned),
            any::<char>().prop_map(String::from),
        ];
        (any::<bool>(), proptest::collection::vec(piece, 0..12))
            .prop_map(|(rooted, pieces)| format!("{}{}", if rooted { "/" } else { "" }, pieces.concat()))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn what_comes_out_is_a_path_of_our_origin_and_stays_as_it_is(raw in dangerous()) {
            let out = next(&raw);
            let ours = Url::parse("https://stats.example.com:8443/analytics/login").unwrap();
            let there = ours.join(&out).unwrap();
            prop_assert_eq!(there.origin(), ours.origin());
            prop_assert!(there.username().is_empty() && there.password().is_none());
            // The standard's own parser has nothing left to change.
            prop_assert_eq!(&there.as_str()["https://stats.example.com:8443".len()..], &out);
                        prop_assert!(out.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\'));
            prop_assert!(http::HeaderValue::from_str(&out).is_ok());
            prop_assert_eq!(next(&out), out);
        }
    }
}

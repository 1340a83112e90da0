//! Where in a request a token may stand ([RFC 6750](https://www.rfc-editor.org/rfc/rfc6750#section-2.1)). Never in the query, the body or
//! the path: these end up in logs.

use http::{HeaderMap, HeaderName, header};

use super::{cookie, reason::Reason};

/// The places, in the order in which they are looked at. The first that holds anything decides: a bad token is bad, even if a good
/// one stands elsewhere.
#[derive(Debug, Default)]
pub(super) struct Places {
    pub(super) headers: Vec<HeaderName>,
    pub(super) cookie: Option<String>,
    pub(super) longest: usize,
}

impl Places {
    /// The token; `None` if there is none.
    pub(super) fn find<'a>(&self, headers: &'a HeaderMap) -> Result<Option<&'a str>, Reason> {
        if let Some(token) = self.bearer(headers)? {
            return Ok(Some(token));
        }
        for name in &self.headers {
            if let Some(value) = only(headers, name)? {
                return self.token(value).map(Some);
            }
        }
        match &self.cookie {
            // Two values of one name: somebody else has set one of them, from a sibling domain say.
            Some(name) => {
                let value = cookie::any_value(headers, name).map_err(|_| Reason::Malformed)?;
                value.map(|value| self.token(value)).transpose()
            }
            None => Ok(None),
        }
    }

    /// Another scheme than Bearer may be the app's own, and counts as nothing.
    fn bearer<'a>(&self, headers: &'a HeaderMap) -> Result<Option<&'a str>, Reason> {
        let Some(value) = only(headers, &header::AUTHORIZATION)? else { return Ok(None) };
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
        let (scheme, rest) = value.split_at(value.iter().position(|byte| !is_name(byte)).unwrap_or(value.len()));
        if !scheme.eq_ignore_ascii_case(b"bearer") {
            return Ok(None);
        }
        // Exactly one space: what is in doubt, two programs read in two ways.
        self.token(rest.strip_prefix(b" ").ok_or(Reason::Malformed)?).map(Some)
    }

    /// Only what can be a token: `b64token` of RFC 6750.
    fn token<'a>(&self, value: &'a [u8]) -> Result<&'a str, Reason> {
        if value.len() > self.longest {
            return Err(Reason::TooLarge);
        }
        let is_fit = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(byte);
        let text = std::str::from_utf8(value).ok().filter(|text| !text.is_empty() && text.as_bytes().iter().all(is_fit));
        text.ok_or(Reason::Malformed)
    }
}

/// A header's value; more than one line is nobody's.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a [u8]>, Reason> {
    let mut lines = headers.get_all(name).iter();
    match (lines.next(), lines.next()) {
        (line, None) => Ok(line.map(http::HeaderValue::as_bytes)),
        _ => Err(Reason::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Found by fuzzing: with a reader of its own, a token's cookie was another one than a session's of the same name.
    #[test]
    fn a_token_is_in_the_cookie_that_every_reader_sees() {
        let places = Places { cookie: Some("jwt".to_owned()), longest: 100, ..Places::default() };
        for (line, expected) in [
            ("jwt=a", Ok(Some("a"))),
            ("jwt =a", Ok(Some("a"))),
            ("x=y;\tjwt\t=\ta", Ok(Some("a"))),
            ("jwt=a; jwt =a", Ok(Some("a"))),
            ("jwt =a; jwt=b", Err(Reason::Malformed)),
            ("jwt= a; jwt=b", Err(Reason::Malformed)),
            ("jwt=\"a\"", Err(Reason::Malformed)),
            ("jwt=", Err(Reason::Malformed)),
            ("jwt", Ok(None)),
            ("JWT=a; xjwt=a; jwt.=a", Ok(None)),
        ] {
            let headers = HeaderMap::from_iter([(header::COOKIE, http::HeaderValue::from_static(line))]);
            assert_eq!(places.find(&headers), expected, "{line}");
        }
    }
}

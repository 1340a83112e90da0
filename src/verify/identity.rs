use std::fmt::Write;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::auth::{Admitted, AuthConfig, Identity};

/// NGINX keeps a response's head in one page of memory, by default.
const LONGEST: usize = 3072;

/// The set is longer than may be.
pub(super) struct TooLong;

/// The headers that say who it is. Nobody's are there and empty, so that whoever copies them overwrites what a client sent.
pub(super) fn add(headers: &mut HeaderMap, config: &AuthConfig, who: &Admitted) -> Result<(), TooLong> {
    let names = &config.identity_headers;
    let token = match who {
        Admitted::Token(token) => Some(&**token),
        _ => None,
    };
    let (subject, roles, method) = match who {
        Admitted::Token(token) => (encode(token.subject()), list(token.roles()), "jwt"),
        Admitted::Session { user, roles, .. } => (encode(user), list(roles), "session"),
        Admitted::Anyone => (String::new(), String::new(), "anonymous"),
    };
    let core = [
        (&names.subject, subject),
        (&names.issuer, token.map(|token| encode(token.issuer())).unwrap_or_default()),
        (&names.roles, roles),
        (&names.method, method.to_owned()),
        (&names.expires, expires(who).map(|seconds| seconds.to_string()).unwrap_or_default()),
        (&names.token_id, token.and_then(Identity::token_id).map(encode).unwrap_or_default()),
    ];
    let mut left = LONGEST;
    for (name, value) in core {
        left = left.checked_sub(name.len() + value.len() + 4).ok_or(TooLong)?;
        put(headers, name, &value);
    }
    for (at, name) in config.claims_to_headers.values().enumerate() {
        let value = token.and_then(|token| token.passed_on().get(at)).map(list).unwrap_or_default();
        // What is too much is left out, but stays there and empty.
        let fits = left.checked_sub(name.len() + value.len() + 4);
        left = fits.unwrap_or(left.saturating_sub(name.len() + 4));
        put(headers, name, if fits.is_some() { &value } else { "" });
    }
    Ok(())
}

/// Seconds since 1970 at which the credential ends.
pub(super) fn expires(who: &Admitted) -> Option<i64> {
    match who {
        Admitted::Token(token) => Some(token.expires_s()),
        Admitted::Session { expires, .. } => Some(*expires),
        Admitted::Anyone => None,
    }
}

fn list<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| encode(item.as_ref())).collect::<Vec<_>>().join(",")
}

fn put(headers: &mut HeaderMap, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
        headers.insert(name, value);
    }
}

/// Printable ASCII as it is, all else as the percent-encoded bytes of UTF-8; also what separates values in headers and lists.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'%' | b',' | b';' | b'"' | b'\\' => drop(write!(encoded, "%{byte:02X}")),
            0x21..=0x7e => encoded.push(char::from(byte)),
            _ => drop(write!(encoded, "%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_plain_is_percent_encoded() {
        assert_eq!(encode("ann@example.com"), "ann@example.com");
        assert_eq!(encode("a b,c;d\"e\\f%g"), "a%20b%2Cc%3Bd%22e%5Cf%25g");
        assert_eq!(encode("Zoë\r\n\u{7f}"), "Zo%C3%AB%0D%0A%7F");
    }
}

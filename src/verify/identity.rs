use http::{HeaderMap, HeaderName, HeaderValue};

use crate::auth::{AROUND, Admitted, AuthConfig, Identity, MOST_IDENTITY, encode};

/// The set is longer than may be; of sessions alone, since tokens are looked through before.
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
    let mut left = MOST_IDENTITY;
    for (name, value) in core {
        left = left.checked_sub(name.len() + value.len() + AROUND).ok_or(TooLong)?;
        put(headers, name, &value);
    }
    for (at, name) in config.claims_to_headers.values().enumerate() {
        let value = token.and_then(|token| token.passed_on().get(at)).map(list).unwrap_or_default();
        // What is too much is left out, but stays there and empty.
        let fits = left.checked_sub(name.len() + value.len() + AROUND);
        left = fits.unwrap_or(left.saturating_sub(name.len() + AROUND));
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

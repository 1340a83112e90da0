//! Any header lines, one a line of the input: the cookie that is read is the only one of its name, and a credential is never another's.
#![no_main]

use http::{HeaderMap, HeaderName, HeaderValue, header};
use libfuzzer_sys::fuzz_target;
use tower_analytics::auth::{
    Reason,
    fuzzing::{cookie, credential, session},
};

const LONGEST: usize = 256;

/// All values of a cookie, in the words of RFC 6265: pairs are parted by `;`, and blanks around names and values are not theirs.
fn values<'a>(headers: &'a HeaderMap, name: &str) -> Vec<&'a [u8]> {
    let is_blank = |byte: &u8| *byte == b' ' || *byte == b'\t';
    let trimmed = |mut bytes: &'a [u8]| {
        while bytes.first().is_some_and(is_blank) {
            bytes = &bytes[1..];
        }
        while bytes.last().is_some_and(is_blank) {
            bytes = &bytes[..bytes.len() - 1];
        }
        bytes
    };
    let mut found = Vec::new();
    for line in headers.get_all(header::COOKIE) {
        for pair in line.as_bytes().split(|byte| *byte == b';') {
            if let Some(at) = pair.iter().position(|byte| *byte == b'=')
                && trimmed(&pair[..at]) == name.as_bytes()
            {
                found.push(trimmed(&pair[at + 1..]));
            }
        }
    }
    found
}

fn is_tossed(values: &[&[u8]]) -> bool {
    values.windows(2).any(|two| two[0] != two[1])
}

fuzz_target!(|bytes: &[u8]| {
    let mut headers = HeaderMap::new();
    for line in bytes.split(|byte| *byte == b'\n').take(64) {
        let at = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let value = line.get(at + 1..).unwrap_or_default().trim_ascii();
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(&line[..at]), HeaderValue::from_bytes(value)) {
            headers.append(name, value);
        }
    }

    let jwts = values(&headers, "jwt");
    match cookie(&headers, "jwt") {
        Err(()) => assert!(is_tossed(&jwts), "{headers:?}"),
        Ok(None) => assert!(!is_tossed(&jwts), "{headers:?}"),
        Ok(Some(value)) => {
            assert!(!is_tossed(&jwts) && jwts[0] == value.as_bytes(), "{headers:?}");
            assert!(HeaderValue::from_str(value).is_ok() && !value.contains([' ', '\t', '"', ',', ';', '\\']), "{headers:?}");
        }
    }
    for is_https in [true, false] {
        let name = if is_https { "__Host-analytics_session" } else { "analytics_session" };
        if let Ok(Some(token)) = session(&headers, is_https) {
            assert!(token.starts_with("an1_") && token.len() == 47, "{token}");
            assert!(values(&headers, name).iter().all(|value| *value == token.as_bytes()), "{headers:?}");
        }
    }

    let is_bearer = |value: &HeaderValue| value.as_bytes().get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer"));
    let authorizations = headers.get_all(header::AUTHORIZATION).iter().collect::<Vec<_>>();
    let x_tokens = headers.get_all("x-token").iter().collect::<Vec<_>>();
    let found = credential(&headers, Some("jwt"), &["x-token"], LONGEST);
    if let Ok(Some(token)) = found {
        assert!((1..=LONGEST).contains(&token.len()), "{headers:?}");
        assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte)), "{headers:?}");
        assert!(authorizations.len() <= 1, "{headers:?}");
        // The first place that holds anything decides.
        match (authorizations.first().filter(|value| is_bearer(value) && value.len() > 6 && value.as_bytes()[6] == b' '), &*x_tokens) {
            (Some(value), _) => assert_eq!(&value.as_bytes()[7..], token.as_bytes()),
            (None, [only]) => assert_eq!(only.as_bytes(), token.as_bytes()),
            (None, []) => assert!(!is_tossed(&jwts) && jwts[0] == token.as_bytes(), "{headers:?}"),
            (None, _) => panic!("two lines are nobody's: {headers:?}"),
        }
    }
    if authorizations.is_empty() && x_tokens.is_empty() {
        match found {
            Ok(None) => assert!(jwts.is_empty(), "there, and as if it was not: {headers:?}"),
            Ok(Some(_)) => {}
            Err(reason) => assert!(matches!(reason, Reason::Malformed | Reason::TooLarge)),
        }
    }
});

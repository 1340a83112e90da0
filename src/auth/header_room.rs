//! Whether who it is fits into the headers that say it, and how it is written there.

use std::fmt::Write;

use super::{config::AuthConfig, roles::RoleNames};

/// All identity headers together, in bytes: NGINX keeps a response's head in one page of memory by default, 4 KiB, of which the rest is
/// for all other headers. A subject of 1024 bytes fits where it is plain ASCII; percent-encoded it can be three times as long.
pub(crate) const MOST_IDENTITY: usize = 3072;

/// What the identity headers leave to a token.
#[derive(Debug)]
pub(super) struct HeaderRoom {
    left: usize,
    /// With all roles that there are.
    left_at_least: usize,
}

impl HeaderRoom {
    /// None where no header says who it is, so that nothing need fit.
    pub(super) fn new(config: &AuthConfig, issuer: &str, roles: &RoleNames) -> Option<Self> {
        /// What `jwt` and a number below 2^53 take.
        const METHOD_AND_EXPIRES: usize = 3 + 16;
        let headers = &config.identity_headers;
        let names = [&headers.subject, &headers.issuer, &headers.roles, &headers.method, &headers.expires, &headers.token_id];
        let taken = names.iter().map(|name| name.len() + AROUND).sum::<usize>() + METHOD_AND_EXPIRES + encoded_len(issuer);
        let left = MOST_IDENTITY.saturating_sub(taken);
        headers.enabled.then(|| Self { left, left_at_least: left.saturating_sub(list_len(roles.all())) })
    }

    /// Whether a token's own values fit beside what is always there.
    pub(super) fn holds<'a>(&self, subject: &str, token_id: &str, roles: impl FnOnce() -> Vec<&'a str>) -> bool {
        if 3 * (subject.len() + token_id.len()) <= self.left_at_least {
            return true;
        }
        encoded_len(subject) + encoded_len(token_id) + list_len(roles()) <= self.left
    }
}

/// The colon, the blank and the line's end.
pub(crate) const AROUND: usize = 4;

fn list_len<'a>(items: impl IntoIterator<Item = &'a str>) -> usize {
    items.into_iter().map(|item| encoded_len(item) + 1).sum()
}

fn is_plain(byte: u8) -> bool {
    (0x21..=0x7e).contains(&byte) && !matches!(byte, b'%' | b',' | b';' | b'"' | b'\\')
}

fn encoded_len(text: &str) -> usize {
    text.bytes().map(|byte| if is_plain(byte) { 1 } else { 3 }).sum()
}

/// Printable ASCII as it is, all else as the percent-encoded bytes of UTF-8; also what separates values in headers and lists.
pub(crate) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            byte if is_plain(byte) => encoded.push(char::from(byte)),
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
        for (text, encoded) in [
            ("ann@example.com", "ann@example.com"),
            ("a b,c;d\"e\\f%g", "a%20b%2Cc%3Bd%22e%5Cf%25g"),
            ("Zoë\r\n\u{7f}", "Zo%C3%AB%0D%0A%7F"),
        ] {
            assert_eq!(encode(text), encoded);
            assert_eq!(encoded_len(text), encoded.len());
        }
    }

    #[test]
    fn roles_count_only_where_the_token_has_them() {
        let name = "r".repeat(1000);
        let roles = RoleNames::new([&*name].into_iter()).unwrap();
        let room = HeaderRoom::new(&AuthConfig::default(), "https://id.example.com", &roles).unwrap();
        let subject = "ë".repeat(400);
        assert!(room.holds(&subject, "", Vec::new) && !room.holds(&subject, "", || vec![&name]));
    }
}

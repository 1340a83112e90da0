use std::str::FromStr;

use http::HeaderValue;

/// A header's value as a number.
pub(super) fn number<T: FromStr>(value: &HeaderValue) -> Option<T> {
    std::str::from_utf8(value.as_bytes()).ok()?.parse().ok()
}

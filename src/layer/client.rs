//! What the client says it is; read by the writer, not here.

use http::HeaderMap;

use super::{draft::Draft, number::number};
use crate::hit::Field;

/// A request's length past this (a terabyte) is nobody's body, and some of them would be more than a sum can hold.
const BELIEVED: u64 = 1 << 40;

/// One walk over the headers: a look-up of each name would hash it first, and few requests have many headers.
pub(super) fn note(draft: &mut Draft, headers: &HeaderMap) {
    for (name, value) in headers {
        let field = match name.as_str() {
            "user-agent" => Field::UserAgent,
            "x-platform" => Field::Platform,
            "x-app-version" => Field::AppVersion,
            "x-device-info" => Field::DeviceName,
            "x-session-id" => Field::SessionKey,
            "content-length" => {
                draft.facts.bytes_in = number(value).filter(|bytes| *bytes <= BELIEVED).unwrap_or_default();
                continue;
            }
            _ => continue,
        };
        // Of a header that stands there twice the first counts.
        if !draft.facts.has(field) {
            draft.put(field, value.as_bytes().trim_ascii());
        }
    }
}

//! What the client says it is; read by the writer, not here.

use http::{HeaderMap, HeaderName, header};

use crate::{
    access::text,
    hit::{Field, Hit},
};

const FIELDS: [(HeaderName, Field); 5] = [
    (header::USER_AGENT, Field::UserAgent),
    (HeaderName::from_static("x-platform"), Field::Platform),
    (HeaderName::from_static("x-app-version"), Field::AppVersion),
    (HeaderName::from_static("x-device-info"), Field::DeviceName),
    (HeaderName::from_static("x-session-id"), Field::SessionKey),
];

pub(super) fn note(hit: &mut Hit, headers: &HeaderMap) {
    static NAMES: [(HeaderName, Field); 5] = FIELDS;
    for (name, field) in &NAMES {
        if let Some(value) = headers.get(name).and_then(text) {
            hit.set(*field, value);
        }
    }
}

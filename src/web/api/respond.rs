use std::hash::Hasher;

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;
use siphasher::sip::SipHasher13;

use super::problem::Problem;
use crate::report::Answer;

/// The answer as JSON, with where it came from and how long it took; 304 if whoever asks has it already.
pub(super) fn json<T: Serialize>(answer: &Answer<T>, headers: &HeaderMap) -> Response {
    let Ok(fields) = serde_json::to_string(&**answer) else {
        return Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the answer could not be written").into_response();
    };
    let tag = tag(&fields);
    if has_it(headers, &tag) {
        return (StatusCode::NOT_MODIFIED, common(&tag)).into_response();
    }
    let rest = fields.strip_prefix('{').filter(|rest| *rest != "}").map_or_else(|| "}".to_owned(), |rest| format!(",{rest}"));
    let took = answer.took().as_secs_f64() * 1e3;
    let body = format!("{{\"source\":\"{}\",\"took_ms\":{took:.3}{rest}", answer.source().name());
    (common(&tag), [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

pub(super) fn csv(text: Result<String, csv::Error>, next_cursor: Option<&str>, headers: &HeaderMap) -> Response {
    let text = match text {
        Ok(text) => text,
        Err(error) => {
            tracing::error!(%error, "a list could not be written as CSV");
            return Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the list could not be written as CSV").into_response();
        }
    };
    let tag = tag(&text);
    if has_it(headers, &tag) {
        return (StatusCode::NOT_MODIFIED, common(&tag)).into_response();
    }
    let mut response = (common(&tag), [(header::CONTENT_TYPE, "text/csv; charset=utf-8")], text).into_response();
    // CSV has no place for it in the body.
    if let Some(cursor) = next_cursor.and_then(|cursor| HeaderValue::from_str(cursor).ok()) {
        response.headers_mut().insert("x-next-cursor", cursor);
    }
    response
}

/// Whether CSV is wanted rather than JSON.
pub(super) fn wants_csv(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let place = |kind: &str| accept.split(',').position(|part| part.split(';').next().is_some_and(|part| part.trim() == kind));
    place("text/csv").is_some_and(|csv| place("application/json").is_none_or(|json| csv < json))
}

fn common(tag: &str) -> [(header::HeaderName, String); 3] {
    [
        (header::ETAG, tag.to_owned()),
        // Kept, and asked for again each time.
        (header::CACHE_CONTROL, "private, no-cache".to_owned()),
        (header::VARY, "accept, cookie, authorization".to_owned()),
    ]
}

/// Weak: how long it took is not in it.
fn tag(text: &str) -> String {
    let mut hasher = SipHasher13::new();
    hasher.write(text.as_bytes());
    format!("W/\"{:016x}\"", hasher.finish())
}

fn has_it(headers: &HeaderMap, tag: &str) -> bool {
    let known = headers.get(header::IF_NONE_MATCH).and_then(|known| known.to_str().ok()).unwrap_or_default();
    known.split(',').any(|known| known.trim() == tag || known.trim() == "*")
}

//! Which endpoint a request belongs to: never a raw path, so that scanners cannot fill the store.

use http::{HeaderMap, HeaderValue, Request, header};

use super::{draft::Draft, pending::number};
use crate::{hit::Field, pattern::Routes};

/// What all requests without a template share.
pub(super) const UNMATCHED: &str = "(unmatched)";

pub(super) fn note<B>(draft: &mut Draft, request: &Request<B>, routes: Option<&Routes>) {
    #[cfg(feature = "axum")]
    if let Some(matched) = request.extensions().get::<axum::extract::MatchedPath>() {
        return draft.put(Field::Route, matched.as_str().as_bytes());
    }
    let path = request.uri().path();
    if let Some(template) = routes.and_then(|routes| routes.matching(path)) {
        return draft.put(Field::Route, template.as_bytes());
    }
    // A gRPC path names service and method and has no parameters; the dictionary's cap bounds made-up ones.
    let route = if is_grpc(request.headers()) { path } else { UNMATCHED };
    draft.put(Field::Route, route.as_bytes());
}

fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"))
}

/// <https://github.com/grpc/grpc/blob/master/doc/statuscodes.md>: 0 to 16, as text. Of a response without messages it stands in the head.
pub(super) fn grpc_status(value: &HeaderValue) -> Option<u8> {
    number(value).map(|status: u8| status.min(17))
}

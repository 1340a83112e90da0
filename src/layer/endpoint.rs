//! Which endpoint a request belongs to: never a raw path, so that scanners cannot fill the store.

use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};

use super::pending::number;
use crate::{
    hit::{Field, Hit},
    pattern::Routes,
};

/// What all requests without a template share.
pub(super) const UNMATCHED: &str = "(unmatched)";

pub(super) fn note<B>(hit: &mut Hit, request: &Request<B>, routes: Option<&Routes>) {
    hit.facts.made_up = !is_standard(request.method());
    #[cfg(feature = "axum")]
    if let Some(matched) = request.extensions().get::<axum::extract::MatchedPath>() {
        return hit.set(Field::Route, matched.as_str());
    }
    let path = request.uri().path();
    if let Some(template) = routes.and_then(|routes| routes.matching(path)) {
        return hit.set(Field::Route, template);
    }
    if !is_grpc(request.headers()) || request.method() != Method::POST {
        return hit.set(Field::Route, UNMATCHED);
    }
    // A gRPC path names service and method and has no parameters.
    hit.facts.made_up = true;
    hit.set(Field::Route, path);
}

/// Whether the answer says that method and path are not the client's invention: else scanners could fill the store's list.
pub(super) fn is_known<B>(hit: &Hit, response: &Response<B>) -> bool {
    let (status, headers) = (response.status(), response.headers());
    match is_grpc(headers) {
        true => headers.get("grpc-status").is_none_or(|status| status != UNIMPLEMENTED),
        // A path that was taken for gRPC's is answered by gRPC, or by something that answers everything.
        false => hit.method() != "POST" && !status.is_client_error() && status != StatusCode::NOT_IMPLEMENTED,
    }
}

const UNIMPLEMENTED: &str = "12";

fn is_standard(method: &Method) -> bool {
    matches!(
        *method,
        Method::GET
            | Method::POST
            | Method::PUT
            | Method::DELETE
            | Method::HEAD
            | Method::OPTIONS
            | Method::PATCH
            | Method::CONNECT
            | Method::TRACE
    )
}

fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"))
}

/// <https://github.com/grpc/grpc/blob/master/doc/statuscodes.md>: 0 to 16, as text. Of a response without messages it stands in the head.
pub(super) fn grpc_status(value: &HeaderValue) -> Option<u8> {
    number(value).map(|status: u8| status.min(17))
}

//! Which endpoint a request belongs to: never a raw path, so that scanners cannot fill the store.

use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};

use super::{draft::Draft, number::number};
use crate::{hit::Field, pattern::Routes};

/// What all requests without a template share.
pub(super) const UNMATCHED: &str = "(unmatched)";

pub(super) fn note<B>(draft: &mut Draft, request: &Request<B>, routes: Option<&Routes>) {
    draft.facts.made_up = !is_standard(request.method());
    #[cfg(feature = "axum")]
    if let Some(matched) = request.extensions().get::<axum::extract::MatchedPath>() {
        return draft.put(Field::Route, matched.as_str().as_bytes());
    }
    let path = request.uri().path();
    if let Some(template) = routes.and_then(|routes| routes.matching(path)) {
        return draft.put(Field::Route, template.as_bytes());
    }
    if !is_grpc(request.headers()) || request.method() != Method::POST {
        return draft.put(Field::Route, UNMATCHED.as_bytes());
    }
    // A gRPC path names service and method and has no parameters.
    draft.facts.made_up = true;
    draft.course.grpc_path = true;
    draft.put(Field::Route, path.as_bytes());
}

/// Whether the answer says that method and path are not the client's invention: else scanners could fill the store's list.
pub(super) fn is_known<B>(draft: &Draft, response: &Response<B>) -> bool {
    let (status, headers) = (response.status(), response.headers());
    match is_grpc(headers) {
        true => headers.get("grpc-status").is_none_or(|status| status != UNIMPLEMENTED),
        // A path that was taken for gRPC's is answered by gRPC, or by something that answers everything.
        false => !draft.course.grpc_path && !status.is_client_error() && status != StatusCode::NOT_IMPLEMENTED,
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

use axum::{body::Body, response::Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use super::identity;
use crate::{
    auth::{Admitted, Auth, AuthConfig, Reason},
    layer::Skip,
};

const X_ACCEL_EXPIRES: HeaderName = HeaderName::from_static("x-accel-expires");

/// What became of a request, as NGINX and its like read it.
pub(super) fn of(auth: &Auth, policy: &str, decision: Result<Admitted, Reason>) -> Response {
    let reason = match decision {
        Ok(who) => return allowed(auth, &who),
        Err(reason) => reason,
    };
    let config = auth.config();
    let realm = &config.realm;
    let (status, challenge) = match reason {
        // RFC 6750, section 3.1: who brings nothing is told no error.
        Reason::Missing | Reason::Session => (StatusCode::UNAUTHORIZED, format!("Bearer realm=\"{realm}\"")),
        Reason::Role => (StatusCode::FORBIDDEN, format!("Bearer realm=\"{realm}\", error=\"insufficient_scope\", scope=\"{policy}\"")),
        Reason::KeysUnavailable => {
            let mut response = bare(StatusCode::SERVICE_UNAVAILABLE, 0);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
            return response;
        }
        Reason::Exp if config.oauth_error_description => {
            (StatusCode::UNAUTHORIZED, format!("Bearer realm=\"{realm}\", error=\"invalid_token\", error_description=\"token expired\""))
        }
        // RFC 6750 has 400 for what is malformed, which NGINX would make a 500.
        _ => (StatusCode::UNAUTHORIZED, format!("Bearer realm=\"{realm}\", error=\"invalid_token\"")),
    };
    let mut response = bare(status, 0);
    if let Ok(challenge) = HeaderValue::from_str(&challenge) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

fn allowed(auth: &Auth, who: &Admitted) -> Response {
    let config = auth.config();
    let left = identity::expires(who).map_or(i64::MAX, |expires| expires - auth.now_s());
    let kept = i64::try_from(config.nginx_cache_ttl_s).unwrap_or(i64::MAX).min(left).max(0);
    let mut response = bare(StatusCode::OK, kept);
    if let Some(vary) = more_to_vary(config) {
        response.headers_mut().insert(header::VARY, vary);
    }
    if config.identity_headers.enabled && identity::add(response.headers_mut(), config, who).is_err() {
        tracing::error!("a subject and a token id are together too long for headers: the request is refused");
        return bare(StatusCode::INTERNAL_SERVER_ERROR, 0);
    }
    response
}

/// Where a credential may stand beside the usual places: a cache must not give one's answer to another.
fn more_to_vary(config: &AuthConfig) -> Option<HeaderValue> {
    if config.extra_token_headers.is_empty() {
        return None;
    }
    HeaderValue::from_str(&format!("Authorization, Cookie, {}", config.extra_token_headers.join(", "))).ok()
}

pub(super) fn no_such_policy(path: &str) -> Response {
    tracing::warn!(path = path.escape_debug().to_string(), "there is no such policy");
    bare(StatusCode::NOT_FOUND, 0)
}

pub(super) fn wrong_method() -> Response {
    let mut response = bare(StatusCode::METHOD_NOT_ALLOWED, 0);
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    response
}

/// What every answer carries, and no body.
fn bare(status: StatusCode, kept: i64) -> Response {
    let mut headers = HeaderMap::with_capacity(12);
    // First: NGINX before 1.23.0 looks at no X-Accel-Expires that comes after Cache-Control.
    headers.insert(X_ACCEL_EXPIRES, HeaderValue::from(kept));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // So that no two credentials ever share what a cache keeps.
    headers.insert(header::VARY, HeaderValue::from_static("Authorization, Cookie"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response.extensions_mut().insert(Skip);
    response
}

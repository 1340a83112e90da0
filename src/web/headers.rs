use axum::{
    Router,
    http::{HeaderName, HeaderValue, header},
};
use tower_http::{catch_panic::CatchPanicLayer, compression::CompressionLayer, set_header::SetResponseHeaderLayer};

use crate::layer::Skip;

/// What every answer of ours carries. Nothing is loaded from anywhere else, framed, or kept by caches.
const HEADERS: [(HeaderName, &str); 7] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::CACHE_CONTROL, "no-store"),
];

pub(super) fn add(mut router: Router) -> Router {
    // Innermost, so that the answer to a panic has the headers too.
    router = router.route_layer(CatchPanicLayer::new());
    for (name, value) in HEADERS {
        // Only where absent: assets say for themselves how long they may be kept.
        router = router.route_layer(SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value)));
    }
    // Pages are mostly the same words again and again. What is pushed is left as it is.
    let router = router.route_layer(CompressionLayer::new());
    // Our own pages are not the service's traffic. `route_layer` throughout: a layered fallback would win over the app's when merged.
    router.route_layer(axum::middleware::map_response(skip))
}

async fn skip(mut response: axum::response::Response) -> axum::response::Response {
    response.extensions_mut().insert(Skip);
    response
}

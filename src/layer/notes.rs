/// Put on a response (`Extension(Skip)`, or into its extensions), keeps that request from being recorded. All routes of ours set it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Skip;

/// Put on a response, says in the app's own words what went wrong.
///
/// The kind groups (`payment_declined`, a type's name); the message may hold details. Digits and quoted parts are
/// masked before messages are compared, and one sample is kept, cut at 1 KB.
///
/// ```
/// use axum::{Extension, http::StatusCode, response::IntoResponse};
/// use tower_analytics::ErrorNote;
///
/// async fn pay() -> impl IntoResponse {
///     (StatusCode::BAD_GATEWAY, Extension(ErrorNote::new("payment_declined", "bank answered 51")), "try another card")
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorNote {
    pub(super) kind: Box<str>,
    pub(super) message: Box<str>,
}

impl ErrorNote {
    /// A note of this kind.
    pub fn new(kind: impl Into<Box<str>>, message: impl Into<Box<str>>) -> Self {
        Self { kind: kind.into(), message: message.into() }
    }
}

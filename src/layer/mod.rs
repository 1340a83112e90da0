//! The layer: sees every request, and records it once when it has ended.
//!
//! # How it is recorded
//!
//! One guard travels from the call through the response future into the response body, and its `Drop` records. So a
//! hit is recorded when its **body** ends, and exactly once, however that happens:
//!
//! | what happens | outcome | status |
//! |---|---|---|
//! | the end of the body is seen, or its declared length | completed | the head's |
//! | `HEAD`, 204, 304, an empty body, an upgrade | completed, at the head | the head's |
//! | the client leaves in the middle of the body | aborted | the head's |
//! | the client leaves before there is a head | aborted | 499 |
//! | the service or the body answers an error | failed | 500, or the head's |
//! | a panic unwinds through the future or the body | failed | 500, or the head's |
//!
//! # Which endpoint it is
//!
//! The route template as axum or [`AnalyticsLayer::routes`] knows it, else the path of a gRPC method, else `(unmatched)`.
//! What a client can make up, a method of its own or a gRPC path, becomes a new endpoint only if the answer says that
//! the app knows it.
//!
//! # Examples
//!
//! With the defaults, in an axum app (the layer last, so that unmatched requests are seen too):
//!
//! ```
//! # #[cfg(feature = "sqlite")]
//! # fn main() -> Result<(), tower_analytics::Error> {
//! # let dir = tempfile::tempdir().unwrap();
//! use axum::{Router, routing::get};
//! use tower_analytics::Analytics;
//!
//! let analytics = Analytics::open(dir.path())?;
//! let app: Router = Router::new().route("/items/{id}", get(|| async { "an item" })).layer(analytics.layer());
//! # Ok(()) }
//! # #[cfg(not(feature = "sqlite"))] fn main() {}
//! ```
//!
//! With a sink of your own, and everything said by hand:
//!
//! ```
//! use tower_analytics::{AnalyticsLayer, Batch, Error, Recorder, Sink, User};
//!
//! struct Nowhere;
//! impl Sink for Nowhere {
//!     fn write(&mut self, _: &Batch<'_>) -> Result<(), Error> {
//!         Ok(())
//!     }
//! }
//!
//! # fn main() -> Result<(), Error> {
//! let layer = AnalyticsLayer::new(Recorder::start(Nowhere)?)
//!     .routes(["/items", "/items/{id}"])?
//!     .trusted_proxies(["10.0.0.0/8"])?
//!     .user(|head| head.header("x-user-id").map(User::new))
//!     .peer("198.51.100.7".parse().unwrap());
//! # Ok(()) }
//! ```

mod body;
mod client;
mod draft;
mod endpoint;
mod future;
mod identity;
#[allow(clippy::module_inception, reason = "tower's own name for it")]
mod layer;
mod notes;
mod number;
mod pending;
mod proxies;
mod service;
mod shared;

#[cfg(feature = "dashboard")]
pub(crate) use self::identity::head_of;
pub use self::{
    body::ResponseBody,
    future::ResponseFuture,
    layer::AnalyticsLayer,
    notes::{ErrorNote, Skip},
    service::AnalyticsService,
};
#[cfg(feature = "sqlite")]
pub(crate) use self::{
    proxies::{DEFAULT_TRUSTED_PROXIES, Proxies},
    shared::UserOf,
};

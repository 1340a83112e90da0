//! See who uses your service, without sending data anywhere.
//!
//! A tower [`Layer`](AnalyticsLayer) records sessions and endpoint hits of any Rust HTTP service (axum, hyper, tonic).
//! They go through a bounded queue and one writer thread into an embedded SQLite directory, one file a month. A
//! dashboard shows them, from the same process or from another one. No second service, no tracker, no CDN.
//!
//! ```
//! # #[cfg(feature = "dashboard")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! # let directory = dir.path();
//! use axum::{Router, routing::get};
//! use std::time::Duration;
//! use tower_analytics::{Analytics, Head, Role, User};
//!
//! let analytics = Analytics::builder(directory)                  // such as "analytics-data"
//!     .user(|head| head.header("x-user-id").map(User::new))      // or a handler answers with Extension(User::new(id))
//!     .build()?;
//! let staff = |head: &Head<'_>| (head.header("x-staff") == Some("yes")).then_some(Role::Mod);
//! let app: Router = Router::new()
//!     .route("/items/{id}", get(|| async { "an item" }))
//!     .merge(analytics.dashboard(staff))                         // no dashboard without a guard
//!     .layer(analytics.layer());                                 // last, so that 404s are seen
//! // axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>())
//! //     .with_graceful_shutdown(analytics.closing(ctrl_c())).await?;
//! analytics.shutdown(Duration::from_secs(5))?;                   // a clean stop loses nothing
//! # Ok(()) }
//! # #[cfg(not(feature = "dashboard"))] fn main() {}
//! ```
//!
//! # Where things are
//!
//! ```text
//! request ─► layer ─► recorder ─► writer ─► store ─► report ─► web
//! ```
//!
//! - [`Analytics`]: the handle; [`Builder`] and [`Config`]: its settings, each with its default.
//! - [`layer`]: what is recorded when; [`AnalyticsLayer`], [`User`], [`Skip`], [`ErrorNote`].
//! - [`Recorder`]: the bounded queue and the writer's thread; [`Sink`] for an engine of your own.
//! - [`Reports`]: questions and their answers, see [`report`].
//! - [`Maintenance`]: import, reprocess, archive, restore, merge, forget, vacuum, reset; work on what is stored, while it is recorded.
//! - [`Dashboard`] and [`Guard`]: the pages and who may see them.
//! - [`plugin`]: panels, routes, hooks on hits, on the start and on the stop, from elsewhere; ours come the same way.
//! - [`Auth`] and [`Verify`]: tokens, roles and policies, for the pages and for NGINX; see [`auth`].
//!
//! To follow a hit, read `layer/service.rs`, `layer/pending.rs`, `recorder/writer.rs`, `store/raw.rs`; from there into every
//! number, `store/rollup/fold.rs`.
//!
//! # Features
//!
//! | feature | default | brings |
//! |---|---|---|
//! | `auth` | yes | [`Auth`]: JSON Web Tokens as guards and users; with `axum` also [`Verify`] |
//! | `axum` | yes | route templates and peer addresses as axum gives them; re-exports axum |
//! | `jwks-http` | no | keys from an issuer's own host: [`Keys::jwks_url`](auth::Keys::jwks_url), [`Keys::discovery`](auth::Keys::discovery) |
//! | `sqlite` | yes | [`Analytics`], [`Reports`]: the embedded store |
//! | `dashboard` | yes | the pages: [`Analytics::dashboard`] |
//! | `cli` | no | the `tower-analytics` program: a server by settings in TOML, users, keys, tokens, and looking after what is stored |
//!
//! Without any feature there are the layer, the recorder and [`Sink`], and none of axum, rusqlite, askama, jsonwebtoken or tokio.
//!
//! # What is recorded
//!
//! Of each request: when it ended, method and route template, status, how it ended, how long it took to the head and to
//! the end, bytes, who (the app's own user id, or a visitor), platform, app version, device, and the error the app
//! attached. **Not** recorded: paths, queries, bodies, headers, addresses. A visitor is a keyed hash of the shortened
//! address and the user agent, under a key that is forgotten after two days.
//!
//! # Surprises
//!
//! - A hit is recorded when its **body ends**: in tests read or drop the body, then [`Analytics::flush`].
//! - `.layer(..)` covers only what was added before it; wrapping a whole `Router` from outside loses the templates.
//! - Without `into_make_service_with_connect_info` there is no address: visitors are then told apart by user agent alone.
//! - Bytes are those handed to the server, not those the client received; of request bodies, those declared.
//! - `panic = "abort"` loses the hit that panics.
//! - Two recording processes on one directory: one records, the other waits with its bounded queue and takes over when the
//!   first ends, as in a rolling deploy. [`Builder::require_writer`] makes it an error.
//! - [`Analytics::flush`], [`Analytics::shutdown`] and [`Reports`] block; on async threads use `spawn_blocking`.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod access;
#[cfg(feature = "sqlite")]
mod aging;
#[cfg(feature = "sqlite")]
mod analytics;
#[cfg(feature = "auth")]
pub mod auth;
#[cfg(feature = "sqlite")]
mod builder;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
mod clock;
#[cfg(feature = "sqlite")]
mod config;
mod counters;
mod device;
mod error;
mod facts;
mod hit;
#[cfg(feature = "sqlite")]
pub mod import;
pub mod layer;
#[cfg(feature = "sqlite")]
mod maintenance;
mod pattern;
#[cfg(feature = "dashboard")]
pub mod plugin;
#[cfg(feature = "dashboard")]
mod plugins;
pub mod recorder;
#[cfg(feature = "sqlite")]
pub mod report;
#[cfg(feature = "sqlite")]
mod shown;
mod sink;
#[cfg(feature = "sqlite")]
mod spreadsheet;
#[cfg(feature = "sqlite")]
mod store;
pub mod user;
#[cfg(all(feature = "auth", feature = "axum"))]
mod verify;
#[cfg(feature = "dashboard")]
mod web;
#[cfg(feature = "sqlite")]
mod zone;

#[cfg(feature = "axum")]
pub use axum;

#[cfg(feature = "auth")]
pub use self::auth::Auth;
#[cfg(all(feature = "auth", feature = "axum"))]
pub use self::verify::Verify;
#[cfg(feature = "dashboard")]
pub use self::web::Dashboard;
pub use self::{
    access::{Guard, Head, OpenToEveryone, Role},
    clock::Clock,
    counters::{Counters, DropCause, State},
    device::{Bot, Device},
    error::{Error, ErrorKind},
    hit::{Hit, Outcome, SessionId},
    layer::{AnalyticsLayer, AnalyticsService, ErrorNote, Skip},
    recorder::{Keep, Recorder},
    sink::{Batch, Checkpoint, LetGo, Resume, Sink},
    user::User,
};
#[cfg(feature = "sqlite")]
pub use self::{
    aging::RetentionRules,
    analytics::Analytics,
    builder::Builder,
    config::{Config, Recording},
    maintenance::{FailedFile, Forgotten, Maintenance, Reprocessed, Reset, Vacuumed, VacuumedFile},
    report::{Answer, Ask, Bots, Cancel, Interval, Page, Reports, Source},
    shown::Feature,
    store::{Backup, BackupFile, PartPutAway, PartRestored, PutAway, Restored},
};

#[cfg(test)]
mod tests {
    use super::*;

    fn is_send_sync<T: Send + Sync + 'static>() {}
    fn is_clone<T: Clone>() {}

    #[test]
    fn handles_are_send_sync_and_clone() {
        is_send_sync::<AnalyticsLayer>();
        is_clone::<AnalyticsLayer>();
        is_send_sync::<AnalyticsService<()>>();
        is_clone::<AnalyticsService<()>>();
        is_send_sync::<layer::ResponseFuture<()>>();
        is_send_sync::<layer::ResponseBody<()>>();
        is_send_sync::<Recorder>();
        is_clone::<Recorder>();
        is_send_sync::<Hit>();
        is_send_sync::<Error>();
        #[cfg(feature = "sqlite")]
        {
            is_send_sync::<Analytics>();
            is_clone::<Analytics>();
            is_send_sync::<Reports>();
            is_clone::<Reports>();
            is_send_sync::<Builder>();
            is_send_sync::<Maintenance>();
        }
        #[cfg(feature = "auth")]
        {
            is_send_sync::<Auth>();
            is_clone::<Auth>();
            is_send_sync::<auth::AuthBuilder>();
            is_send_sync::<auth::Identity>();
        }
        #[cfg(all(feature = "auth", feature = "axum"))]
        {
            is_send_sync::<Verify>();
            is_clone::<Verify>();
        }
        #[cfg(feature = "dashboard")]
        is_send_sync::<Dashboard>();
    }
}

//! An app that knows a few endpoints, and a recorder with room for few of everything.

use std::{convert::Infallible, path::Path};

use axum::{
    Router,
    body::Body,
    http::{Request, Response},
    routing::{any, get},
};
use http_body_util::BodyExt;
use rusqlite::Connection;
use tower::ServiceExt;
use tower_analytics::{Analytics, Ask, Config, Head, User};

use super::{stored, total};

/// Small caps, so that a flood is soon past them.
pub(crate) const CAP: u32 = 20;

pub(crate) struct Tried {
    pub(crate) analytics: Analytics,
    app: Router,
    directory: tempfile::TempDir,
    sent: u64,
    runtime: tokio::runtime::Runtime,
}

pub(crate) fn tried() -> Tried {
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::default();
    config.data = directory.path().to_owned();
    let recording = &mut config.recording;
    (recording.users, recording.endpoints, recording.devices) = (CAP, CAP, CAP);
    (recording.errors, recording.visitors_a_day, recording.open_sessions) = (CAP, CAP, CAP as usize);
    let user = |head: &Head<'_>| head.header("x-user-id").map(User::new);
    let analytics = Analytics::builder("").config(config).user(user).build().unwrap();
    let app = Router::new()
        .route("/items/{id}", get(|| async { "an item" }))
        .route("/any/{id}", any(|| async { "anything" }))
        .fallback(fallback)
        .layer(analytics.layer());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    Tried { analytics, app, directory, sent: 0, runtime }
}

/// Knows one gRPC service, as tonic would answer it; greets everybody else.
async fn fallback(request: Request<Body>) -> Response<Body> {
    let grpc = request.headers().get("content-type").is_some_and(|value| value == "application/grpc");
    let response = Response::builder();
    let response = match request.uri().path() {
        path if grpc && path.starts_with("/shop.Orders/") => response.header("content-type", "application/grpc"),
        path if grpc && path.starts_with("/gone.") => response.header("content-type", "application/grpc").header("grpc-status", "12"),
        _ => response,
    };
    response.body(Body::from("hello")).unwrap()
}

impl Tried {
    /// Sends it; the answer is the app's own.
    pub(crate) fn send(&mut self, request: Request<Body>, answer: &str) {
        let body = self.runtime.block_on(async {
            let response = self.app.clone().oneshot(request).await.unwrap_or_else(|error: Infallible| match error {});
            response.into_body().collect().await.unwrap().to_bytes()
        });
        assert_eq!(body, answer);
        self.sent += 1;
    }

    /// Everything sent is stored or counted; gives the directory.
    pub(crate) fn all_is_there(&self) -> &Path {
        self.analytics.flush().unwrap();
        let counters = self.analytics.counters();
        assert_eq!((counters.written, counters.dropped(), counters.faults, counters.panics), (self.sent, 0, 0, 0), "{counters:?}");
        assert_eq!(total(&stored(self.directory.path())), self.sent);
        let stats = self.analytics.reports().stats(&Ask::all_time()).unwrap();
        assert_eq!(stats.total_hits + stats.bot_hits, self.sent);
        self.directory.path()
    }
}

/// One number asked of analytics.db.
pub(crate) fn number(directory: &Path, sql: &str) -> i64 {
    Connection::open(directory.join("analytics.db")).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
}

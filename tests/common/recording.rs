//! An app that records, and what must be true of it when something below goes wrong.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use axum::{Router, body::Body, http::Request, routing::get};
use http_body_util::BodyExt;
use rusqlite::Connection;
use tower::ServiceExt;
use tower_analytics::{Analytics, Config, Head, State, User};

use super::{stored, total, until};

pub(crate) struct Recording {
    pub(crate) analytics: Analytics,
    app: Router,
    runtime: tokio::runtime::Runtime,
    directory: PathBuf,
    pub(crate) sent: u64,
}

impl Recording {
    pub(crate) fn new(directory: &Path) -> Self {
        Self::with(directory, Config::default())
    }

    pub(crate) fn with(directory: &Path, mut config: Config) -> Self {
        config.data = directory.to_owned();
        let user = |head: &Head<'_>| head.header("x-user-id").map(User::new);
        let analytics = Analytics::builder(directory).config(config).batch_age(Duration::from_millis(10)).user(user).build().unwrap();
        let app = Router::new().route("/items/{id}", get(|| async { "an item" })).layer(analytics.layer());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut recording = Self { analytics, app, runtime, directory: directory.to_owned(), sent: 0 };
        recording.send(100);
        recording.analytics.flush().unwrap();
        recording
    }

    /// Each of a user of its own, so that both files are needed; each is answered.
    pub(crate) fn send(&mut self, requests: u64) {
        for _ in 0..requests {
            let request = Request::get("/items/7").header("x-user-id", format!("{:0>200}", self.sent)).body(Body::empty()).unwrap();
            let app = self.app.clone();
            let answer = async { app.oneshot(request).await.unwrap().into_body().collect().await.unwrap().to_bytes() };
            assert_eq!(self.runtime.block_on(answer), "an item");
            self.sent += 1;
        }
    }

    /// Sends until the store refuses and the fault says why, and then some more.
    pub(crate) fn send_until_refused(&mut self, why: &str) {
        let most = self.sent + 20_000;
        until(&format!("the store refuses with {why:?}"), || {
            if self.sent < most {
                self.send(200);
            }
            let fault = self.analytics.recorder().fault();
            self.analytics.state() == State::Faulted && fault.is_some_and(|fault| fault.contains(why))
        });
        self.send(1000);
    }

    /// Once the cause is gone, all that was sent is there, once.
    pub(crate) fn goes_on(self) {
        until("it records again", || self.analytics.flush().is_ok());
        assert_eq!(self.analytics.state(), State::Recording);
        let counters = self.analytics.counters();
        assert!(counters.faults > 0, "{counters:?}");
        assert_eq!((counters.written, counters.dropped(), counters.panics), (self.sent, 0, 0), "{counters:?}");
        self.analytics.shutdown(Duration::from_secs(30)).unwrap();
        assert_eq!(total(&stored(&self.directory)), self.sent);
        let users: i64 = Connection::open(self.directory.join("analytics.db"))
            .unwrap()
            .query_row("select count(*) from users where number > 1", [], |row| row.get(0))
            .unwrap();
        assert_eq!(users as u64, self.sent);
    }
}

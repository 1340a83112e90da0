//! A queue without room: requests go on, drops are counted by cause and shown.

use std::sync::{Arc, Condvar, Mutex};

use axum::{Router, body::Body, http::Request, routing::get};
use http_body_util::BodyExt;
use tower::ServiceExt;
use tower_analytics::{Analytics, AnalyticsLayer, Batch, Error, Head, Recorder, Role, Sink, State, recorder::Settings};

mod common;

/// Stands still until it is opened; counts what it was given.
#[derive(Clone, Default)]
struct Gate(Arc<(Mutex<(bool, u64)>, Condvar)>);

impl Gate {
    fn open(&self) {
        self.0.0.lock().unwrap().0 = true;
        self.0.1.notify_all();
    }

    fn given(&self) -> u64 {
        self.0.0.lock().unwrap().1
    }
}

impl Sink for Gate {
    fn write(&mut self, batch: &Batch<'_>) -> Result<(), Error> {
        let state = self.0.0.lock().unwrap();
        self.0.1.wait_while(state, |(open, _)| !*open).unwrap().1 += batch.hits().len() as u64;
        Ok(())
    }
}

fn app(layer: AnalyticsLayer) -> Router {
    Router::new().route("/items/{id}", get(|| async { "an item" })).layer(layer)
}

async fn send(app: &Router, user: u64) {
    let request = Request::get("/items/7").header("x-user-id", user.to_string()).body(Body::empty()).unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "an item");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_sink_stands_still_requests_go_on_and_what_finds_no_room_is_counted() {
    let (gate, mut settings) = (Gate::default(), Settings::default());
    settings.queue_bytes = 16 << 10;
    let recorder = Recorder::start_with(gate.clone(), settings).unwrap();
    let app = app(AnalyticsLayer::new(recorder.clone()));
    for n in 0..1000 {
        send(&app, n).await;
    }
    let counters = recorder.counters();
    assert!(counters.dropped_queue_full > 0 && counters.dropped() == counters.dropped_queue_full, "{counters:?}");
    assert!(counters.written == 0 && counters.queued_bytes <= 16 << 10, "{counters:?}");
    assert_eq!(counters.by_cause()[0], ("queue full", counters.dropped_queue_full));
    gate.open();
    let recorder = tokio::task::spawn_blocking(move || {
        recorder.flush().unwrap();
        let counters = recorder.counters();
        assert_eq!((counters.written, counters.queued, counters.queued_bytes), (gate.given(), 0, 0));
        assert_eq!(gate.given() + counters.dropped(), 1000);
        recorder.shutdown(std::time::Duration::from_secs(10)).unwrap();
        recorder
    });
    let recorder = recorder.await.unwrap();
    send(&app, 1000).await;
    assert_eq!((recorder.counters().dropped_stopped, recorder.state()), (1, State::Stopped));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dashboard_says_what_was_dropped_and_why() {
    let directory = tempfile::tempdir().unwrap();
    let user = |head: &Head<'_>| head.header("x-user-id").map(tower_analytics::User::new);
    let analytics = Analytics::builder(directory.path()).queue_bytes(64 << 10).user(user).build().unwrap();
    let pages: Router = Router::new().merge(analytics.dashboard(|_: &Head<'_>| Some(Role::Mod)));
    let app = app(analytics.layer());
    let page = || async {
        let response = pages.clone().oneshot(Request::get("/analytics").body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), 200);
        String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
    };
    assert!(!page().await.contains("dropped since"));

    let holder = rusqlite::Connection::open(directory.path().join("analytics.db")).unwrap();
    holder.execute_batch("begin exclusive").unwrap();
    for n in 0..2000 {
        send(&app, n).await;
    }
    let dropped = analytics.counters().dropped_queue_full;
    assert!(dropped > 0);
    tokio::task::block_in_place(|| common::until("the fault is there", || analytics.state() == State::Faulted));
    let text = page().await;
    assert!(text.contains("Recording is interrupted") && text.contains("another program holds the file"), "{text}");
    assert!(text.contains("hits were dropped") && text.contains("(queue full)"), "{text}");

    drop(holder);
    tokio::task::block_in_place(|| common::until("it records again", || analytics.flush().is_ok()));
    let text = page().await;
    assert!(!text.contains("Recording is interrupted") && text.contains("(queue full)"), "{text}");
    let counters = analytics.counters();
    assert_eq!((counters.written + counters.dropped(), counters.dropped_queue_full), (2000, dropped));
    assert_eq!(common::total(&common::stored(directory.path())), counters.written);
}

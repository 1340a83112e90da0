//! One small app, and what is put around it to be compared.

pub mod questions;
pub mod raw_sql;
pub mod traffic;
pub mod year;

use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{Json, Router, body::Body, extract::Path, http::Request, response::Response, routing::get};
use axum_prometheus::PrometheusMetricLayer;
use http_body_util::BodyExt;
use serde::Serialize;
use tokio::runtime::Runtime;
use tower::{Service, util::MapResponseLayer};
use tower_analytics::{AnalyticsLayer, Batch, Error, Recorder, Sink, User};
use tower_http::trace::TraceLayer;

#[derive(Serialize)]
struct Item {
    id: u64,
    name: &'static str,
    price: u32,
    tags: [&'static str; 2],
}

async fn item(Path(id): Path<u64>) -> Json<Item> {
    Json(Item { id, name: "a small thing", price: 1299, tags: ["small", "blue"] })
}

/// The app without anything around it.
pub fn bare() -> Router {
    Router::new().route("/items/{id}", get(item))
}

/// A layer that does nothing but wrap the body and carry a pointer: what axum itself spends on any such layer.
pub fn nothing() -> Router {
    let pointer = Arc::new(());
    bare().layer(MapResponseLayer::new(move |response: Response| {
        let _carried = &pointer;
        response.map(|body| body.map_err(|error| error))
    }))
}

/// tower-http's `TraceLayer`, with nobody listening.
pub fn trace() -> Router {
    bare().layer(TraceLayer::new_for_http())
}

/// axum-prometheus. Its recorder is global, so it can be made once in a process, and inside a runtime.
pub fn prometheus() -> Router {
    let (layer, handle) = PrometheusMetricLayer::pair();
    bare().route("/metrics", get(|| async move { handle.render() })).layer(layer)
}

/// The app bare and with each layer, and the recorder of ours. Wants to be called inside a runtime.
pub fn all() -> ([(&'static str, Router); 5], Recorder) {
    let (ours, recorder) = analytics();
    let rows = [("bare", bare()), ("nothing", nothing()), ("analytics", ours), ("trace", trace()), ("prometheus", prometheus())];
    // A server does so too: else axum would build each route anew for every request.
    (rows.map(|(name, app)| (name, app.with_state(()))), recorder)
}

/// Ours, with a sink that keeps nothing. The recorder tells what was dropped.
pub fn analytics() -> (Router, Recorder) {
    let recorder = Recorder::start(Nowhere).expect("the system gives a thread");
    let layer = AnalyticsLayer::new(recorder.clone()).user(|head| head.header("x-user-id").map(User::new));
    (bare().layer(layer), recorder)
}

struct Nowhere;

impl Sink for Nowhere {
    fn write(&mut self, _: &Batch<'_>) -> Result<(), Error> {
        Ok(())
    }
}

/// A request as an app in a phone's browser sends it.
pub fn request(number: u64) -> Request<Body> {
    Request::get(format!("/items/{}", number % 100))
        .header("host", "shop.example.com")
        .header(
            "user-agent",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 Shop/2.4",
        )
        .header("accept", "application/json, text/plain, */*")
        .header("x-user-id", format!("u-{:05}", number % 1000))
        .header("x-app-version", "2.4.1")
        .header("x-platform", "web")
        .header("x-session-id", format!("4f9c2d1e-8a7b-4c3d-9e2f-{:012}", number % 1000))
        .body(Body::empty())
        .expect("a legal request")
}

/// Sends one request and reads the answer to its end.
pub async fn drive(app: &mut Router, request: Request<Body>) {
    let mut body = match app.call(request).await {
        Ok(response) => response.into_body(),
        Err(never) => match never {},
    };
    while body.frame().await.is_some() {}
}

/// What this process has in memory, in bytes; Linux.
pub fn memory() -> u64 {
    status("VmRSS:")
}

/// The most it ever had.
pub fn peak_memory() -> u64 {
    status("VmHWM:")
}

fn status(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or_default() << 10
}

/// The time an app takes for so many requests. A few at a time are made outside of it: a server has them in its cache too.
pub fn spent(runtime: &Runtime, app: &mut Router, requests: u64) -> Duration {
    const FEW: usize = 8;
    let mut few = Vec::with_capacity(FEW);
    let mut spent = Duration::ZERO;
    for start in (0..requests).step_by(FEW) {
        few.extend((start..requests).take(FEW).map(request));
        runtime.block_on(async {
            let start = Instant::now();
            for request in few.drain(..) {
                drive(black_box(app), request).await;
            }
            spent += start.elapsed();
        });
    }
    spent
}

//! A server to be saturated from outside: `saturate bare|analytics|prometheus PORT`. See `benches/saturate.sh`.

use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tower_analytics::{Analytics, User};
use tower_analytics_benches::{bare, prometheus};

#[tokio::main(worker_threads = 2)]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let variant = arguments.next().expect("a variant: bare, analytics or prometheus");
    let port: u16 = arguments.next().expect("a port").parse().expect("a port is a number");
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (app, analytics): (Router, Option<Analytics>) = match variant.as_str() {
        "bare" => (bare(), None),
        "prometheus" => (prometheus(), None),
        "analytics" => {
            let analytics = Analytics::builder(directory.path())
                .user(|head| head.header("x-user-id").map(User::new))
                .build()
                .expect("an empty directory can be opened");
            (bare().layer(analytics.layer()), Some(analytics))
        }
        other => panic!("no variant {other}"),
    };
    let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("the port is free");
    let stop = async { drop(tokio::signal::ctrl_c().await) };
    axum::serve(listener, app).with_graceful_shutdown(stop).await.expect("it serves");
    if let Some(analytics) = analytics {
        analytics.shutdown(Duration::from_secs(20)).expect("all is written");
        let counters = analytics.counters();
        let writer_us = counters.busy_us as f64 / counters.written.max(1) as f64;
        println!("{} hits written, {} dropped, writer {writer_us:.2} us a hit", counters.written, counters.dropped());
    }
}

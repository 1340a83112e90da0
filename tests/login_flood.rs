//! A flood of sign-ins takes neither the memory nor the threads of the service.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use axum::{Router, body::Body, extract::ConnectInfo, routing::get};
use hyper::{Request, StatusCode};
use tower::ServiceExt;
use tower_analytics::{Analytics, Auth, auth::Users};

const FLOOD: usize = 200;

/// The most that this process ever had in memory, in MiB.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() / 1024
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_sign_ins_at_once_hash_two_passwords_at_a_time() {
    let directory = tempfile::tempdir().unwrap();
    Users::open(directory.path()).unwrap().add("ann", "correct horse battery", ["admin"]).unwrap();
    let auth = Auth::builder().sign_in(directory.path()).build().unwrap();
    let analytics = Analytics::builder(directory.path()).public_url("https://stats.example.com").build().unwrap();
    let app = Router::new().route("/items", get(|| async { "items" })).merge(analytics.dashboard(auth)).layer(analytics.layer());
    let before = peak();
    let attempts: Vec<_> = (0..FLOOD)
        .map(|number| {
            let request = Request::builder()
                .method("POST")
                .uri("/analytics/login")
                .header("host", "stats.example.com")
                .header("sec-fetch-site", "same-origin")
                .header("content-type", "application/x-www-form-urlencoded")
                .header("x-forwarded-for", format!("10.0.{}.{}", number / 250, number % 250))
                .extension(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 4711))))
                .body(Body::from("username=ann&password=wrong+wrong"))
                .unwrap();
            let app = app.clone();
            tokio::spawn(async move { app.oneshot(request).await.unwrap().status() })
        })
        .collect();
    // What else the service does goes on meanwhile.
    let mut slowest = Duration::ZERO;
    while !attempts.iter().all(tokio::task::JoinHandle::is_finished) {
        let start = Instant::now();
        let answer = app.clone().oneshot(Request::builder().uri("/items").body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        slowest = slowest.max(start.elapsed());
        tokio::task::yield_now().await;
    }
    let (mut tried, mut busy) = (0, 0);
    for attempt in attempts {
        match attempt.await.unwrap() {
            StatusCode::UNAUTHORIZED => tried += 1,
            StatusCode::SERVICE_UNAVAILABLE => busy += 1,
            status => panic!("{status}"),
        }
    }
    assert!(tried >= 18 && tried + busy == FLOOD, "{tried} tried, {busy} told to come back");
    let grown = peak() - before;
    assert!(grown < 3 * 19 + 24, "{grown} MiB more, where two hashes take 38");
    assert!(slowest < Duration::from_millis(500), "another route waited {slowest:?}");
}

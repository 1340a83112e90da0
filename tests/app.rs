//! A user's first test.

use axum::{Router, body::Body, http::Request, routing::get};
use http_body_util::BodyExt;
use tower::ServiceExt;
use tower_analytics::{Analytics, Ask, User};

#[tokio::test(flavor = "multi_thread")]
async fn an_app_can_test_what_was_recorded() {
    let (analytics, clock) = Analytics::testing();
    let app: Router = Router::new().route("/items/{id}", get(|| async { "an item" })).layer(analytics.layer());
    let response = app.oneshot(Request::get("/items/7").extension(User::new("ann")).body(Body::empty()).unwrap()).await.unwrap();
    response.into_body().collect().await.unwrap();
    clock.advance(std::time::Duration::from_secs(1));
    analytics.flush().unwrap();
    let stats = analytics.reports().stats(&Ask::all_time()).unwrap();
    assert_eq!((stats.total_hits, stats.total_users, stats.total_sessions, stats.active_sessions), (1, 1, 1, 1));
    let endpoints = analytics.reports().endpoints(&Ask::all_time()).unwrap();
    assert_eq!((endpoints[0].method.as_str(), endpoints[0].route.as_str(), endpoints[0].hits), ("GET", "/items/{id}", 1));
    assert_eq!(analytics.reports().active_sessions().unwrap()[0].user_id.as_deref(), Some("ann"));
}

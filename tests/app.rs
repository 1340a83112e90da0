//! A user's first test.

use axum::{Router, body::Body, http::Request, routing::get};
use http_body_util::BodyExt;
use tower::ServiceExt;
use tower_analytics::{Analytics, Ask, Head, Role, User};

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
    assert_eq!((endpoints[0].endpoint.as_str(), endpoints[0].hits), ("GET /items/{id}", 1));
    assert_eq!(analytics.reports().active_sessions(&Ask::all_time()).unwrap().sessions[0].user_id.as_deref(), Some("ann"));
}

/// A merged router brings its fallback along if any layer was put on it.
#[tokio::test(flavor = "multi_thread")]
async fn the_dashboard_leaves_the_apps_own_404_alone_and_records_itself_never() {
    let (analytics, _clock) = Analytics::testing();
    let staff = |_: &Head<'_>| Some(Role::Mod);
    let app: Router = Router::new().route("/items", get(|| async { "items" })).merge(analytics.dashboard(staff)).layer(analytics.layer());
    for (path, status) in [("/nope", 404), ("/analytics", 200), ("/analytics/nope", 404), ("/items", 200)] {
        let response = app.clone().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), status, "{path}");
        assert_eq!(response.headers().contains_key("content-security-policy"), path == "/analytics", "{path}");
        response.into_body().collect().await.unwrap();
    }
    analytics.flush().unwrap();
    let rows = analytics.reports().endpoints(&Ask::all_time()).unwrap();
    let seen: Vec<_> = rows.iter().map(|row| (row.endpoint.as_str(), row.hits)).collect();
    assert_eq!(seen, [("(unmatched)", 2), ("GET /items", 1)]);
}

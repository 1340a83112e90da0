//! Addresses as people type them, with a slash at the end: they lead to the page, as closed as it is, and never elsewhere.

use axum::{Router, body::Body};
use http_body_util::BodyExt;
use hyper::{Request, Response, StatusCode, header};
use tower::ServiceExt;
use tower_analytics::{Analytics, Auth, Guard, Head, Role};

const SECRET: &str = "an example, and too well known to be a secret";

fn dashboard(guard: impl Guard) -> Router {
    let (analytics, _) = Analytics::testing();
    Router::new().merge(analytics.dashboard(guard))
}

fn as_a(role: Option<Role>) -> impl Guard {
    move |_: &Head<'_>| role
}

async fn ask(app: &Router, method: &str, uri: &str) -> Response<Body> {
    app.clone().oneshot(Request::builder().method(method).uri(uri).body(Body::empty()).unwrap()).await.unwrap()
}

async fn leads_to(app: &Router, uri: &str) -> Option<String> {
    let response = ask(app, "GET", uri).await;
    response.headers().get(header::LOCATION).map(|to| to.to_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slash_at_the_end_leads_to_the_page_with_its_query() {
    let app = dashboard(as_a(Some(Role::Mod)));
    assert_eq!(leads_to(&app, "/analytics/users/").await.unwrap(), "/analytics/users");
    assert_eq!(leads_to(&app, "/analytics/users/?days=7&user=a%2F").await.unwrap(), "/analytics/users?days=7&user=a%2F");
    assert_eq!(leads_to(&app, "/analytics/power-users/").await.unwrap(), "/analytics/power-users");
    let page = ask(&app, "GET", &leads_to(&app, "/analytics/settings/").await.unwrap()).await;
    assert_eq!(page.status(), StatusCode::OK);
    let page = ask(&app, "HEAD", "/analytics/users/").await;
    assert_eq!(page.status(), StatusCode::SEE_OTHER);
    assert!(page.headers().contains_key(header::CONTENT_SECURITY_POLICY));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_page_is_there_with_a_slash_too_so_that_no_proxy_leads_in_a_circle() {
    let app = dashboard(as_a(Some(Role::Mod)));
    let page = ask(&app, "GET", "/analytics/?days=7").await;
    assert_eq!(page.status(), StatusCode::OK);
    let text = page.into_body().collect().await.unwrap().to_bytes();
    let text = std::str::from_utf8(&text).unwrap();
    assert!(text.contains("<h1>Overview</h1>") && text.contains("href=\"/analytics/users?days=7\""), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_leads_there_where_the_pages_are_mounted_or_seen_elsewhere() {
    let nested = Router::new().nest("/admin", dashboard(as_a(Some(Role::Mod))));
    assert_eq!(leads_to(&nested, "/admin/analytics/users/?days=7").await.unwrap(), "/admin/analytics/users?days=7");
    assert_eq!(ask(&nested, "GET", "/admin/analytics/").await.status(), StatusCode::OK);
    let directory = tempfile::tempdir().unwrap();
    let analytics = Analytics::builder(directory.path()).base_path("/stats").public_url("https://example.com/ops/").build().unwrap();
    let seen = Router::new().merge(analytics.dashboard(as_a(Some(Role::Mod))));
    assert_eq!(leads_to(&seen, "/stats/users/?days=7").await.unwrap(), "/ops/stats/users?days=7");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_as_closed_as_the_page() {
    let paths = ["", "/users", "/settings", "/live", "/nothing"];
    for (role, status) in
        [(None, StatusCode::UNAUTHORIZED), (Some(Role::Anyone), StatusCode::FORBIDDEN), (Some(Role::User), StatusCode::FORBIDDEN)]
    {
        let app = dashboard(as_a(role));
        for path in paths {
            let response = ask(&app, "GET", &format!("/analytics{path}/")).await;
            let expected = if path == "/nothing" { StatusCode::NOT_FOUND } else { status };
            assert_eq!(response.status(), expected, "{path} as {role:?}");
            assert!(!response.headers().contains_key(header::LOCATION), "{path} as {role:?}");
        }
    }
    // A stranger signs in first, and comes back.
    let app = dashboard(Auth::hs256(SECRET).unwrap());
    assert_eq!(leads_to(&app, "/analytics/").await.unwrap(), "/analytics/login");
    let to = leads_to(&app, "/analytics/users/?days=7").await.unwrap();
    assert_eq!(to, "/analytics/login?next=%2Fanalytics%2Fusers%2F%3Fdays%3D7");
    assert_eq!(leads_to(&app, "/analytics/login/?next=%2Fanalytics%2Fusers").await.unwrap(), "/analytics/login?next=%2Fanalytics%2Fusers");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_pages_have_it_and_only_to_be_looked_at() {
    let app = dashboard(as_a(Some(Role::Admin)));
    for path in ["api/stats/", "api/health/", "users//", "nothing/"] {
        assert_eq!(ask(&app, "GET", &format!("/analytics/{path}")).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
    let form = Request::post("/analytics/login/").header("host", "localhost").header("sec-fetch-site", "same-origin");
    let auth = dashboard(Auth::hs256(SECRET).unwrap());
    let response = auth.oneshot(form.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_leads_to_no_other_site() {
    let below = Router::new().nest("/{tenant}", dashboard(as_a(Some(Role::Mod))));
    assert_eq!(leads_to(&below, "/\\evil.example/analytics/users/").await.unwrap(), "/%5Cevil.example/analytics/users");
    assert_eq!(leads_to(&below, "/%2F%2Fevil.example/analytics/users/").await.unwrap(), "/%2F%2Fevil.example/analytics/users");
    for strange in ["//evil.example/analytics/users/", "/analytics//evil.example/", "/analytics/\\evil.example/", "/analytics/users/%2F"] {
        assert_eq!(leads_to(&below, strange).await, None, "{strange}");
    }
    // Nor does the sign-in, for whoever is not known.
    let auth = Auth::hs256(SECRET).unwrap();
    let below = Router::new().nest("/{tenant}", dashboard(auth));
    assert_eq!(leads_to(&below, "/\\evil.example/analytics").await.unwrap(), "/%5Cevil.example/analytics/login");
}

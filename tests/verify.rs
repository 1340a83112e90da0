//! The route that proxies ask: what it answers to every request, and what stands in its headers.

mod common;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, UNIX_EPOCH},
};

use axum::{Router, body::Body, routing::get};
use common::signing::{Signer, jwks, with};
use hyper::{HeaderMap, Request, StatusCode, header};
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tower::ServiceExt;
use tower_analytics::{
    Analytics, Auth, Clock, Error, ErrorKind, Skip, Verify,
    auth::{AuthBuilder, AuthConfig, Issuer, Policy, Secret},
};

const NOW: u64 = 1_800_000_000;
const SECRET: &str = "0123456789abcdef0123456789abcdef-a-secret-of-the-tests";
const PLAIN: &str = "Bearer realm=\"analytics\"";
const INVALID: &str = "Bearer realm=\"analytics\", error=\"invalid_token\"";

static SIGNER: LazyLock<Signer> = LazyLock::new(|| Signer::secret("h1", Algorithm::HS256, SECRET.as_bytes()));

fn clock() -> Clock {
    Clock::manual(UNIX_EPOCH + Duration::from_secs(NOW))
}

fn issuer() -> Issuer {
    let mut issuer = Issuer::new("https://id.example.com", ["tower-analytics"]);
    issuer.algorithms = vec!["HS256".to_owned()];
    issuer.keys.hmacs.insert("h1".to_owned(), Secret::new(SECRET));
    issuer.role_paths = vec!["roles".into()];
    issuer.role_map = ["admin", "mod", "z-role", "a-role"].map(|role| (role.to_owned(), role.to_owned())).into();
    issuer
}

fn builder() -> AuthBuilder {
    Auth::builder().issuer(issuer()).clock(clock())
}

fn claims(changes: &Value) -> Value {
    with(
        &json!({"iss": "https://id.example.com", "aud": "tower-analytics", "sub": "ann", "iat": NOW, "exp": NOW + 600, "roles": ["mod"]}),
        changes,
    )
}

fn token() -> String {
    SIGNER.token(&claims(&json!({})))
}

struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
    is_skipped: bool,
}

impl Reply {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

async fn ask(app: &Router, request: Request<Body>) -> Reply {
    let response = app.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
    let reply = Reply { status: parts.status, headers: parts.headers, body, is_skipped: parts.extensions.get::<Skip>().is_some() };
    if reply.is_skipped {
        // What every answer of the route is like.
        assert!(reply.body.is_empty());
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        assert!(reply.header("vary").unwrap().starts_with("Authorization, Cookie"));
        assert_eq!(reply.header("content-length"), Some("0"));
        let names: Vec<&str> = reply.headers.keys().map(header::HeaderName::as_str).collect();
        assert!(names.iter().position(|name| *name == "x-accel-expires") < names.iter().position(|name| *name == "cache-control"));
        for never in ["set-cookie", "location", "etag", "content-encoding", "content-range"] {
            assert!(!reply.headers.contains_key(never), "{never}");
        }
    }
    reply
}

type Headers<'a> = &'a [(&'a str, &'a str)];

fn request(policy: &str, headers: Headers<'_>) -> Request<Body> {
    let mut request = Request::builder().uri(format!("/analytics/auth/verify/{policy}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::empty()).unwrap()
}

fn app(auth: Auth) -> Router {
    Router::new().merge(Verify::new(auth)).fallback(get(|| async { "the app's own page" }))
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

#[tokio::test]
async fn outcomes_have_their_status_and_challenge() {
    let app = app(builder().build().unwrap());
    let expired = SIGNER.token(&claims(&json!({"exp": NOW - 100, "iat": NOW - 200})));
    let forbidden = "Bearer realm=\"analytics\", error=\"insufficient_scope\", scope=\"admin\"";
    for (what, policy, value, status, challenge) in [
        ("good", "any", Some(bearer(&token())), StatusCode::OK, None),
        ("good, for the default", "default", Some(bearer(&token())), StatusCode::OK, None),
        ("none", "any", None, StatusCode::UNAUTHORIZED, Some(PLAIN)),
        ("bad", "any", Some("Bearer x".to_owned()), StatusCode::UNAUTHORIZED, Some(INVALID)),
        ("expired", "any", Some(bearer(&expired)), StatusCode::UNAUTHORIZED, Some(INVALID)),
        ("of another role", "admin", Some(bearer(&token())), StatusCode::FORBIDDEN, Some(forbidden)),
    ] {
        let headers: Vec<(&str, &str)> = value.iter().map(|value| ("authorization", &**value)).collect();
        let reply = ask(&app, request(policy, &headers)).await;
        assert_eq!((reply.status, reply.header("www-authenticate")), (status, challenge), "{what}");
        assert!(reply.is_skipped, "{what}");
        assert_eq!(reply.header("x-accel-expires"), Some("0"), "{what}");
        assert_eq!(reply.headers.contains_key("x-auth-subject"), status == StatusCode::OK, "{what}");
    }
    let alone = Request::builder().uri("/analytics/auth/verify").header("authorization", bearer(&token())).body(Body::empty()).unwrap();
    assert_eq!(ask(&app, alone).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_client_is_told_that_its_token_expired_if_the_settings_say_so() {
    let mut config = AuthConfig::default();
    config.oauth_error_description = true;
    let app = app(Auth::builder().config(config).issuer(issuer()).clock(clock()).build().unwrap());
    let expired = SIGNER.token(&claims(&json!({"exp": NOW - 100, "iat": NOW - 200})));
    let reply = ask(&app, request("any", &[("authorization", &bearer(&expired))])).await;
    assert_eq!(reply.header("www-authenticate"), Some(&*format!("{INVALID}, error_description=\"token expired\"")));
    let reply = ask(&app, request("any", &[("authorization", "Bearer x")])).await;
    assert_eq!(reply.header("www-authenticate"), Some(INVALID));
}

#[tokio::test]
async fn a_token_is_taken_from_one_place_and_one_place_only() {
    let good = token();
    let app = app(builder().jwt_cookie("app_jwt").build().unwrap());
    let (cookie, bad_cookie, other_case) = (format!("app_jwt={good}"), "app_jwt=x".to_owned(), format!("App_JWT={good}"));
    let (twice, same_twice) = (format!("app_jwt={good}; app_jwt=x"), format!("a=b; app_jwt={good}; app_jwt={good}"));
    let (two_spaces, two_words, tab) = (format!("Bearer  {good}"), format!("Bearer {good} y"), format!("Bearer\t{good}"));
    let (lower, upper, comma) = (format!("bearer {good}"), format!("BEARER {good}"), format!("Bearer,{good}"));
    let (plain, long) = (bearer(&good), bearer(&"a".repeat(64 << 10)));
    let ok = StatusCode::OK;
    let no = StatusCode::UNAUTHORIZED;
    let table: [(&str, Headers<'_>, StatusCode); 26] = [
        ("in Authorization", &[("authorization", &plain)], ok),
        ("in lower case", &[("authorization", &lower)], ok),
        ("in upper case", &[("authorization", &upper)], ok),
        ("two lines", &[("authorization", &plain), ("authorization", &plain)], no),
        ("two lines, and a good cookie", &[("authorization", &plain), ("authorization", "Basic x"), ("cookie", &cookie)], no),
        ("the scheme alone", &[("authorization", "Bearer")], no),
        ("the scheme and a space", &[("authorization", "Bearer ")], no),
        ("two spaces", &[("authorization", &two_spaces)], no),
        ("two words", &[("authorization", &two_words)], no),
        ("a tab", &[("authorization", &tab)], no),
        ("a comma", &[("authorization", &comma)], no),
        ("64 KiB", &[("authorization", &long)], no),
        ("another scheme and a good cookie", &[("authorization", "Basic eDp5"), ("cookie", &cookie)], ok),
        ("Token and a good cookie", &[("authorization", "Token abc"), ("cookie", &cookie)], ok),
        ("Digest and a good cookie", &[("authorization", "Digest a=b"), ("cookie", &cookie)], ok),
        ("another scheme alone", &[("authorization", "Basic eDp5")], no),
        ("a longer scheme", &[("authorization", "Bearers x")], no),
        ("a bad one, and a good cookie", &[("authorization", "Bearer x"), ("cookie", &cookie)], no),
        ("a good one, and a bad cookie", &[("authorization", &plain), ("cookie", &bad_cookie)], ok),
        ("the cookie", &[("cookie", &cookie)], ok),
        ("the cookie on a second line", &[("cookie", "a=b"), ("cookie", &cookie)], ok),
        ("the cookie twice, with two values", &[("cookie", &twice)], no),
        ("the cookie on two lines, with two values", &[("cookie", &cookie), ("cookie", &bad_cookie)], no),
        ("the cookie twice, the same", &[("cookie", &same_twice)], ok),
        ("a cookie of another case", &[("cookie", &other_case)], no),
        ("a header of a gateway that is not in the settings", &[("x-forwarded-access-token", &good), ("x-id-token", &good)], no),
    ];
    for (what, headers, status) in table {
        assert_eq!(ask(&app, request("any", headers)).await.status, status, "{what}");
    }
    for place in [format!("any?access_token={good}"), format!("any?token={good}"), format!("any;{good}")] {
        assert_ne!(ask(&app, request(&place, &[("referer", &format!("https://example.com/?access_token={good}"))])).await.status, ok);
    }
}

#[tokio::test]
async fn a_gateways_header_counts_where_the_settings_name_it() {
    let mut config = AuthConfig::default();
    config.extra_token_headers = vec!["X-Id-Token".to_owned()];
    let app = app(Auth::builder().config(config).issuer(issuer()).clock(clock()).build().unwrap());
    let reply = ask(&app, request("any", &[("x-id-token", &token())])).await;
    // A cache that does not know the header would give everybody the first one's answer.
    assert_eq!((reply.status, reply.header("vary")), (StatusCode::OK, Some("Authorization, Cookie, X-Id-Token")));
    for headers in [&[("x-id-token", "x")][..], &[("x-id-token", &token()), ("x-id-token", &token())], &[("x-id-token", &bearer(&token()))]]
    {
        assert_eq!(ask(&app, request("any", headers)).await.status, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn what_else_a_request_says_changes_nothing() {
    let app = app(builder().build().unwrap());
    let good = bearer(&token());
    for (name, value) in [
        ("if-none-match", "*"),
        ("if-modified-since", "Thu, 01 Jan 2037 00:00:00 GMT"),
        ("if-match", "\"x\""),
        ("range", "bytes=0-0"),
        ("expect", "100-continue"),
        ("accept-encoding", "gzip, br"),
        ("upgrade", "websocket"),
        ("x-original-uri", "/admin"),
        ("x-original-method", "OPTIONS"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-user", "admin"),
        ("x-auth-subject", "admin"),
        ("x-auth-roles", "admin"),
        ("x_auth_subject", "admin"),
        ("x-required-role", "none"),
        ("x-http-method-override", "DELETE"),
    ] {
        let reply = ask(&app, request("any", &[("authorization", &good), (name, value)])).await;
        assert_eq!(
            (reply.status, reply.header("x-auth-subject"), reply.header("x-auth-roles")),
            (StatusCode::OK, Some("ann"), Some("mod")),
            "{name}"
        );
        assert_eq!(ask(&app, request("admin", &[("authorization", &good), (name, value)])).await.status, StatusCode::FORBIDDEN, "{name}");
        let reply = ask(&app, request("any", &[(name, value)])).await;
        assert_eq!((reply.status, reply.header("www-authenticate")), (StatusCode::UNAUTHORIZED, Some(PLAIN)), "{name}");
    }
}

#[tokio::test]
async fn a_policy_that_is_not_there_is_found_at_once() {
    let app = app(builder().build().unwrap());
    for policy in ["none", "", "ANY", "any/", "any/x", "..%2fany", "%61ny", "any%00", "any%20", "default/", "..", "./any", "any;x"] {
        let reply = ask(&app, request(policy, &[("authorization", &bearer(&token()))])).await;
        assert_eq!((reply.status, reply.is_skipped), (StatusCode::NOT_FOUND, true), "{policy:?} must not reach what the app answers");
    }
}

#[tokio::test]
async fn only_get_and_head_are_answered_and_no_body_is_read() {
    let app = app(builder().build().unwrap());
    for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"] {
        let was_read = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&was_read);
        let body = Body::from_stream(futures_util::stream::poll_fn(move |_| {
            seen.store(true, Ordering::Relaxed);
            std::task::Poll::Ready(Some(Ok::<_, std::io::Error>(vec![0_u8; 1 << 20])))
        }));
        let request = Request::builder().method(method).uri("/analytics/auth/verify/any").header("authorization", bearer(&token()));
        let reply = ask(&app, request.body(body).unwrap()).await;
        assert_eq!((reply.status, reply.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, Some("GET, HEAD")), "{method}");
        assert!(reply.is_skipped && !was_read.load(Ordering::Relaxed), "{method}");
    }
    let head = Request::builder().method("HEAD").uri("/analytics/auth/verify/any").header("authorization", bearer(&token()));
    let head = ask(&app, head.body(Body::empty()).unwrap()).await;
    let get = ask(&app, request("any", &[("authorization", &bearer(&token()))])).await;
    assert_eq!((head.status, head.headers), (get.status, get.headers));
}

#[tokio::test]
async fn headers_say_who_it_is_in_a_form_that_cannot_be_mistaken() {
    let mut config = AuthConfig::default();
    config.claims_to_headers = [("email", "X-Auth-Email"), ("groups", "X-Auth-Groups"), ("none", "X-Auth-None"), ("a.b", "X-Auth-Deep")]
        .map(|(claim, header)| (claim.to_owned(), header.to_owned()))
        .into();
    let app = app(Auth::builder().config(config).issuer(issuer()).clock(clock()).build().unwrap());
    let changes = json!({"sub": "Zoë, 100%\"\\;", "jti": "j 1", "roles": ["z-role", "mod", "a-role", "unknown"], "email": "zoë@example.com\r\nx: y",
        "groups": ["a,b", "c", 5], "a": {"b": 7}});
    let reply = ask(&app, request("any", &[("authorization", &bearer(&SIGNER.token(&claims(&changes))))])).await;
    let expires = (NOW + 600).to_string();
    let expected = [
        ("x-auth-subject", "Zo%C3%AB%2C%20100%25%22%5C%3B"),
        ("x-auth-issuer", "https://id.example.com"),
        ("x-auth-roles", "a-role,mod,z-role"),
        ("x-auth-method", "jwt"),
        ("x-auth-expires", &expires),
        ("x-auth-token-id", "j%201"),
        ("x-auth-email", "zo%C3%AB@example.com%0D%0Ax:%20y"),
        ("x-auth-groups", "a%2Cb,c"),
        ("x-auth-none", ""),
        ("x-auth-deep", "7"),
    ];
    for (name, value) in expected {
        assert_eq!(reply.header(name), Some(value), "{name}");
    }
}

#[tokio::test]
async fn headers_stay_below_what_proxies_take() {
    let mut config = AuthConfig::default();
    config.claims_to_headers.insert("long".to_owned(), "X-Auth-Long".to_owned());
    let mut issuer = issuer();
    issuer.role_map = (0..60).map(|at| (format!("role-{at}"), format!("role-{at}"))).collect();
    let app = app(Auth::builder().config(config).issuer(issuer).clock(clock()).build().unwrap());
    let roles: Vec<String> = (0..200).map(|at| format!("role-{at}")).collect();
    let changes = json!({"roles": roles, "long": "x".repeat(2500), "sub": "s".repeat(300)});
    let reply = ask(&app, request("any", &[("authorization", &bearer(&SIGNER.token(&claims(&changes))))])).await;
    let size: usize = reply
        .headers
        .iter()
        .filter(|(name, _)| name.as_str().starts_with("x-auth"))
        .map(|(name, value)| name.as_str().len() + value.len() + 4)
        .sum();
    assert!(reply.status == StatusCode::OK && size <= 3072, "{size}");
    assert_eq!(reply.header("x-auth-long"), Some(""), "what is optional goes first");
    let changes = json!({"sub": "ë".repeat(512)});
    let reply = ask(&app, request("any", &[("authorization", &bearer(&SIGNER.token(&claims(&changes))))])).await;
    assert_eq!(reply.status, StatusCode::INTERNAL_SERVER_ERROR, "a subject that fits in no header is nobody");
    assert!(!reply.headers.contains_key("x-auth-subject"));
}

#[tokio::test]
async fn whom_a_policy_lets_in_without_a_token_is_nobody() {
    let mut policy = Policy::default();
    policy.anonymous = true;
    let app = app(builder().policy("open", policy).build().unwrap());
    let reply = ask(&app, request("open", &[("x-auth-subject", "admin")])).await;
    assert_eq!((reply.status, reply.header("x-auth-method")), (StatusCode::OK, Some("anonymous")));
    for name in ["x-auth-subject", "x-auth-issuer", "x-auth-roles", "x-auth-expires", "x-auth-token-id"] {
        assert_eq!(reply.header(name), Some(""), "{name}");
    }
    assert_eq!(ask(&app, request("open", &[("authorization", "Bearer x")])).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(ask(&app, request("open", &[("authorization", &bearer(&token()))])).await.header("x-auth-subject"), Some("ann"));
}

#[tokio::test]
async fn policies_ask_for_roles_scopes_and_hosts() {
    let mut all = Policy::default();
    all.all_of = vec!["a-role".to_owned(), "z-role".to_owned()];
    let mut scopes = Policy::default();
    scopes.scopes_all = vec!["read".to_owned(), "write".to_owned()];
    let mut hosts = Policy::default();
    hosts.hosts = vec!["stats.example.com".to_owned()];
    let app = app(builder().policy("all", all).policy("scopes", scopes).policy("hosts", hosts).build().unwrap());
    let (ok, no) = (StatusCode::OK, StatusCode::FORBIDDEN);
    for (policy, changes, host, status) in [
        ("all", json!({"roles": ["a-role", "z-role"]}), "", ok),
        ("all", json!({"roles": ["a-role"]}), "", no),
        ("all", json!({"roles": ["admin"]}), "", no),
        ("mod", json!({"roles": ["admin"]}), "", ok),
        ("admin", json!({"roles": ["mod"]}), "", no),
        ("scopes", json!({"scope": "write x read"}), "", ok),
        ("scopes", json!({"scope": "read"}), "", no),
        ("scopes", json!({"scope": ["read", "write"]}), "", no),
        ("scopes", json!({}), "", no),
        ("hosts", json!({}), "stats.example.com", ok),
        ("hosts", json!({}), "stats.example.com.evil.example", no),
        ("hosts", json!({}), "evil.example/stats.example.com", no),
        ("hosts", json!({}), "STATS.example.com", no),
        ("hosts", json!({}), "", no),
    ] {
        let authorization = bearer(&SIGNER.token(&claims(&changes)));
        let headers: &[(&str, &str)] =
            if host.is_empty() { &[("authorization", &authorization)] } else { &[("authorization", &authorization), ("host", host)] };
        assert_eq!(ask(&app, request(policy, headers)).await.status, status, "{policy} {changes} {host}");
    }
}

#[tokio::test]
async fn nginx_may_keep_an_answer_no_longer_than_the_token_lives() {
    let app = app(builder().nginx_cache_ttl(Duration::from_secs(60)).build().unwrap());
    for (exp, kept) in [(600, "60"), (7, "7"), (-10, "0")] {
        let token = SIGNER.token(&claims(&json!({"exp": NOW as i64 + exp, "iat": NOW - 100})));
        let reply = ask(&app, request("any", &[("authorization", &bearer(&token))])).await;
        assert_eq!((reply.status, reply.header("x-accel-expires")), (StatusCode::OK, Some(kept)), "{exp}");
    }
    for (policy, headers) in [("any", vec![]), ("admin", vec![("authorization", bearer(&token()))])] {
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, &**value)).collect();
        assert_eq!(ask(&app, request(policy, &headers)).await.header("x-accel-expires"), Some("0"));
    }
}

#[tokio::test]
async fn without_keys_or_revocations_nobody_can_be_judged() {
    let mut fetched = issuer();
    fetched.keys = tower_analytics::auth::Keys::default();
    fetched.algorithms.clear();
    let down = || -> Result<Vec<u8>, Error> { Err(Error::new(ErrorKind::Config, "the host is down")) };
    let no_keys = Auth::builder().issuer(fetched).fetcher("https://id.example.com", down).clock(clock()).build().unwrap();
    let broken = builder().revoked(|_| Err(Error::new(ErrorKind::Storage, "the list cannot be read"))).build().unwrap();
    let panics = builder().revoked(|_| panic!("a list that panics")).build().unwrap();
    let token = SIGNER.token(&claims(&json!({"jti": "j"})));
    for auth in [no_keys, broken, panics] {
        let app = app(auth);
        let reply = ask(&app, request("any", &[("authorization", &bearer(&token))])).await;
        assert_eq!((reply.status, reply.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, Some("5")));
        assert_eq!(ask(&app, request("any", &[])).await.status, StatusCode::UNAUTHORIZED, "nothing needs no key");
    }
}

#[tokio::test]
async fn what_is_revoked_while_cached_is_refused_at_once() {
    let signer = Signer::ed("d1");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), jwks([&signer])).unwrap();
    let mut issuer = issuer();
    issuer.keys = tower_analytics::auth::Keys::default();
    issuer.keys.jwks_file = Some(file.path().to_owned());
    issuer.algorithms.clear();
    let (asked, revoked) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::<String>::new())));
    let (count, list) = (Arc::clone(&asked), Arc::clone(&revoked));
    let auth = Auth::builder().issuer(issuer).clock(clock()).revoked(move |who| {
        count.fetch_add(1, Ordering::Relaxed);
        Ok(list.lock().unwrap().iter().any(|id| who.token_id() == Some(id)))
    });
    let app = app(auth.build().unwrap());
    let token = bearer(&signer.token(&claims(&json!({"jti": "j-1"}))));
    for _ in 0..3 {
        assert_eq!(ask(&app, request("any", &[("authorization", &token)])).await.status, StatusCode::OK);
    }
    revoked.lock().unwrap().push("j-1".to_owned());
    assert_eq!(ask(&app, request("any", &[("authorization", &token)])).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(asked.load(Ordering::Relaxed), 4, "cached or not, the list is asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auth_is_a_guard_of_the_pages_and_brings_the_route_along() {
    let (analytics, clock) = Analytics::testing();
    clock.set(UNIX_EPOCH + Duration::from_secs(NOW));
    let auth = Auth::builder().issuer(issuer()).clock(clock).build().unwrap();
    let app = Router::new()
        .merge(analytics.dashboard(auth))
        .layer(analytics.layer())
        .layer(axum::middleware::map_response(async |r: axum::response::Response| r));
    let ask = async |path: &str, roles: Option<Value>| {
        let mut request = Request::builder().uri(path);
        if let Some(roles) = roles {
            request = request.header("authorization", bearer(&SIGNER.token(&claims(&json!({"roles": roles})))));
        }
        app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap().status()
    };
    for path in ["/analytics", "/analytics/api/stats", "/analytics/auth/verify"] {
        let to_strangers = if path == "/analytics" { StatusCode::SEE_OTHER } else { StatusCode::UNAUTHORIZED };
        assert_eq!(ask(path, None).await, to_strangers, "{path}");
        assert_eq!(ask(path, Some(json!([]))).await, StatusCode::FORBIDDEN, "{path}");
        assert_eq!(ask(path, Some(json!(["mod"]))).await, StatusCode::OK, "{path}");
        assert_eq!(ask(path, Some(json!(["admin"]))).await, StatusCode::OK, "{path}");
    }
    analytics.flush().unwrap();
    assert_eq!(analytics.reports().stats(&tower_analytics::Ask::all_time()).unwrap().total_hits, 0, "our own routes are no traffic");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auth_says_whose_hit_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let clock = clock();
    let auth = Auth::builder().issuer(issuer()).clock(clock.clone()).build().unwrap();
    let analytics = Analytics::builder(directory.path()).clock(clock).user(auth.user()).build().unwrap();
    let app = Router::new().route("/items", get(|| async { "items" })).layer(analytics.layer());
    for authorization in [bearer(&token()), "Bearer x".to_owned()] {
        let request = Request::builder().uri("/items").header("authorization", authorization).body(Body::empty()).unwrap();
        let _body = axum::body::to_bytes(app.clone().oneshot(request).await.unwrap().into_body(), 100).await.unwrap();
    }
    let counted = tokio::task::spawn_blocking(move || {
        analytics.flush().unwrap();
        analytics.reports().stats(&tower_analytics::Ask::all_time()).unwrap()
    });
    let stats = counted.await.unwrap();
    assert_eq!(stats.total_hits, 2);
    assert_eq!(stats.total_users, 1);
}

/// The head of an answer, line by line in the order in which it came.
async fn raw(app: Router, request: &str) -> Vec<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let read = async {
        let mut buffer = [0; 4096];
        while !answer.windows(4).any(|window| window == b"\r\n\r\n") {
            let count = socket.read(&mut buffer).await.unwrap();
            assert!(count > 0, "closed before the head was over");
            answer.extend_from_slice(&buffer[..count]);
        }
    };
    tokio::time::timeout(Duration::from_secs(30), read).await.unwrap();
    String::from_utf8(answer).unwrap().trim_end().lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn on_the_wire_the_order_is_the_one_that_old_nginx_needs() {
    let good = bearer(&token());
    let app = app(builder().nginx_cache_ttl(Duration::from_secs(5)).build().unwrap());
    for (version, extra) in [("1.0", ""), ("1.1", "Expect: 100-continue\r\nContent-Length: 10000000\r\n")] {
        let request = format!(
            "GET /analytics/auth/verify/any HTTP/{version}\r\nHost: x\r\nConnection: close\r\nAuthorization: {good}\r\n{extra}\r\n"
        );
        let lines = raw(app.clone(), &request).await;
        assert!(lines[0].ends_with("200 OK"), "{lines:?}");
        let at = |start: &str| {
            lines.iter().position(|line| line.to_lowercase().starts_with(start)).unwrap_or_else(|| panic!("{start} in {lines:?}"))
        };
        assert!(at("x-accel-expires: 5") < at("cache-control: no-store"));
        assert_eq!(lines.iter().filter(|line| line.to_lowercase().starts_with("content-length:")).count(), 1, "{lines:?}");
    }
    let upload =
        format!("POST /analytics/auth/verify/any HTTP/1.1\r\nHost: x\r\nAuthorization: {good}\r\nContent-Length: 10000000\r\n\r\nabc");
    assert!(raw(app, &upload).await[0].contains("405"));
}

#[tokio::test]
async fn over_http_2_it_is_the_same() {
    use hyper_util::rt::{TokioExecutor, TokioIo};
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut policy = Policy::default();
    policy.hosts = vec!["stats.example.com".to_owned()];
    let app = app(builder().policy("hosts", policy).build().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    let io = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let (mut client, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    let request = Request::builder().uri("http://stats.example.com/analytics/auth/verify/hosts").header("authorization", bearer(&token()));
    let response = client.send_request(request.body(http_body_util::Empty::<hyper::body::Bytes>::new()).unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["x-auth-subject"], "ann");
}

#[test]
fn nothing_that_is_printed_holds_a_secret_or_a_token() {
    let auth = Auth::hs256(SECRET).unwrap();
    let token = token();
    let mut config = AuthConfig::default();
    config.issuer.push(issuer());
    let builder = Auth::builder().config(config.clone());
    let verify = Verify::new(auth.clone());
    let refused = auth.verify(&format!("{token}x")).unwrap_err();
    let short = Auth::hs256(&SECRET[..20]).unwrap_err();
    let seen = builder.build().unwrap().verify(&SIGNER.token(&claims(&json!({"exp": 1}))));
    let printed = format!(
        "{auth:?} {:?} {config:?} {verify:?} {refused:?} {refused} {short:?} {short} {seen:?} {}",
        Auth::builder().config(config.clone()),
        serde_json::to_string(&config).unwrap()
    );
    for part in [SECRET, &SECRET[..12], &token, token.rsplit('.').next().unwrap()] {
        assert!(!printed.contains(part), "{printed}");
    }
    let _: BTreeMap<String, Policy> = config.policy;
}

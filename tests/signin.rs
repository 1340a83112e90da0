//! Signing in as browsers do it, and as those who should not get in try it. The numbers name the adversarial cases of the design.

mod common;

use std::{
    net::SocketAddr,
    time::{Duration, UNIX_EPOCH},
};

use axum::{Router, body::Body, extract::ConnectInfo};
use common::signing::Signer;
use hyper::{HeaderMap, Method, Request, StatusCode, header};
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;
use tower_analytics::{
    Analytics, Auth, Clock,
    auth::{AuthBuilder, Issuer, Login, Secret, Users},
};

const NOW: u64 = 1_800_000_000;
const PASSWORD: &str = "correct horse battery";
const SECRET: &str = "0123456789abcdef0123456789abcdef-a-secret-of-the-tests";
const COOKIE: &str = "__Host-analytics_session";
/// What a browser says of a form of our own page.
const OURS: (&str, &str) = ("sec-fetch-site", "same-origin");

struct Server {
    app: Router,
    clock: Clock,
    directory: TempDir,
    /// Keeps the directory's lock.
    _analytics: Analytics,
}

/// A token of the app that shares our secret.
fn token(claims: &Value) -> String {
    let signer = Signer::secret("", Algorithm::HS256, SECRET.as_bytes());
    let claims = common::signing::with(&json!({"user": "eve", "role": "mod", "exp": NOW + 9_000_000}), claims);
    format!("Bearer {}", signer.with_header(&json!({"alg": "HS256"}), &claims))
}

struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Reply {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{}: {}", self.status, self.body))
    }

    /// The session's cookie as a browser would send it back.
    fn cookie(&self) -> Option<String> {
        let line = self.header("set-cookie")?;
        Some(line.split(';').next().unwrap().to_owned())
    }
}

fn users(directory: &TempDir) -> Users {
    Users::open(directory.path()).unwrap()
}

impl Server {
    /// With an admin `ann`, a moderator `ben`, a `guest` whose role opens nothing here, and `nil` without any role.
    fn new() -> Self {
        Self::with(|auth| auth)
    }

    fn with(change: impl FnOnce(AuthBuilder) -> AuthBuilder) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let users = users(&directory);
        for (name, roles) in [("ann", &["admin"][..]), ("ben", &["mod"]), ("guest", &["reader"]), ("nil", &[])] {
            users.add(name, PASSWORD, roles.iter().copied()).unwrap();
        }
        let clock = Clock::manual(UNIX_EPOCH + Duration::from_secs(NOW));
        let issuer = Issuer::shared_secret("HS256", Secret::new(SECRET));
        let auth = change(Auth::builder().issuer(issuer).max_token_lifetime(Duration::ZERO).clock(clock.clone()).sign_in(directory.path()))
            .build()
            .unwrap();
        let analytics = Analytics::builder(directory.path()).clock(clock.clone()).public_url("https://stats.example.com").build().unwrap();
        let app = Router::new().merge(analytics.dashboard(auth)).layer(analytics.layer());
        Self { app, clock, directory, _analytics: analytics }
    }

    async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Reply {
        let mut request = Request::builder().method(method).uri(format!("/analytics{path}")).header("host", "stats.example.com");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let peer = headers.iter().find(|(name, _)| *name == "x-test-peer").map_or("127.0.0.1", |(_, peer)| peer);
        request = request.extension(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 4711)));
        let response = self.app.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        Reply { status: parts.status, headers: parts.headers, body: String::from_utf8(body.to_vec()).unwrap() }
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        self.send(Method::GET, path, headers, Body::empty()).await
    }

    async fn form(&self, path: &str, headers: &[(&str, &str)], fields: &[(&str, &str)]) -> Reply {
        let body: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let mut all = vec![("content-type", "application/x-www-form-urlencoded")];
        all.extend_from_slice(headers);
        self.send(Method::POST, path, &all, body).await
    }

    async fn sign_in(&self, name: &str, password: &str) -> Reply {
        self.form("/login", &[OURS], &[("username", name), ("password", password)]).await
    }

    /// The cookie of somebody who is in.
    async fn cookie_of(&self, name: &str) -> String {
        self.clock.advance(Duration::from_secs(10)); // not too many at once
        let reply = self.sign_in(name, PASSWORD).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
        reply.cookie().unwrap()
    }
}

#[tokio::test]
async fn a_success_is_a_303_with_exactly_this_cookie() {
    let server = Server::new();
    let reply =
        server.form("/login", &[OURS], &[("username", "ann"), ("password", PASSWORD), ("next", "/analytics/api/stats?days=7")]).await;
    assert_eq!((reply.status, reply.header("location")), (StatusCode::SEE_OTHER, Some("/analytics/api/stats?days=7")));
    let line = reply.header("set-cookie").unwrap();
    let token =
        line.strip_prefix("__Host-analytics_session=an1_").unwrap().strip_suffix("; Path=/; Secure; HttpOnly; SameSite=Lax").unwrap();
    assert_eq!(token.len(), 43, "32 bytes in base64url");
    let cookie = reply.cookie().unwrap();
    for path in ["", "/api/stats", "/api/auth/session", "/auth/verify/admin"] {
        assert_eq!(server.get(path, &[("cookie", &cookie)]).await.status, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn failures_76_are_the_same_page_whatever_is_wrong() {
    let server = Server::new();
    users(&server.directory).add("out", PASSWORD, ["admin"]).unwrap();
    users(&server.directory).set_disabled("out", true).unwrap();
    let mut pages = Vec::new();
    for (name, password) in [("ann", "wrong wrong"), ("nobody", PASSWORD), ("out", PASSWORD), ("nil", PASSWORD), ("", "")] {
        server.clock.advance(Duration::from_secs(60));
        let reply = server.sign_in(name, password).await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
        assert!(reply.header("www-authenticate").unwrap().starts_with("Bearer realm="));
        assert!(reply.cookie().is_none());
        let headers: Vec<_> =
            reply.headers.iter().filter(|(name, _)| *name != header::CONTENT_LENGTH).map(|pair| format!("{pair:?}")).collect();
        // The name is filled in again, and the cursor goes to what is missing.
        pages.push((headers, reply.body.replace(&format!("value=\"{name}\""), "value=\"\"").replace(" autofocus", "")));
    }
    assert!(pages.windows(2).all(|pair| pair[0] == pair[1]), "{pages:#?}");
}

/// Welch's t of two samples, without their slowest tenth, which is the machine's doing.
fn welch(a: &mut [f64], b: &mut [f64]) -> f64 {
    let of = |sample: &mut [f64]| {
        sample.sort_by(f64::total_cmp);
        let kept = &sample[..sample.len() * 9 / 10];
        let (count, mean) = (kept.len() as f64, kept.iter().sum::<f64>() / kept.len() as f64);
        (mean, kept.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (count - 1.0) / count)
    };
    let ((mean_a, var_a), (mean_b, var_b)) = (of(a), of(b));
    (mean_a - mean_b).abs() / (var_a + var_b).sqrt()
}

#[tokio::test]
async fn failures_76_take_the_same_time_whether_there_is_such_a_user_or_not() {
    let server = Server::new();
    let mut smallest = f64::MAX;
    // Something else may have had the machine during one round; not during each.
    for round in 0..5 {
        let mut times = [Vec::new(), Vec::new()];
        for attempt in 0..40 {
            for (which, name) in ["ann", "nobody"].into_iter().enumerate() {
                let from = format!("10.{round}.{which}.{attempt}");
                let fields = [("username", name), ("password", "wrong wrong")];
                let start = std::time::Instant::now();
                let reply = server.form("/login", &[OURS, ("x-forwarded-for", &from)], &fields).await;
                times[which].push(start.elapsed().as_secs_f64());
                assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
            }
        }
        let [a, b] = &mut times;
        smallest = smallest.min(welch(a, b));
        if smallest < 3.0 {
            return;
        }
    }
    panic!("t is at least {smallest}");
}

#[tokio::test]
async fn guessing_77_is_slowed_and_locks_nobody_else_out() {
    let server = Server::new();
    let attempt = async |from: &str, name: &str, password: &str| {
        server.form("/login", &[OURS, ("x-forwarded-for", from)], &[("username", name), ("password", password)]).await
    };
    assert_eq!(attempt("203.0.113.1", "ann", PASSWORD).await.status, StatusCode::SEE_OTHER);
    for _ in 0..5 {
        assert_eq!(attempt("203.0.113.9", "ann", "guess guess").await.status, StatusCode::UNAUTHORIZED);
    }
    let sixth = attempt("203.0.113.9", "ann", PASSWORD).await;
    assert_eq!(sixth.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(sixth.header("retry-after").unwrap().parse::<u32>().unwrap() >= 1);
    assert!(sixth.body.contains("Too many attempts") && sixth.cookie().is_none());
    assert_eq!(attempt("203.0.113.7", "ben", PASSWORD).await.status, StatusCode::SEE_OTHER, "another address goes on");
    // Many addresses at once: who signed in from here before still can.
    for host in 0..30 {
        attempt(&format!("198.51.100.{host}"), "ann", "guess guess").await;
    }
    assert_eq!(attempt("203.0.113.1", "ann", PASSWORD).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn addresses_78_79_are_believed_from_trusted_proxies_alone() {
    let server = Server::new();
    let attempt = async |peer: &str, forwarded: &str| {
        let headers = [OURS, ("x-test-peer", peer), ("x-forwarded-for", forwarded)];
        server.form("/login", &headers, &[("username", "nobody"), ("password", "guess guess")]).await.status
    };
    for host in 0..5 {
        assert_eq!(attempt("203.0.113.5", &format!("10.0.0.{host}")).await, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(attempt("203.0.113.5", "10.0.0.99").await, StatusCode::TOO_MANY_REQUESTS, "a spoofed header changes nothing");
    // From the proxy the right-most hop that is not one of ours counts; what stands left of it anybody can write.
    for host in 0..5 {
        assert_eq!(attempt("127.0.0.1", &format!("10.0.0.{host}, 198.51.100.7")).await, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(attempt("127.0.0.1", "10.0.0.77, 198.51.100.7").await, StatusCode::TOO_MANY_REQUESTS);
    for host in 0..5 {
        assert_eq!(attempt("127.0.0.1", &format!("2001:db8:1:2::{host}")).await, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(attempt("127.0.0.1", "2001:db8:1:2:ffff::1").await, StatusCode::TOO_MANY_REQUESTS, "one household");
    assert_eq!(attempt("127.0.0.1", "2001:db8:1:3::1").await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn passwords_81_are_taken_as_they_are() {
    let server = Server::new();
    let odd = ["  blanks around it  ", "n\u{0}ul inside", "🔑🔑🔑🔑🔑🔑🔑🔑", "ﬁne ligature", &*"x".repeat(1024)];
    for (number, password) in odd.iter().enumerate() {
        let name = format!("odd{number}");
        users(&server.directory).add(&name, password, ["mod"]).unwrap();
        server.clock.advance(Duration::from_secs(60));
        assert_eq!(server.sign_in(&name, password).await.status, StatusCode::SEE_OTHER, "{password:?}");
        for other in [password.trim(), &password.replace('\u{0}', ""), &password.replace('ﬁ', "fi"), &format!("{password}x")] {
            server.clock.advance(Duration::from_secs(60));
            let status = server.sign_in(&name, other).await.status;
            assert_eq!(status == StatusCode::SEE_OTHER, other == *password, "{other:?}");
        }
    }
}

#[tokio::test]
async fn names_82_are_escaped() {
    let server = Server::new();
    let name = "<script>alert(1)</script>\"'&\r\nSet-Cookie: a=b\u{202e}";
    let reply = server.sign_in(name, "wrong wrong").await;
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
    assert!(!reply.body.contains("<script") && reply.body.contains("&#60;script"), "{}", reply.body);
    assert!(reply.header("set-cookie").is_none());
}

#[tokio::test]
async fn forms_83_that_are_none_are_refused() {
    let server = Server::new();
    let post = async |kind: &str, body: String| server.send(Method::POST, "/login", &[OURS, ("content-type", kind)], body).await.status;
    let form = "application/x-www-form-urlencoded";
    assert_eq!(post(form, "username=ann&username=ben&password=x".to_owned()).await, StatusCode::BAD_REQUEST);
    assert_eq!(post(form, "username=ann&password=x&password=y".to_owned()).await, StatusCode::BAD_REQUEST);
    assert_eq!(post(form, "username=ann".to_owned()).await, StatusCode::BAD_REQUEST);
    assert_eq!(post(form, format!("username=ann&password={}", "x".repeat(9000))).await, StatusCode::PAYLOAD_TOO_LARGE);
    let body = json!({"username": "ann", "password": PASSWORD}).to_string();
    for kind in ["application/json", "multipart/form-data; boundary=x", "text/plain", ""] {
        assert_eq!(post(kind, body.clone()).await, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{kind}");
    }
    let long = server.sign_in("ann", &"x".repeat(1025)).await;
    assert_eq!(long.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn other_sites_84_cannot_sign_anybody_in_or_out() {
    let server = Server::new();
    let cookie = server.cookie_of("ann").await;
    let origin = ("origin", "https://stats.example.com");
    for (headers, allowed) in [
        (&[("sec-fetch-site", "cross-site")][..], false),
        (&[("sec-fetch-site", "same-site")], false),
        (&[("sec-fetch-site", "cross-site"), origin], false),
        (&[("origin", "https://evil.example")], false),
        (&[("origin", "http://stats.example.com")], false),
        (&[("origin", "null")], false),
        (&[], false),
        (&[origin], true),
        (&[OURS], true),
    ] {
        server.clock.advance(Duration::from_secs(10));
        let signed_in = server.form("/login", headers, &[("username", "ben"), ("password", PASSWORD)]).await;
        assert_eq!(signed_in.status == StatusCode::SEE_OTHER, allowed, "{headers:?}");
        assert_eq!(signed_in.status == StatusCode::FORBIDDEN, !allowed, "{headers:?}");
        let mut all = vec![("cookie", &*cookie)];
        all.extend_from_slice(headers);
        if !allowed {
            assert_eq!(server.form("/logout", &all, &[]).await.status, StatusCode::FORBIDDEN, "{headers:?}");
            assert_eq!(server.get("/api/stats", &[("cookie", &cookie)]).await.status, StatusCode::OK, "still in");
        }
    }
}

#[tokio::test]
async fn every_page_85_99_says_what_browsers_should_do_with_it() {
    let server = Server::new();
    let cookie = server.cookie_of("guest").await;
    for (path, headers, status) in [
        ("/login", &[][..], StatusCode::OK),
        ("", &[], StatusCode::SEE_OTHER),
        ("", &[("cookie", &*cookie)], StatusCode::FORBIDDEN),
        ("/logout", &[("cookie", &*cookie)], StatusCode::OK),
        ("/api/stats", &[], StatusCode::UNAUTHORIZED),
    ] {
        let reply = server.get(path, headers).await;
        assert_eq!(reply.status, status, "{path}");
        let csp = reply.header("content-security-policy").unwrap();
        for rule in [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ] {
            assert!(csp.contains(rule), "{path}: {csp}");
        }
        // With `no-referrer` browsers would send `Origin: null` with our own forms.
        for (name, value) in [
            ("referrer-policy", "same-origin"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(reply.header(name), Some(value), "{path}: {name}");
        }
        assert!(reply.header("access-control-allow-origin").is_none());
    }
    let forbidden = server.get("", &[("cookie", &cookie)]).await;
    assert!(forbidden.body.contains("action=\"/analytics/logout\""), "a way out: {}", forbidden.body);
}

#[tokio::test]
async fn a_planted_session_86_is_never_adopted() {
    let server = Server::new();
    let planted = format!("{COOKIE}=an1_{}", "A".repeat(43));
    let reply = server.form("/login", &[OURS, ("cookie", &planted)], &[("username", "ann"), ("password", PASSWORD)]).await;
    assert_ne!(reply.cookie().unwrap(), planted);
    assert_eq!(server.get("/api/stats", &[("cookie", &planted)]).await.status, StatusCode::UNAUTHORIZED);
    // The session that the browser had before is over.
    let first = reply.cookie().unwrap();
    let again = server.form("/login", &[OURS, ("cookie", &first)], &[("username", "ben"), ("password", PASSWORD)]).await;
    assert_eq!(again.status, StatusCode::SEE_OTHER);
    assert_eq!(server.get("/api/stats", &[("cookie", &first)]).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_token_87_is_replaced_each_hour_and_the_old_one_works_half_a_minute() {
    let server = Server::new();
    let first = server.cookie_of("ann").await;
    for _ in 0..3 {
        server.clock.advance(Duration::from_secs(20 * 60));
        let reply = server.get("/api/stats", &[("cookie", &first)]).await;
        assert_eq!(reply.status, StatusCode::OK);
        if let Some(second) = reply.cookie() {
            assert!(second != first && reply.header("set-cookie").unwrap().ends_with("; Path=/; Secure; HttpOnly; SameSite=Lax"));
            for cookie in [&first, &second] {
                assert_eq!(server.get("/api/stats", &[("cookie", cookie)]).await.status, StatusCode::OK);
            }
            server.clock.advance(Duration::from_secs(31));
            assert_eq!(server.get("/api/stats", &[("cookie", &first)]).await.status, StatusCode::UNAUTHORIZED);
            assert_eq!(server.get("/api/stats", &[("cookie", &second)]).await.status, StatusCode::OK);
            return;
        }
    }
    panic!("the token was never replaced");
}

#[tokio::test]
async fn a_session_88_ends_when_idle_and_when_old() {
    let server = Server::new();
    let idle = server.cookie_of("ann").await;
    server.clock.advance(Duration::from_secs(30 * 60));
    assert_eq!(server.get("/api/stats", &[("cookie", &idle)]).await.status, StatusCode::UNAUTHORIZED);
    let mut busy = server.cookie_of("ann").await;
    for minutes in (0..12 * 60).step_by(20) {
        let reply = server.get("/api/stats", &[("cookie", &busy)]).await;
        assert_eq!(reply.status, StatusCode::OK, "after {minutes} minutes");
        busy = reply.cookie().unwrap_or(busy);
        server.clock.advance(Duration::from_secs(20 * 60));
    }
    assert_eq!(server.get("/api/stats", &[("cookie", &busy)]).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(server.get("/auth/verify/any", &[("cookie", &busy)]).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn signing_out_89_90_takes_a_button_and_is_final() {
    let server = Server::new();
    let cookie = server.cookie_of("ann").await;
    let asked = server.get("/logout", &[("cookie", &cookie)]).await;
    assert!(asked.status == StatusCode::OK && asked.body.contains("<form method=\"post\""));
    assert_eq!(server.get("/api/stats", &[("cookie", &cookie)]).await.status, StatusCode::OK, "a link changes nothing");
    let out = server.form("/logout", &[OURS, ("cookie", &cookie)], &[]).await;
    assert_eq!((out.status, out.header("location")), (StatusCode::SEE_OTHER, Some("/analytics/login")));
    assert_eq!(out.header("set-cookie"), Some("__Host-analytics_session=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax"));
    assert!(out.header("clear-site-data").is_some());
    assert_eq!(server.get("/api/stats", &[("cookie", &cookie)]).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(server.form("/logout", &[OURS, ("cookie", &cookie)], &[]).await.status, StatusCode::SEE_OTHER, "twice is no error");
}

#[tokio::test]
async fn ways_out_of_the_origin_93_lead_to_the_first_page() {
    let server = Server::new();
    let long = format!("/{}", "a".repeat(3000));
    for next in [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "/%09/evil.example",
        "/%5cevil.example",
        "/.//evil.example",
        "/a/..//evil.example",
        "/%2f/evil.example",
        "javascript:alert(1)",
        "/a\r\nSet-Cookie: a=b",
        "/analytics/login",
        "/analytics/logout",
        "/analytics/auth/verify",
        &long,
        "",
    ] {
        server.clock.advance(Duration::from_secs(10));
        let reply = server.form("/login", &[OURS], &[("username", "ann"), ("password", PASSWORD), ("next", next)]).await;
        assert_eq!((reply.status, reply.header("location")), (StatusCode::SEE_OTHER, Some("/analytics")), "{next:?}");
    }
}

#[tokio::test]
async fn changes_95_96_of_a_user_hold_at_the_next_request() {
    let server = Server::new();
    let users = users(&server.directory);
    let ask = async |cookie: &str| server.get("/api/auth/revocations", &[("cookie", cookie)]).await.status;
    let before = server.cookie_of("ann").await;
    assert_eq!(ask(&before).await, StatusCode::OK);
    users.set_roles("ann", ["mod"]).unwrap();
    assert_eq!(ask(&before).await, StatusCode::UNAUTHORIZED, "the session is over");
    let after = server.cookie_of("ann").await;
    assert_eq!(ask(&after).await, StatusCode::FORBIDDEN, "and the role is gone");
    for change in [
        Box::new(|| users.set_password("ben", "another password")) as Box<dyn Fn() -> Result<(), tower_analytics::Error>>,
        Box::new(|| users.set_disabled("ben", true)),
        Box::new(|| users.remove("ben")),
    ] {
        users.set_password("ben", PASSWORD).unwrap();
        let cookie = server.cookie_of("ben").await;
        assert_eq!(server.get("/api/stats", &[("cookie", &cookie)]).await.status, StatusCode::OK);
        change().unwrap();
        assert_eq!(server.get("/api/stats", &[("cookie", &cookie)]).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(server.get("/auth/verify", &[("cookie", &cookie)]).await.status, StatusCode::UNAUTHORIZED);
        if users.list().unwrap().iter().any(|user| user.name == "ben") {
            users.set_disabled("ben", false).unwrap();
        }
    }
}

#[tokio::test]
async fn a_sixth_session_97_ends_the_oldest() {
    let server = Server::new();
    let mut cookies = Vec::new();
    for _ in 0..6 {
        cookies.push(server.cookie_of("ann").await);
    }
    let list = server.get("/api/auth/sessions", &[("cookie", &cookies[5])]).await.json();
    assert_eq!(list["sessions"].as_array().unwrap().len(), 5);
    assert_eq!(server.get("/api/stats", &[("cookie", &cookies[0])]).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(server.get("/api/stats", &[("cookie", &cookies[1])]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_guard_98_decides_before_a_body_is_read() {
    let server = Server::new();
    let never = || Body::from_stream(futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>());
    let asked = server.send(Method::POST, "/api/auth/revocations", &[("content-type", "application/json")], never());
    assert_eq!(tokio::time::timeout(Duration::from_secs(20), asked).await.unwrap().status, StatusCode::UNAUTHORIZED);
    let cookie = server.cookie_of("ann").await;
    let headers = [("cookie", &*cookie), ("sec-fetch-site", "cross-site")];
    let forged = server.send(Method::POST, "/api/auth/revocations", &headers, never());
    assert_eq!(tokio::time::timeout(Duration::from_secs(20), forged).await.unwrap().status, StatusCode::FORBIDDEN);
    let cross = server.send(Method::POST, "/login", &[("sec-fetch-site", "cross-site")], never());
    assert_eq!(tokio::time::timeout(Duration::from_secs(20), cross).await.unwrap().status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn the_form_100_is_what_password_managers_look_for() {
    let server = Server::new();
    let page = server.get("/login?next=/analytics/users", &[]).await.body;
    for part in [
        "<h1>Sign in</h1>",
        "<form method=\"post\" action=\"/analytics/login\">",
        "<label for=\"username\">",
        "<input id=\"username\" name=\"username\" type=\"text\" autocomplete=\"username\" autocapitalize=\"none\" spellcheck=\"false\" required autofocus value=\"\">",
        "<label for=\"password\">",
        "<input id=\"password\" name=\"password\" type=\"password\" autocomplete=\"current-password\" required>",
        "<input type=\"hidden\" name=\"next\" value=\"/analytics/users\">",
        "<button type=\"submit\">Sign in</button>",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert_eq!(page.matches("<form").count(), 1);
    assert_eq!(page.matches("type=\"password\"").count(), 1);
    for word in ["captcha", "hint", "forgot", "otp", "newsletter", "register", "<script", "<iframe", "maxlength"] {
        assert!(!page.to_lowercase().contains(word), "{word}");
    }
}

#[tokio::test]
async fn a_token_beside_a_cookie_101_still_has_to_show_where_it_comes_from() {
    let server = Server::new();
    let cookie = server.cookie_of("ann").await;
    let bearer = token(&json!({"role": "admin"}));
    let body = || json!({"subject": "somebody", "issuer": "x"}).to_string();
    let post = async |headers: &[(&str, &str)]| server.send(Method::POST, "/api/auth/revocations", headers, body()).await.status;
    let kind = ("content-type", "application/json");
    assert_eq!(post(&[kind, ("authorization", &bearer)]).await, StatusCode::NO_CONTENT, "a token alone is nobody's cookie");
    assert_eq!(post(&[kind, ("authorization", &bearer), ("cookie", &cookie)]).await, StatusCode::FORBIDDEN);
    assert_eq!(post(&[kind, ("cookie", &cookie)]).await, StatusCode::FORBIDDEN);
    assert_eq!(post(&[kind, ("cookie", &cookie), OURS]).await, StatusCode::NO_CONTENT);
    let csrf = server.get("/api/auth/session", &[("cookie", &cookie)]).await.json()["csrf"].as_str().unwrap().to_owned();
    let end = async |headers: &[(&str, &str)]| server.send(Method::DELETE, "/api/auth/sessions/none", headers, Body::empty()).await.status;
    assert_eq!(end(&[("cookie", &cookie), OURS]).await, StatusCode::FORBIDDEN, "neither JSON nor the session's value");
    assert_eq!(end(&[("cookie", &cookie), OURS, ("x-analytics-csrf", "guess")]).await, StatusCode::FORBIDDEN);
    assert_eq!(end(&[("cookie", &cookie), OURS, ("x-analytics-csrf", &csrf)]).await, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn nobody_102_can_sign_in_where_there_are_no_users() {
    let directory = tempfile::tempdir().unwrap();
    let analytics = Analytics::builder(directory.path()).public_url("https://stats.example.com").build().unwrap();
    let auth = Auth::builder().sign_in(directory.path()).build().unwrap();
    let app = Router::new().merge(analytics.dashboard(auth));
    let server = Server { app, clock: Clock::manual(UNIX_EPOCH), directory, _analytics: analytics };
    let page = server.get("/login", &[]).await;
    assert!(page.body.contains("Nobody can sign in here yet") && page.body.contains("tower-analytics user add"), "{}", page.body);
    for (name, password) in [("admin", "admin"), ("admin", "password"), ("root", ""), ("", "")] {
        assert_eq!(server.sign_in(name, password).await.status, StatusCode::UNAUTHORIZED);
    }
    let error = Auth::builder().build().unwrap_err().to_string();
    assert!(error.contains("there is no issuer") && error.contains("users of the sign-in"), "{error}");
}

#[tokio::test]
async fn a_weak_hash_103_opens_nothing() {
    let server = Server::new();
    // The password is right, and the hash is of one pass over 8 MiB.
    let weak = "$argon2id$v=19$m=8192,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$";
    let access = rusqlite::Connection::open(server.directory.path().join("access.db")).unwrap();
    access.execute("update users set hash = ? || 'GpZ3sK/oH9p7VIiV56G/64Zo/8GaUw434IimaPqxwCo' where name = 'ann'", [weak]).unwrap();
    assert_eq!(server.sign_in("ann", PASSWORD).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_guard_that_panics_104_lets_nobody_in() {
    let (analytics, _clock) = Analytics::testing();
    let guard = |_: &tower_analytics::Head<'_>| -> Option<tower_analytics::Role> { panic!("as a test wants it") };
    let app: Router = Router::new().merge(analytics.dashboard(guard));
    let request = Request::builder().uri("/analytics/api/stats").body(Body::empty()).unwrap();
    assert_eq!(app.oneshot(request).await.unwrap().status(), StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn plain_http_gives_no_session_but_to_this_machine_if_asked_for() {
    for (insecure, peer, proto, expected) in [
        (false, "127.0.0.1", None, None),
        (false, "127.0.0.1", Some("https"), Some("__Host-analytics_session")),
        (false, "203.0.113.7", Some("https"), None),
        (true, "127.0.0.1", None, Some("analytics_session")),
        (true, "203.0.113.7", None, None),
    ] {
        let directory = tempfile::tempdir().unwrap();
        users(&directory).add("ann", PASSWORD, ["admin"]).unwrap();
        let analytics = Analytics::builder(directory.path()).build().unwrap();
        let mut login = Login::default();
        login.insecure_cookies_for_loopback = insecure;
        let app = Router::new().merge(analytics.dashboard(Auth::builder().sign_in(directory.path()).login(login).build().unwrap()));
        let server = Server { app, clock: Clock::manual(UNIX_EPOCH), directory, _analytics: analytics };
        let mut headers = vec![OURS, ("x-test-peer", peer)];
        headers.extend(proto.map(|proto| ("x-forwarded-proto", proto)));
        let reply = server.form("/login", &headers, &[("username", "ann"), ("password", PASSWORD)]).await;
        let name = reply.cookie().map(|cookie| cookie.split('=').next().unwrap().to_owned());
        assert_eq!(name.as_deref(), expected, "{insecure} {peer} {proto:?}");
        let form = server.get("/login", &headers).await.body;
        assert_eq!(form.contains("<form"), expected.is_some(), "no password is sent to learn that it should not have been");
        if expected.is_none() {
            assert!(reply.status == StatusCode::FORBIDDEN && reply.body.contains("needs https"), "{}", reply.body);
        }
    }
}

#[tokio::test]
async fn strangers_are_led_to_the_form_and_back_with_all_they_asked_for() {
    let server = Server::new();
    let sent = server.get("?days=7&tz=Europe/Berlin", &[]).await;
    let form = sent.header("location").unwrap();
    assert_eq!(form, "/analytics/login?next=%2Fanalytics%3Fdays%3D7%26tz%3DEurope%2FBerlin");
    let page = server.get(form.strip_prefix("/analytics").unwrap(), &[]).await;
    assert!(page.body.contains("value=\"/analytics?days=7&#38;tz=Europe/Berlin\""), "{}", page.body);
    // Whoever is in already goes straight on.
    let cookie = server.cookie_of("ann").await;
    let on = server.get(form.strip_prefix("/analytics").unwrap(), &[("cookie", &cookie)]).await;
    assert_eq!((on.status, on.header("location")), (StatusCode::SEE_OTHER, Some("/analytics?days=7&tz=Europe/Berlin")));
}

#[tokio::test]
async fn a_proxy_leads_to_the_form_with_the_target_that_it_cannot_encode() {
    let server = Server::new();
    let wanted = ("x-original-uri", "/app/x?a=1&b=2");
    let sent = server.get("/login", &[wanted]).await;
    assert_eq!(sent.header("location"), Some("/analytics/login?next=%2Fapp%2Fx%3Fa%3D1%26b%3D2"));
    let stranger = server.get("/login", &[wanted, ("x-test-peer", "203.0.113.7")]).await;
    assert_eq!(stranger.status, StatusCode::OK, "only proxies that are trusted are believed");
    let evil = server.get("/login", &[("x-original-uri", "//evil.example/")]).await;
    assert_eq!(evil.header("location"), Some("/analytics/login"));
    // Signed in, and yet sent here: another sign-in would not help, and a redirect would go round in circles.
    let cookie = server.cookie_of("guest").await;
    assert_eq!(server.get("/login", &[wanted, ("cookie", &cookie)]).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn sessions_can_be_seen_and_ended_by_admins_and_by_whose_they_are() {
    let server = Server::new();
    let (ann, ben) = (server.cookie_of("ann").await, server.cookie_of("ben").await);
    let list =
        async |cookie: &str| server.get("/api/auth/sessions", &[("cookie", cookie)]).await.json()["sessions"].as_array().unwrap().clone();
    assert_eq!(list(&ann).await.len(), 2);
    let own = list(&ben).await;
    assert!(own.len() == 1 && own[0]["user"] == "ben" && own[0]["is_own"] == true, "{own:?}");
    let of_ann = list(&ann).await.iter().find(|row| row["user"] == "ann").unwrap()["id"].as_str().unwrap().to_owned();
    let end = async |cookie: &str, id: &str| {
        let path = format!("/api/auth/sessions/{id}");
        server.send(Method::DELETE, &path, &[OURS, ("cookie", cookie), ("content-type", "application/json")], Body::empty()).await.status
    };
    assert_eq!(end(&ben, &of_ann).await, StatusCode::NOT_FOUND, "not a moderator's business");
    assert_eq!(end(&ann, own[0]["id"].as_str().unwrap()).await, StatusCode::NO_CONTENT);
    assert_eq!(server.get("/api/stats", &[("cookie", &ben)]).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_revoked_token_is_refused_at_once_everywhere_and_can_be_taken_back() {
    let server = Server::new();
    let cookie = server.cookie_of("ann").await;
    let now = NOW + 10;
    let (one, other) = (token(&json!({"jti": "t-1", "iat": now})), token(&json!({"jti": "t-2", "iat": now})));
    let later = token(&json!({"jti": "t-3", "iat": now + 5}));
    let status = async |token: &str| {
        let page = server.get("/api/stats", &[("authorization", token)]).await.status;
        assert_eq!(server.get("/auth/verify", &[("authorization", token)]).await.status, page);
        page
    };
    let change = async |method: Method, body: Value| {
        let headers = [OURS, ("cookie", &*cookie), ("content-type", "application/json")];
        server.send(method, "/api/auth/revocations", &headers, body.to_string()).await.status
    };
    assert_eq!(status(&one).await, StatusCode::OK);
    assert_eq!(change(Method::POST, json!({"token_id": "t-1"})).await, StatusCode::NO_CONTENT);
    assert_eq!((status(&one).await, status(&other).await), (StatusCode::UNAUTHORIZED, StatusCode::OK));
    assert_eq!(change(Method::POST, json!({"subject": "eve"})).await, StatusCode::NO_CONTENT);
    assert_eq!((status(&other).await, status(&later).await), (StatusCode::UNAUTHORIZED, StatusCode::OK));
    let list = server.get("/api/auth/revocations", &[("cookie", &cookie)]).await.json();
    assert_eq!(list["revocations"].as_array().unwrap().len(), 2);
    assert_eq!(change(Method::DELETE, json!({"subject": "eve"})).await, StatusCode::NO_CONTENT);
    assert_eq!((status(&one).await, status(&other).await), (StatusCode::UNAUTHORIZED, StatusCode::OK));
    assert_eq!(change(Method::DELETE, json!({"subject": "eve"})).await, StatusCode::NOT_FOUND);
    for body in [json!({}), json!({"token_id": "a", "subject": "b"}), json!({"token_id": ""}), json!({"tokenid": "a"})] {
        assert_eq!(change(Method::POST, body.clone()).await, StatusCode::BAD_REQUEST, "{body}");
    }
}

#[tokio::test]
async fn a_token_revoked_by_another_process_is_refused_within_a_second() {
    let server = Server::new();
    let bearer = token(&json!({"jti": "t-1"}));
    let ask = async || server.get("/auth/verify", &[("authorization", &bearer)]).await.status;
    assert_eq!(ask().await, StatusCode::OK);
    let access = rusqlite::Connection::open(server.directory.path().join("access.db")).unwrap();
    access
        .execute_batch("insert into revoked_tokens values ('', 't-1', 9000000000); update revocation_version set version = version + 1")
        .unwrap();
    server.clock.advance(Duration::from_secs(1));
    assert_eq!(ask().await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn nothing_is_let_in_while_access_db_is_gone() {
    let server = Server::new();
    let cookie = server.cookie_of("ann").await;
    let bearer = token(&json!({"role": "admin"}));
    let (file, aside) = (server.directory.path().join("access.db"), server.directory.path().join("aside.db"));
    std::fs::rename(&file, &aside).unwrap();
    server.clock.advance(Duration::from_secs(1));
    for headers in [("cookie", &*cookie), ("authorization", &*bearer)] {
        for path in ["", "/api/stats", "/auth/verify"] {
            assert_eq!(server.get(path, &[headers]).await.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        }
    }
    std::fs::rename(&aside, &file).unwrap();
    server.clock.advance(Duration::from_secs(1));
    for headers in [("cookie", &*cookie), ("authorization", &*bearer)] {
        assert_eq!(server.get("/api/stats", &[headers]).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_proxys_word_counts_only_where_it_is_set_and_only_from_the_proxy() {
    let directory = tempfile::tempdir().unwrap();
    let analytics = Analytics::builder(directory.path()).build().unwrap();
    let mut config = tower_analytics::auth::AuthConfig::default();
    config.proxy.user_header = "X-Remote-User".to_owned();
    config.proxy.roles_header = "X-Remote-Groups".to_owned();
    config.proxy.role_map = [("ops".to_owned(), "admin".to_owned()), ("staff".to_owned(), "mod".to_owned())].into();
    let app = Router::new().merge(analytics.dashboard(Auth::builder().config(config).build().unwrap()));
    let server = Server { app, clock: Clock::manual(UNIX_EPOCH), directory, _analytics: analytics };
    let (user, ops) = (("x-remote-user", "ann"), ("x-remote-groups", "wheel, ops"));
    let status = async |headers: &[(&str, &str)]| server.get("/api/auth/revocations", headers).await.status;
    assert_eq!(status(&[user, ops]).await, StatusCode::OK);
    assert_eq!(status(&[user, ("x-remote-groups", "staff")]).await, StatusCode::FORBIDDEN);
    assert_eq!(status(&[user, ("x-remote-groups", "admin")]).await, StatusCode::FORBIDDEN, "not what the map says");
    assert_eq!(status(&[ops]).await, StatusCode::UNAUTHORIZED);
    assert_eq!(status(&[user, ("x-remote-user", "eve"), ops]).await, StatusCode::UNAUTHORIZED, "twice: not overwritten");
    assert_eq!(status(&[user, ops, ("x-test-peer", "203.0.113.7")]).await, StatusCode::UNAUTHORIZED);
    assert_eq!(server.get("/auth/verify", &[user, ops]).await.status, StatusCode::UNAUTHORIZED, "who asks there is a proxy");
    let forged = server.send(Method::POST, "/api/auth/revocations", &[user, ops, ("content-type", "application/json")], "{}").await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN, "browsers bring the proxy's sign-in along by themselves");
}

#[tokio::test]
async fn sessions_pass_policies_by_the_roles_of_their_user() {
    let server = Server::with(|auth| {
        let mut closed = tower_analytics::auth::Policy::default();
        closed.accept_session = false;
        auth.policy("readers", tower_analytics::auth::Policy::any_of(["reader"])).policy("closed", closed)
    });
    let (ann, guest) = (server.cookie_of("ann").await, server.cookie_of("guest").await);
    for (policy, of_ann, of_guest) in
        [("any", 200, 200), ("admin", 200, 403), ("mod", 200, 403), ("readers", 403, 200), ("closed", 401, 401)]
    {
        let ask = async |cookie: &str| server.get(&format!("/auth/verify/{policy}"), &[("cookie", cookie)]).await;
        assert_eq!((ask(&ann).await.status.as_u16(), ask(&guest).await.status.as_u16()), (of_ann, of_guest), "{policy}");
    }
    let reply = server.get("/auth/verify/readers", &[("cookie", &guest)]).await;
    let identity = ["subject", "roles", "method", "issuer", "token-id"].map(|name| reply.header(&format!("x-auth-{name}")).unwrap());
    assert_eq!(identity, ["guest", "reader", "session", "", ""]);
    assert!(reply.header("set-cookie").is_none());
    let over = server.get("/auth/verify", &[("cookie", &format!("{COOKIE}=an1_{}", "A".repeat(43)))]).await;
    assert_eq!((over.status.as_u16(), over.header("www-authenticate")), (401, Some("Bearer realm=\"analytics\"")));
}

#[tokio::test]
async fn what_was_said_is_counted() {
    let server = Server::new();
    server.sign_in("ann", "wrong wrong").await;
    let cookie = server.cookie_of("ben").await;
    server.get("/auth/verify", &[("cookie", &cookie)]).await;
    server.get("/auth/verify", &[]).await;
    server.get("/auth/verify/admin", &[("cookie", &cookie)]).await;
    let counters = server.get("/api/auth/counters", &[("cookie", &cookie)]).await.json();
    let of = |outcome: &str| json!({"outcome": outcome, "count": 1});
    assert_eq!(counters["verify"], json!([of("ok"), of("missing"), of("role")]));
    assert_eq!(counters["sign_in"], json!([of("ok"), of("wrong")]));
    assert_eq!(counters["sessions_active"], 1);
}

#[tokio::test]
async fn what_everybody_may_fetch_never_carries_a_new_session() {
    let server = Server::new();
    let cookie = server.cookie_of("ann").await;
    let sheet = server.get("/login", &[]).await.body;
    let sheet =
        sheet.split('"').find(|part| part.starts_with("/analytics/assets/")).unwrap().strip_prefix("/analytics").unwrap().to_owned();
    // Kept alive by what a proxy asks, which hands out nothing; then the token is due to be replaced.
    for _ in 0..4 {
        server.clock.advance(Duration::from_secs(20 * 60));
        assert_eq!(server.get("/auth/verify", &[("cookie", &cookie)]).await.status, StatusCode::OK);
    }
    for path in [&*sheet, "/login", "/logout", "/api/health"] {
        assert!(server.get(path, &[("cookie", &cookie)]).await.header("set-cookie").is_none(), "{path}");
    }
    let page = server.get("/api/stats", &[("cookie", &cookie)]).await;
    assert!(page.cookie().is_some_and(|next| next != cookie));
    assert_eq!(page.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn signing_out_with_a_token_that_is_due_leaves_no_session() {
    let server = Server::new();
    let cookie = server.cookie_of("ann").await;
    for _ in 0..4 {
        server.clock.advance(Duration::from_secs(20 * 60));
        assert_eq!(server.get("/auth/verify", &[("cookie", &cookie)]).await.status, StatusCode::OK);
    }
    let out = server.form("/logout", &[OURS, ("cookie", &cookie)], &[]).await;
    let set: Vec<_> = out.headers.get_all("set-cookie").iter().collect();
    assert!(set.len() == 1 && out.header("set-cookie").unwrap().contains("Max-Age=0"), "{set:?}");
    let other = server.cookie_of("ben").await;
    let list = server.get("/api/auth/sessions", &[("cookie", &other)]).await.json();
    assert_eq!(list["sessions"].as_array().unwrap().len(), 1, "{list}");
}

#[tokio::test]
async fn strangers_without_an_address_cannot_keep_others_out() {
    let server = Server::new();
    let attempt = async |password: &str| {
        let form = format!("username=ann&password={}", password.replace(' ', "+"));
        let request = Request::builder().method("POST").uri("/analytics/login").header("host", "stats.example.com");
        let request = request.header(OURS.0, OURS.1).header("content-type", "application/x-www-form-urlencoded").body(Body::from(form));
        server.app.clone().oneshot(request.unwrap()).await.unwrap().status()
    };
    for _ in 0..19 {
        assert_eq!(attempt("guess guess").await, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(attempt(PASSWORD).await, StatusCode::SEE_OTHER);
    for _ in 0..19 {
        attempt("guess guess").await;
    }
    assert_eq!(attempt("guess guess").await, StatusCode::TOO_MANY_REQUESTS, "and guessing is slow from then on");
    server.clock.advance(Duration::from_secs(6));
    assert_eq!(attempt(PASSWORD).await, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn tokens_can_be_revoked_where_nobody_signs_in_with_a_password() {
    let mut login = Login::default();
    login.enabled = false;
    let server = Server::with(|auth| auth.login(login));
    let (admin, other) = (token(&json!({"role": "admin"})), token(&json!({"jti": "t-1"})));
    assert_eq!(server.get("/login", &[]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(server.get("/api/stats", &[("authorization", &other)]).await.status, StatusCode::OK);
    let headers = [("authorization", &*admin), ("content-type", "application/json")];
    let body = json!({"token_id": "t-1"}).to_string();
    assert_eq!(server.send(Method::POST, "/api/auth/revocations", &headers, body).await.status, StatusCode::NO_CONTENT);
    assert_eq!(server.get("/api/stats", &[("authorization", &other)]).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn an_access_db_that_could_not_be_opened_is_tried_again_beside_the_requests() {
    let directory = tempfile::tempdir().unwrap();
    let analytics = Analytics::builder(directory.path()).public_url("https://stats.example.com").build().unwrap();
    std::fs::create_dir(directory.path().join("access.db")).unwrap();
    let issuer = Issuer::shared_secret("HS256", Secret::new(SECRET));
    let clock = Clock::manual(UNIX_EPOCH + Duration::from_secs(NOW));
    let auth = Auth::builder().issuer(issuer).max_token_lifetime(Duration::ZERO).clock(clock.clone()).build().unwrap();
    let app = Router::new().merge(analytics.dashboard(auth));
    let server = Server { app, clock, directory, _analytics: analytics };
    let bearer = token(&json!({"role": "admin"}));
    let ask = async || server.get("/api/stats", &[("authorization", &bearer)]).await.status;
    assert_eq!(ask().await, StatusCode::SERVICE_UNAVAILABLE);
    std::fs::remove_dir(server.directory.path().join("access.db")).unwrap();
    for _ in 0..1000 {
        server.clock.advance(Duration::from_secs(1));
        if ask().await == StatusCode::OK {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it was never opened");
}

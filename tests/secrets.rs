//! Secrets, tokens, cookies and passwords stand in no log, error, page or `Debug`: everything that is said is caught, and searched for
//! those that were used.

mod common;

use std::{
    io::Write,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, UNIX_EPOCH},
};

use axum::{Router, body::Body, extract::ConnectInfo};
use common::signing::Signer;
use hyper::{Method, Request, StatusCode};
use jsonwebtoken::Algorithm;
use serde_json::json;
use tower::ServiceExt;
use tower_analytics::{
    Analytics, Auth, Clock,
    auth::{Issuer, Secret, Users},
};
use tracing_subscriber::fmt::MakeWriter;

const NOW: u64 = 1_800_000_000;
const SECRET: &str = "ThisIsTheSharedSecretOfTheTests-0123456789";
const PASSWORD: &str = "PasswordThatNobodyMaySee";
const WRONG: &str = "WrongPasswordThatNobodyMaySee";

/// All that is logged, at every level.
#[derive(Clone, Default)]
struct Caught(Arc<Mutex<Vec<u8>>>);

impl Write for Caught {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Caught {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn nothing_secret_is_logged_shown_or_printed() {
    let caught = Caught::default();
    tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(caught.clone()).with_ansi(false).init();
    let directory = tempfile::tempdir().unwrap();
    let users = Users::open(directory.path()).unwrap();
    users.add("ann", PASSWORD, ["admin"]).unwrap();
    let clock = Clock::manual(UNIX_EPOCH + Duration::from_secs(NOW));
    let issuer = Issuer::shared_secret("HS256", Secret::new(SECRET));
    let mut said = format!("{issuer:?} {users:?}");
    let builder = Auth::builder().issuer(issuer).jwt_cookie("app_token").clock(clock.clone()).sign_in(directory.path());
    said += &format!("{builder:?}");
    let auth = builder.build().unwrap();
    let analytics = Analytics::builder(directory.path()).clock(clock.clone()).public_url("https://stats.example.com").build().unwrap();
    let dashboard = analytics.dashboard(auth.clone());
    said += &format!("{auth:?} {dashboard:?} {analytics:?}");
    let app = Router::new().merge(dashboard).layer(analytics.layer());

    let signer = Signer::secret("", Algorithm::HS256, SECRET.as_bytes());
    let token_of =
        |exp: u64| signer.with_header(&json!({"alg": "HS256"}), &json!({"user": "eve", "role": "mod", "jti": "t-1", "exp": exp}));
    let (good, over) = (token_of(NOW + 600), token_of(NOW - 600));
    let forged = format!("{}x", &good[..good.len() - 1]);
    said += &format!("{:?} {:?}", auth.verify(&good), auth.verify(&forged));

    // Each kind of request, good and bad, at each kind of route.
    let mut cookie = String::new();
    let mut cookies = Vec::new();
    for (name, password) in [("ann", WRONG), (PASSWORD, WRONG), ("ann", PASSWORD)] {
        clock.advance(Duration::from_secs(60));
        let form: String = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("username", name), ("password", password), ("next", "/x?code=NextCodeThatNobodyMaySee")])
            .finish();
        let (status, answer, set) = send(&app, Method::POST, "/login", &[("sec-fetch-site", "same-origin")], form).await;
        // The name is filled in again; everything else of the form is not to be seen.
        said += &answer.replace(&format!("value=\"{name}\""), "").replace("value=\"/x?code=NextCodeThatNobodyMaySee\"", "");
        if status == StatusCode::SEE_OTHER {
            cookie = set.unwrap();
            cookies.push(cookie.split_once('=').unwrap().1.to_owned());
        }
    }
    assert!(cookie.starts_with("__Host-analytics_session=an1_"));
    for path in
        ["", "/api/stats", "/api/auth/session", "/api/auth/sessions", "/api/auth/revocations", "/auth/verify/admin", "/logout", "/nowhere"]
    {
        for (name, value) in [
            ("authorization", format!("Bearer {good}")),
            ("authorization", format!("Bearer {over}")),
            ("authorization", format!("Bearer {forged}")),
            ("cookie", format!("app_token={good}")),
            ("cookie", format!("app_token={over}; {cookie}")),
            ("cookie", cookie.clone()),
            ("cookie", format!("{cookie}x")),
            ("x-original-uri", "/x?code=NextCodeThatNobodyMaySee".to_owned()),
        ] {
            let (_, answer, set) = send(&app, Method::GET, path, &[(name, &value)], String::new()).await;
            cookies.extend(set.and_then(|set| set.split_once('=').map(|(_, token)| token.to_owned())));
            said += &answer;
        }
    }
    std::fs::remove_file(directory.path().join("access.db")).unwrap();
    clock.advance(Duration::from_secs(5));
    for (name, value) in [("authorization", format!("Bearer {good}")), ("cookie", cookie.clone())] {
        said += &send(&app, Method::GET, "/api/stats", &[(name, &value)], String::new()).await.1;
    }

    let logged = String::from_utf8(caught.0.lock().unwrap().clone()).unwrap();
    assert!(logged.contains("authn_login_success") && logged.contains("authn_login_fail"), "{logged}");
    let mut secret = vec![SECRET, PASSWORD, WRONG, "NextCodeThatNobodyMaySee", "$argon2id$"];
    // Not even a part of a token: neither its claims nor its signature.
    secret.extend([&good, &over, &forged].into_iter().flat_map(|token| token.split('.').skip(1)));
    secret.extend(cookies.iter().map(String::as_str));
    for text in secret.iter().filter(|text| text.len() > 8) {
        assert!(!logged.contains(text), "{text} is in the log:\n{}", line_with(&logged, text));
        assert!(!said.contains(text), "{text} was said: {}", line_with(&said, text));
    }
}

fn line_with<'a>(text: &'a str, part: &str) -> &'a str {
    text.lines().find(|line| line.contains(part)).unwrap_or_default()
}

async fn send(app: &Router, method: Method, path: &str, headers: &[(&str, &str)], body: String) -> (StatusCode, String, Option<String>) {
    let mut request = Request::builder().method(method).uri(format!("/analytics{path}")).header("host", "stats.example.com");
    request = request.header("content-type", "application/x-www-form-urlencoded");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request = request.extension(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 4711))));
    let response = app.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
    let set = response.headers().get("set-cookie").map(|set| set.to_str().unwrap().split(';').next().unwrap().to_owned());
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8_lossy(&body).into_owned(), set)
}

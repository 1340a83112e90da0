//! An app, a backend and NGINX between them and everybody else.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    time::{SystemTime, UNIX_EPOCH},
};

use axum::Router;
use jsonwebtoken::Algorithm;
use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;
use tower_analytics::{
    Analytics, Auth,
    auth::{AuthBuilder, Issuer, Secret},
};

use crate::{
    backend::{Served, echo, serve},
    client::{Browser, Reply},
    common::{axum_app, signing::Signer},
    proxy::{Changes, Nginx},
};

pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef-a-secret-of-the-tests";
pub(crate) const PASSWORD: &str = "correct horse battery staple";
const HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$4LZi+tMh006gYE9wAmlzew$xcuJAoWLGK4yYzoCLnNixsI3icd+DAOw7JaBYSBWeEg";

pub(crate) struct Site {
    pub(crate) nginx: Nginx,
    /// The example as a program, if it is the app.
    example: Option<Child>,
    _served: Vec<Served>,
    app: SocketAddr,
    data: TempDir,
}

impl Site {
    /// In front of the example `axum_app`: ann is an admin, mo a moderator, ursa has a role that opens nothing here.
    pub(crate) fn of_the_example(changes: Changes<'_>) -> Self {
        let data = tempfile::tempdir().unwrap();
        let (example, app) = start_example(data.path(), 0);
        add_users(data.path());
        let backend = echo();
        let nginx = Nginx::start(app, backend.address, changes);
        Self { nginx, example: Some(example), _served: vec![backend], app, data }
    }

    /// In front of an app of this process, with the same users and settings of its own.
    pub(crate) fn of(
        settings: impl FnOnce(AuthBuilder) -> AuthBuilder,
        outside: impl FnOnce(Router) -> Router,
        changes: Changes<'_>,
    ) -> Self {
        let data = tempfile::tempdir().unwrap();
        let auth = Auth::builder().sign_in(data.path()).issuer(Issuer::shared_secret("HS256", Secret::new(SECRET)));
        let auth = settings(auth).build().unwrap();
        add_users(data.path());
        let analytics = Analytics::builder(data.path()).build().unwrap();
        let app = serve(outside(Router::new().merge(analytics.dashboard(auth))));
        let backend = echo();
        let nginx = Nginx::start(app.address, backend.address, changes);
        Self { nginx, example: None, app: app.address, _served: vec![app, backend], data }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.nginx.site
    }

    pub(crate) fn browser(&self) -> Browser {
        Browser::new(self.address())
    }

    /// A browser in which somebody has signed in.
    pub(crate) fn browser_of(&self, name: &str) -> Browser {
        let mut browser = self.browser();
        let reply = sign_in(&mut browser, name, "/");
        assert_eq!((reply.status, reply.location()), (303, "/"), "{}", reply.body);
        browser
    }

    pub(crate) fn stop_app(&mut self) {
        let example = self.example.as_mut().unwrap();
        example.kill().unwrap();
        example.wait().unwrap();
    }

    pub(crate) fn start_app_again(&mut self) {
        self.example = Some(start_example(self.data.path(), self.app.port()).0);
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if let Some(example) = &mut self.example {
            drop(example.kill());
            drop(example.wait());
        }
    }
}

/// Sends the form of the sign-in.
pub(crate) fn sign_in(browser: &mut Browser, name: &str, next: &str) -> Reply {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("username", name).append_pair("password", PASSWORD).append_pair("next", next);
    browser.submit("/analytics/login", &form.finish())
}

/// The header that brings a token of somebody, good for so many seconds.
pub(crate) fn bearer(user: &str, role: &str, lives: i64) -> String {
    format!("Authorization: Bearer {}\r\n", token(user, role, lives))
}

pub(crate) fn token(user: &str, role: &str, lives: i64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
    let signer = Signer::secret("", Algorithm::HS256, SECRET.as_bytes());
    signer.with_header(&json!({"alg": "HS256", "typ": "JWT"}), &json!({"sub": user, "role": role, "iat": now, "exp": now + lives}))
}

fn start_example(data: &Path, port: u16) -> (Child, SocketAddr) {
    let mut example = Command::new(axum_app())
        .args(["--port", &port.to_string(), "--sign-in", "--data"])
        .arg(data)
        .env("ANALYTICS_JWT_SECRET", SECRET)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the example is built");
    let mut line = String::new();
    BufReader::new(example.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.strip_prefix("http://").and_then(|line| line.split('/').next()).and_then(|address| address.parse().ok());
    (example, address.unwrap_or_else(|| panic!("it says where it listens, not {line:?}")))
}

/// As `tower-analytics user add` would, without the time of hashing.
fn add_users(data: &Path) {
    let access = Connection::open(data.join("access.db")).unwrap();
    for (name, role) in [("ann", "admin"), ("mo", "mod"), ("ursa", "support")] {
        let sql = "insert into users (name, hash, roles, disabled, version) values (?, ?, ?, 0, 0)";
        access.execute(sql, (name, HASH, role)).unwrap();
    }
}

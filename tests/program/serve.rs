//! `serve` with a settings file.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use jsonwebtoken::Algorithm;
use serde_json::json;

use crate::{
    common::{signing::Signer, until},
    running::{Server, file, files, mode, program, run, run_with},
};

const SECRET: &str = "0123456789abcdef0123456789abcdef-a-secret-of-the-tests";

const SETTINGS: &str = r#"
[auth]
realm = "ops"
[[auth.issuer]]
issuer = "https://app.example.com"
audience = ["tower-analytics"]
algorithms = ["HS256"]
keys = { hmac = "0123456789abcdef0123456789abcdef-a-secret-of-the-tests", kid = "h1" }
role_paths = ["roles"]
role_map = { "admin" = "admin", "mod" = "mod", "billing" = "billing" }
[auth.policy.billing]
any_of = ["billing"]
"#;

fn token_by(signer: &Signer, roles: &[&str]) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    signer.token(&json!({
        "iss": "https://app.example.com", "aud": "tower-analytics", "sub": "ann", "jti": "t-1", "iat": now, "exp": now + 600, "roles": roles,
    }))
}

fn token(roles: &[&str]) -> String {
    token_by(&Signer::secret("h1", Algorithm::HS256, SECRET.as_bytes()), roles)
}

#[test]
fn without_a_directory_only_the_verify_routes_are_served_and_nothing_is_made() {
    let place = tempfile::tempdir().unwrap();
    let settings = file(place.path(), "verify.toml", SETTINGS);
    let server = Server::start(place.path(), &["--config", &settings]);
    assert!(server.greeting.contains("Policies   admin, any, billing, default, mod"), "{}", server.greeting);
    assert!(server.greeting.contains("nothing is recorded and there is no dashboard"), "{}", server.greeting);
    let verify = |policy: &str, token: Option<&str>| server.get(&format!("/analytics/auth/verify{policy}"), token);
    let (mods, admins, nobodys) = (token(&["mod"]), token(&["admin", "billing"]), token(&[]));
    let stranger = token_by(&Signer::secret("h1", Algorithm::HS256, &[7; 40]), &["admin"]);
    for (policy, token, status) in [
        ("", Some(&mods), 200),
        ("/any", Some(&nobodys), 200),
        ("/admin", Some(&admins), 200),
        ("/billing", Some(&admins), 200),
        ("/admin", Some(&mods), 403),
        ("", Some(&nobodys), 403),
        ("", Some(&stranger), 401),
        ("", None, 401),
        ("/unknown", Some(&admins), 404),
    ] {
        assert_eq!(verify(policy, token.map(String::as_str)).status, status, "{policy} {token:?}");
    }
    let head = verify("/billing", Some(&admins)).head;
    assert!(head.contains("x-auth-subject: ann\r\n") && head.contains("x-auth-roles: admin,billing"), "{head}");
    assert!(verify("", None).head.contains("bearer realm=\"ops\""));
    assert_eq!(server.ask("POST", "/analytics/auth/verify", Some(&admins)).status, 405);
    for path in
        ["/", "/analytics", "/analytics/", "/analytics/api/stats", "/analytics/api/health", "/analytics/assets/app.css", "/auth/verify"]
    {
        assert_eq!(server.get(path, Some(&admins)).status, 404, "{path}");
    }
    let done = server.stop();
    assert_eq!(done.code, 0, "{done:?}");
    let said = format!("{}{}", done.out, done.err);
    assert!(!said.contains(SECRET) && !said.contains(&admins) && !said.contains(&stranger), "{said}");
    assert_eq!(files(place.path()), [place.path().join("verify.toml")]);
}

#[test]
fn settings_with_policies_for_users_alone_need_no_issuer() {
    let place = tempfile::tempdir().unwrap();
    let text = "data = \"data\"\n[auth.login]\ninsecure_cookies_for_loopback = true\n[auth.policy.support]\nany_of = [\"support\"]\n";
    let settings = file(place.path(), "settings.toml", text);
    run_with(place.path(), &["user", "add", "sue", "--role", "support", "--config", &settings], "correct horse\n").good();
    let server = Server::start(place.path(), &["--config", &settings]);
    let cookie = server.post("/analytics/login", "username=sue&password=correct+horse").cookie.unwrap();
    for (policy, status) in [("support", 200), ("any", 200), ("mod", 403), ("admin", 403)] {
        assert_eq!(server.get_as(&format!("/analytics/auth/verify/{policy}"), &cookie).status, status, "{policy}");
    }
}

#[test]
fn everything_that_is_wrong_is_said_at_once_and_no_value_is_shown() {
    let place = tempfile::tempdir().unwrap();
    let text = r#"
lisen = "127.0.0.1:8089"
base_path = "analytics"
time_zone = "Mars/Olympus"
[auth]
leeway_s = 4000
[[auth.issuer]]
issuer = "a"
algorithms = ["HS257"]
keys = { hmac = "hunter2", hmacfile = "x" }
[[auth.issuer]]
issuer = "b"
audience = ["x"]
algorithms = ["HS256"]
keys = { hmac = "hunter2" }
[[auth.issuer]]
issuer = "c"
audience = ["x"]
algorithms = ["HS256"]
keys = { hmac = "env:NO_SUCH_VARIABLE" }
[auth.policy.Strange]
any_of = ["nobody"]
"#;
    let settings = file(place.path(), "wrong.toml", text);
    let error = run(place.path(), &["serve", "--config", &settings]).bad();
    for part in [
        "faults in wrong.toml:",
        "line 2: lisen: unknown field `lisen`",
        "line 10: auth.issuer.keys.hmacfile: unknown field",
        "base_path must be",
        "Mars/Olympus",
        "auth.leeway_s must be at most 300",
        "give `audience`",
        "HS257",
        "shorter than 32 bytes",
        "NO_SUCH_VARIABLE, which is not set",
        "\"Strange\"",
        "\"nobody\"",
    ] {
        assert!(error.contains(part), "{part} in {error}");
    }
    assert!(!error.contains("hunter"), "{error}");
    let error = run(place.path(), &["serve", "--config", "missing.toml"]).bad();
    assert!(error.contains("missing.toml") && error.contains("check --config"), "{error}");
    let settings = file(place.path(), "broken.toml", "[auth]\n[[auth.issuer]]\nkeys = { hmac = \"hunter2 }\n");
    let error = run(place.path(), &["serve", "--config", &settings]).bad();
    assert!(error.contains("line 3: ") && !error.contains("hunter"), "{error}");
    assert_eq!(files(place.path()).len(), 2, "nothing was made");
}

#[test]
fn with_a_directory_the_dashboard_is_for_those_whom_a_token_lets_in() {
    let place = tempfile::tempdir().unwrap();
    let settings = file(place.path(), "settings.toml", &format!("data = \"stats\"\nbase_path = \"/ops\"\n{SETTINGS}"));
    let server = Server::start(place.path(), &["--config", &settings]);
    for (path, token, status) in [
        ("/ops", None, 303),
        ("/ops/api/stats", None, 401),
        ("/ops/api/stats", Some(token(&["billing"])), 403),
        ("/ops/api/stats", Some(token(&["mod"])), 200),
        ("/ops/api/stats", Some(token(&["admin"])), 200),
        ("/ops/auth/verify/admin", Some(token(&["admin"])), 200),
        ("/ops/auth/verify/admin", Some(token(&["mod"])), 403),
        ("/ops/auth/verify", None, 401),
    ] {
        assert_eq!(server.get(path, token.as_deref()).status, status, "{path} {token:?}");
    }
    assert_eq!(mode(&place.path().join("stats/access.db")), 0o600);
    assert_eq!(server.stop().code, 0);
}

#[test]
fn flags_count_more_than_the_file() {
    let place = tempfile::tempdir().unwrap();
    let settings = file(place.path(), "settings.toml", &format!("listen = \"127.0.0.9:1\"\ndata = \"one\"\n{SETTINGS}"));
    let server = Server::start(place.path(), &["--config", &settings, "--host", "127.0.0.1", "--data", "two"]);
    assert_eq!(server.address.ip().to_string(), "127.0.0.1");
    assert!(place.path().join("two/access.db").exists() && !place.path().join("one").exists());
    drop(server);
    // A directory given as a flag is one too.
    let settings = file(place.path(), "verify.toml", SETTINGS);
    let server = Server::start(place.path(), &["--config", &settings, "--data", "three"]);
    assert!(server.greeting.contains("Dashboard") && place.path().join("three").exists(), "{}", server.greeting);
}

#[test]
fn flags_that_contradict_the_settings_are_refused_with_the_way_out() {
    let place = tempfile::tempdir().unwrap();
    let settings = file(place.path(), "settings.toml", SETTINGS);
    for (args, part) in [
        (&["--open"][..], "take one of them away"),
        (&["--demo"], "add --data"),
        (&["--open", "--host", "0.0.0.0"], "only for a loopback address"),
    ] {
        let args = [&["serve", "--port", "0", "--config", &settings], args].concat();
        let error = run(place.path(), &args).bad();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn without_settings_a_link_makes_the_first_admin_and_then_names_and_passwords_count() {
    let place = tempfile::tempdir().unwrap();
    let server = Server::start(place.path(), &[]);
    let link = server.greeting.split_whitespace().find(|word| word.contains("/analytics/link/")).unwrap();
    let link = link[link.find("/analytics").unwrap()..].to_owned();
    assert_eq!(server.get("/analytics/api/stats", None).status, 401);
    assert_eq!(server.get("/analytics/auth/verify", None).status, 401);
    assert_eq!(server.get(&link, None).status, 200);
    assert_eq!(server.get(&link, None).status, 200, "looking does not use it up");
    assert_eq!(server.post(&link, "username=ann&password=short&again=short").status, 422);
    assert_eq!(server.post(&link, "username=ann&password=correct+horse&again=correct+cow").status, 422);
    assert_eq!(server.post("/analytics/link/guess", "username=eve&password=correct+horse&again=correct+horse").status, 410);
    let made = server.post(&link, "username=ann&password=correct+horse&again=correct+horse");
    assert_eq!(made.status, 303, "{}", made.head);
    let cookie = made.cookie.unwrap();
    for path in ["/analytics", "/analytics/api/stats", "/analytics/api/auth/revocations", "/analytics/auth/verify/admin"] {
        assert_eq!(server.get_as(path, &cookie).status, 200, "{path}");
    }
    assert_eq!(server.post(&link, "username=eve&password=correct+horse&again=correct+horse").status, 410);
    assert_eq!(server.get(&link, None).status, 410);
    // Somebody is added meanwhile.
    assert_eq!(server.post("/analytics/login", "username=bob&password=correct+horse").status, 401);
    run_with(place.path(), &["user", "add", "bob"], "correct horse\n").good();
    assert_eq!(server.post("/analytics/login", "username=bob&password=correct+horse").status, 303);
    run(place.path(), &["user", "remove", "ann"]).good();
    assert_eq!(server.get_as("/analytics/api/stats", &cookie).status, 401);
    assert_eq!(server.stop().code, 0);
    let server = Server::start(place.path(), &[]);
    assert!(!server.greeting.contains("/link/") && server.greeting.contains("name and password"), "{}", server.greeting);
}

#[test]
fn keys_are_read_anew_on_a_hangup() {
    let place = tempfile::tempdir().unwrap();
    let (old, new) = (Signer::es256("k"), Signer::es256("k"));
    file(place.path(), "key.pem", &old.pem);
    let text = SETTINGS.replace("HS256", "ES256");
    let line = text.lines().find(|line| line.starts_with("keys")).unwrap().to_owned();
    let settings = file(place.path(), "settings.toml", &text.replace(&line, "keys = { pem_file = \"key.pem\", kid = \"k\" }"));
    let mut command = program(place.path());
    command.env("RUST_LOG", "info").args(["serve", "--port", "0", "--no-browser", "--config", &settings]);
    let server = Server::start_command(&mut command);
    let status = |signer: &Signer| server.get("/analytics/auth/verify", Some(&token_by(signer, &["mod"]))).status;
    assert_eq!((status(&old), status(&new)), (200, 401));
    file(place.path(), "key.pem", &new.pem);
    server.signal("HUP");
    let start = Instant::now();
    until("the new key counts", || status(&new) == 200);
    assert!(start.elapsed() < Duration::from_secs(30));
    assert_eq!(status(&old), 401);
    // What cannot be read leaves the keys as they are.
    file(place.path(), "key.pem", "no key");
    server.signal("HUP");
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(status(&new), 200);
    let done = server.stop();
    // Under load the first signal may be served when the file is no key any more.
    assert!(done.err.contains("could not be read anew"), "{}", done.err);
}

#[test]
fn the_example_is_whole_and_right() {
    let place = tempfile::tempdir().unwrap();
    let example = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/verify.toml")).unwrap();
    let settings = file(place.path(), "verify.toml", &example);
    let mut command = program(place.path());
    command.env("ANALYTICS_JWT_SECRET", SECRET).args(["serve", "--port", "0", "--config", &settings]);
    let server = Server::start_command(&mut command);
    assert!(server.greeting.contains("any, default, members, mod"), "{}", server.greeting);
    assert_eq!(server.get("/analytics/auth/verify/members", None).status, 401);
    drop(server);
    // And what is commented out is taken too.
    let bare = |line: &str| line.strip_prefix('#').filter(|rest| !rest.starts_with([' ', '#']) && !rest.is_empty()).map(str::to_owned);
    let whole: Vec<String> = example.lines().map(|line| bare(line).unwrap_or_else(|| line.to_owned())).collect();
    let whole = whole.join("\n").replace("/etc/tower-analytics/", "").replace("/var/lib/tower-analytics", "stats");
    file(place.path(), "jwks.json", &crate::common::signing::jwks([&Signer::rsa("r1", Algorithm::RS256)]));
    let settings = file(place.path(), "whole.toml", &whole);
    let mut command = program(place.path());
    command.env("ANALYTICS_JWT_SECRET", SECRET).args(["serve", "--port", "0", "--config", &settings]);
    let server = Server::start_command(&mut command);
    assert!(server.greeting.contains("Dashboard"), "{}", server.greeting);
}

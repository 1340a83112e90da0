//! `token`: issued, checked, revoked.

use std::path::Path;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use tower_analytics::Auth;

use crate::{
    common::signing::Signer,
    running::{Done, Server, fed, file, files, program, run, run_with},
};

const SECRET: &str = "0123456789abcdef0123456789abcdef-a-secret-of-the-tests";

const SETTINGS: &str = r#"
data = "stats"
[auth]
[[auth.issuer]]
issuer = "https://app.example.com"
audience = ["us", "them"]
algorithms = ["HS256"]
keys = { hmac_file = "secret" }
role_paths = ["realm_access.roles"]
role_map = { "stats-admin" = "admin", "stats-mod" = "mod", "billing" = "billing" }
"#;

/// A directory with a secret, and settings that use it.
fn place() -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    file(place.path(), "secret", &format!("{SECRET}\n"));
    file(place.path(), "settings.toml", SETTINGS);
    place
}

const BY_SETTINGS: [&str; 2] = ["--config", "settings.toml"];
const BY_SECRET: [&str; 2] = ["--secret-file", "secret"];

#[track_caller]
fn issue(at: &Path, args: &[&str]) -> String {
    let token = run(at, &[&["token", "issue", "--for", "ann"], args].concat()).good();
    token.trim_end().to_owned()
}

fn check(at: &Path, args: &[&str], token: &str) -> Done {
    run_with(at, &[&["token", "check"], args].concat(), token)
}

fn claims(token: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

#[test]
fn a_token_says_what_the_settings_look_for_and_is_good_by_them() {
    let place = place();
    let at = place.path();
    let args = ["--role", "mod", "--role", "billing", "--expires", "12h", "--name", "Ann A.", "--config", "settings.toml"];
    let done = run(at, &[&["token", "issue", "--for", "ann"][..], &args].concat());
    let token = done.out.trim_end();
    let said = claims(token);
    assert_eq!(said["realm_access"]["roles"], json!(["stats-mod", "billing"]));
    assert_eq!(said["exp"].as_i64().unwrap() - said["iat"].as_i64().unwrap(), 12 * 3600);
    assert_eq!(
        (&said["iss"], &said["aud"], &said["sub"], &said["name"]),
        (&json!("https://app.example.com"), &json!("us"), &json!("ann"), &json!("Ann A."))
    );
    let id = said["jti"].as_str().unwrap();
    assert!(done.err.contains(id) && done.err.contains("billing, mod") && !done.err.contains(token), "{}", done.err);
    let checked = check(at, &BY_SETTINGS, token).good();
    let (who, until) = checked.split_once('\n').unwrap();
    assert_eq!(who, "Good, for ann with the role billing, mod.");
    assert!(until.starts_with("It expires in 11 hours, at 20") || until.starts_with("It expires in 12 hours, at 20"), "{checked}");
    assert!(
        checked.contains("\"stats-mod\"") && !checked.contains(token) && !checked.contains(token.split('.').nth(2).unwrap()),
        "{checked}"
    );
    let json: Value = serde_json::from_str(&check(at, &[&BY_SETTINGS[..], &["--json"]].concat(), token).good()).unwrap();
    assert_eq!(
        (&json["good"], &json["subject"], &json["roles"], &json["claims"]),
        (&json!(true), &json!("ann"), &json!(["billing", "mod"]), &said)
    );
    // Each has an id of its own, and nothing is made by looking.
    assert_ne!(claims(&issue(at, &BY_SETTINGS))["jti"], said["jti"]);
    assert_eq!(files(at).len(), 2);
}

#[test]
fn a_token_of_a_bare_secret_is_good_for_the_short_form_and_for_a_server() {
    let place = place();
    let at = place.path();
    let token = issue(at, &[&BY_SECRET[..], &["--role", "admin", "--expires", "30d"]].concat());
    let who = Auth::hs256(SECRET).unwrap().verify(&token).unwrap();
    assert_eq!((who.subject(), who.roles()), ("ann", vec!["admin"]));
    assert_eq!(claims(&token)["role"], json!("admin"));
    check(at, &BY_SECRET, &token).good();
    let both = issue(at, &[&BY_SECRET[..], &["--role", "admin", "--role", "mod"]].concat());
    assert_eq!((claims(&both)["roles"].clone(), claims(&both).get("role")), (json!(["admin", "mod"]), None));
    // Named, and of a role that no settings know.
    let named = issue(at, &[&BY_SECRET[..], &["--role", "support", "--issuer", "me", "--audience", "us"]].concat());
    assert_eq!((&claims(&named)["iss"], &claims(&named)["aud"], &claims(&named)["role"]), (&json!("me"), &json!("us"), &json!("support")));
    // From the environment, for both.
    let mut issue = program(at);
    issue.env("ANALYTICS_JWT_SECRET", SECRET).args(["token", "issue", "--for", "bob", "--role", "mod", "--json"]);
    let issued: Value = serde_json::from_str(&fed(&mut issue, "").good()).unwrap();
    let token = issued["token"].as_str().unwrap();
    assert_eq!((&issued["subject"], &issued["id"]), (&json!("bob"), &claims(token)["jti"]));
    let mut check = program(at);
    check.env("ANALYTICS_JWT_SECRET", SECRET).args(["token", "check"]);
    assert!(fed(&mut check, format!("  Bearer {token}\n")).good().starts_with("Good, for bob with the role mod."));
}

#[test]
fn a_private_key_signs_alone_or_for_settings_that_hold_its_public_half() {
    let place = place();
    let at = place.path();
    run(at, &["key", "new", "--algorithm", "EdDSA", "--out", "ed.pem"]).good();
    let token = issue(at, &["--private-key", "ed.pem", "--role", "mod"]);
    let settings = |name: &str, keys: &str| {
        let text = SETTINGS.replace("\"HS256\"", "\"EdDSA\"").replace("hmac_file = \"secret\"", keys);
        file(at, name, &text)
    };
    // Without settings it names no issuer, which settings require.
    let by_pem = settings("pem.toml", "pem_file = \"ed.pem.pub\", kid = \"k1\"");
    let error = check(at, &["--config", &by_pem], &token).bad();
    assert!(error.contains("by nothing") && error.ends_with("(iss)\n"), "{error}");
    let token = issue(at, &["--private-key", "ed.pem", "--config", &by_pem, "--role", "admin"]);
    check(at, &["--config", &by_pem], &token).good();
    // Of a key set, the name of the key is found.
    let (other, ours) = (Signer::ed("k2"), std::fs::read(at.join("ed.pem")).unwrap());
    let key = jsonwebtoken::EncodingKey::from_ed_pem(&ours).unwrap();
    let ours = Signer { kid: "k3".to_owned(), alg: Algorithm::EdDSA, key, pem: String::new() };
    file(at, "jwks.json", &crate::common::signing::jwks([&other, &ours]));
    let by_set = settings("set.toml", "jwks_file = \"jwks.json\"");
    check(at, &["--config", &by_set], &issue(at, &["--private-key", "ed.pem", "--config", &by_set])).good();
    // Another key's token would not be taken, and so is not issued.
    run(at, &["key", "new", "--algorithm", "EdDSA", "--out", "stranger.pem"]).good();
    let error = run(at, &["token", "issue", "--for", "ann", "--private-key", "stranger.pem", "--config", &by_pem]).bad();
    assert!(error.contains("these settings would refuse it") && error.contains("two halves of one key pair"), "{error}");
    let error = run(at, &["token", "issue", "--for", "ann", "--config", &by_pem]).bad();
    assert!(error.contains("--private-key"), "{error}");
    let error = run(at, &["token", "issue", "--for", "ann", "--private-key", "ed.pem.pub"]).bad();
    assert!(error.contains("no private key"), "{error}");
}

#[test]
fn what_would_not_be_accepted_is_not_issued_and_it_is_said_why() {
    let place = place();
    let at = place.path();
    for (args, part) in [
        (&["--expires", "25h"][..], "longer than 86400 s"),
        (&["--audience", "others"], "not for us, them"),
        (&["--issuer", "others"], "no issuer \"others\", but https://app.example.com"),
        (&["--role", "root"], "gives no role \"root\""),
    ] {
        let error = run(at, &[&["token", "issue", "--for", "ann"], &BY_SETTINGS[..], args].concat()).bad();
        assert!(error.contains(part), "{error}");
    }
    let error = run(at, &[&["token", "issue", "--for", "a\u{7}b"], &BY_SECRET[..]].concat()).bad();
    assert!(error.contains("(sub)"), "{error}");
    let error = run(at, &["token", "issue", "--for", "ann"]).bad();
    assert!(error.contains("give --config or --secret-file") && error.contains("ANALYTICS_JWT_SECRET"), "{error}");
    let error = run(at, &["token", "issue", "--for", "ann", "--secret-file", "missing"]).bad();
    assert!(error.contains("cannot be read from missing"), "{error}");
    file(at, "short", "hunter2");
    let error = run(at, &["token", "issue", "--for", "ann", "--secret-file", "short"]).bad();
    assert!(error.contains("shorter than 32 bytes") && !error.contains("hunter2"), "{error}");
    let none = file(at, "none.toml", "data = \"stats\"\n");
    let error = run(at, &["token", "issue", "--for", "ann", "--config", &none]).bad();
    assert!(error.contains("no [auth] table"), "{error}");
    for expires in ["0s", "1 month", "soon", "-1h"] {
        let done = run(at, &["token", "issue", "--for", "ann", "--secret-file", "secret", &format!("--expires={expires}")]);
        assert!(done.code == 2 && done.err.contains("12h") || done.err.contains("30d"), "{done:?}");
    }
}

#[test]
fn why_a_token_is_not_good_is_said_with_what_to_do_and_without_the_token() {
    let place = place();
    let at = place.path();
    let good = issue(at, &[&BY_SETTINGS[..], &["--role", "mod"]].concat());
    let signer = Signer { kid: String::new(), ..Signer::secret("", Algorithm::HS256, SECRET.as_bytes()) };
    let made = |changes: Value| {
        let claims = crate::common::signing::with(&claims(&good), &changes);
        signer.with_header(&json!({"alg": "HS256"}), &claims)
    };
    let now = claims(&good)["iat"].as_i64().unwrap();
    let stranger = Signer::secret("", Algorithm::HS256, &[7; 40]).with_header(&json!({"alg": "HS256"}), &claims(&good));
    let parts: Vec<_> = good.split('.').collect();
    let cases = [
        (made(json!({"exp": now - 7300})), "exp", "it expired 2 hours ago, at 20"),
        (made(json!({"exp": "never"})), "exp", "no sensible number: \"never\""),
        (made(json!({"nbf": now + 3600})), "nbf", "not good yet"),
        (made(json!({"iat": "(absent)"})), "iat", "issued"),
        (made(json!({"exp": now + 90_000})), "lifetime", "longer than 86400 s"),
        (made(json!({"iss": "https://evil.example"})), "iss", "by \"https://evil.example\""),
        (made(json!({"aud": ["a\u{9b}"]})), "aud", "not for us, them"),
        (made(json!({"sub": "(absent)"})), "sub", "(sub)"),
        (made(json!({"jti": 7})), "jti", "no id"),
        (made(json!({"cnf": {}})), "cnf", "bound to a key"),
        (stranger, "bad_signature", "the same secret"),
        (
            format!("{}.{}.{}", parts[0], made(json!({"sub": "eve"})).split('.').nth(1).unwrap(), parts[2]),
            "bad_signature",
            "was changed since",
        ),
        ("hunter2".to_owned(), "malformed", "copy the whole of it"),
        ("a.b".to_owned(), "malformed", "three parts"),
        (signer.with_header(&json!({"alg": "HS384"}), &claims(&good)), "alg", "HS256"),
        (signer.with_header(&json!({"alg": "HS256", "typ": "logout+jwt"}), &claims(&good)), "typ", "another kind of token"),
        (signer.with_header(&json!({"alg": "HS256", "kid": "x"}), &claims(&good)), "unknown_key", "kid"),
        ("x".repeat(10_000), "too_large", "8192 bytes"),
    ];
    for (token, reason, part) in cases {
        let error = check(at, &BY_SETTINGS, &token).bad();
        assert!(error.contains(part) && error.contains("What to do: ") && error.ends_with(&format!("({reason})\n")), "{reason}: {error}");
        assert!(!error.contains(&token) && !error.contains('\u{9b}'), "{error}");
        let done = check(at, &[&BY_SETTINGS[..], &["--json"]].concat(), &token);
        let json: Value = serde_json::from_str(&done.out).unwrap();
        assert_eq!((done.code, &json["good"], &json["reason"]), (1, &json!(false), &json!(reason)));
        assert!(!done.out.contains(&token) && !done.err.contains(SECRET), "{done:?}");
    }
    let error = check(at, &BY_SETTINGS, "").bad();
    assert!(error.contains("no token on the standard input"), "{error}");
    // As an argument too, though its help says why not.
    assert!(run(at, &[&["token", "check", &good], &BY_SETTINGS[..]].concat()).good().starts_with("Good"));
    let help = run(at, &["token", "check", "--help"]).good();
    assert!(help.contains("every user of this machine can read arguments") && help.contains("< token"), "{help}");
}

#[test]
fn a_revoked_token_is_refused_by_a_running_server_at_once_until_it_is_taken_back() {
    let place = place();
    let at = place.path();
    // Where nobody looks for revocations yet, one is not made as if somebody did.
    let error = run(at, &["token", "revoke", "--id", "x", "--config", "settings.toml"]).bad();
    assert!(error.contains("no access.db in stats"), "{error}");
    let server = Server::start(at, &BY_SETTINGS);
    let [one, two] = [0, 1].map(|_| issue(at, &[&BY_SETTINGS[..], &["--role", "mod"]].concat()));
    let status = |token: &str| server.get("/analytics/auth/verify", Some(token)).status;
    assert_eq!((status(&one), status(&two)), (200, 200));

    let said = run_with(at, &[&["token", "revoke"], &BY_SETTINGS[..]].concat(), &one).good();
    assert!(
        said.starts_with("Revoked: token ") && said.contains("by https://app.example.com, kept until 20") && !said.contains(&one),
        "{said}"
    );
    assert_eq!((status(&one), status(&two)), (401, 200));
    let error = check(at, &BY_SETTINGS, &one).bad();
    assert!(error.contains("it was revoked"), "{error}");
    let listed: Value = serde_json::from_str(&run(at, &["token", "revocations", "--data", "stats", "--json"]).good()).unwrap();
    assert_eq!((&listed[0]["issuer"], &listed[0]["id"]), (&json!("https://app.example.com"), &claims(&one)["jti"]));
    let id = claims(&one)["jti"].as_str().unwrap().to_owned();
    run(at, &["token", "unrevoke", "--id", &id, "--data", "stats"]).good();
    // An id may begin with a hyphen.
    run(at, &["token", "revoke", "--id", "-x", "--issuer", "https://app.example.com", "--data", "stats"]).good();
    run(at, &["token", "unrevoke", "--id", "-x", "--data", "stats"]).good();
    assert_eq!(status(&one), 200);

    // By its id alone, the issuer being that of the settings.
    run(at, &["token", "revoke", "--id", &id, "--config", "settings.toml"]).good();
    assert_eq!((status(&one), status(&two)), (401, 200));
    let said = run(at, &["token", "revoke", "--subject", "ann", "--config", "settings.toml"]).good();
    assert!(said.contains("tokens for ann by https://app.example.com, issued before 20") && said.contains("kept until 20"), "{said}");
    assert_eq!((status(&one), status(&two)), (401, 401));
    let lines = run(at, &["token", "revocations", "--config", "settings.toml"]).good();
    assert_eq!(lines.lines().count(), 2, "{lines}");
    run(at, &["token", "unrevoke", "--subject", "ann", "--config", "settings.toml", "--json"]).good();
    assert_eq!((status(&one), status(&two)), (401, 200));
    let done = server.stop();
    let said = format!("{}{}", done.out, done.err);
    assert!(!said.contains(&one) && !said.contains(&two) && !said.contains(SECRET), "{said}");
}

#[test]
fn revocations_that_make_no_sense_are_refused_and_an_expired_token_needs_none() {
    let place = place();
    let at = place.path();
    run_with(at, &["user", "add", "ann", "--data", "stats"], "correct horse battery\n").good();
    for (args, input, part) in [
        (&["token", "unrevoke", "--id", "x", "--data", "stats"][..], "", "no such revocation"),
        (&["token", "revoke", "--id", "", "--issuer", "a", "--data", "stats"], "", "1 to 1024 bytes"),
        (&["token", "revoke", "--id", "x", "--issuer", "others", "--config", "settings.toml"], "", "no issuer \"others\""),
        (&["token", "revoke", "--config", "settings.toml"], "a.b.c", "not good anyway"),
        (&["token", "revoke", "--config", "settings.toml"], "", "no token on the standard input"),
        (&["token", "revoke", "--data", "stats"], "a.b.c", "give --config or --secret-file"),
        (&["token", "revocations", "--data", "nowhere"], "", "check --data"),
    ] {
        let error = run_with(at, args, input).bad();
        assert!(error.contains(part), "{args:?} {error}");
    }
    assert_eq!(run(at, &["token", "revoke", "--id", "x", "--subject", "y", "--data", "stats"]).code, 2);
    assert_eq!(run(at, &["token", "revocations", "--data", "stats", "--json"]).good(), "[]\n");
    let signer = Signer::secret("", Algorithm::HS256, SECRET.as_bytes());
    let expired = signer.with_header(&json!({"alg": "HS256"}), &json!({"sub": "ann", "exp": 1_700_000_000, "jti": "1"}));
    let said = run_with(at, &["token", "revoke", "--data", "stats", "--secret-file", "secret"], expired).good();
    assert!(said.contains("nothing to revoke"), "{said}");
    let nameless = signer.with_header(&json!({"alg": "HS256"}), &json!({"sub": "ann", "exp": 4_000_000_000_u64}));
    let error = run_with(at, &["token", "revoke", "--data", "stats", "--secret-file", "secret"], nameless).bad();
    assert!(error.contains("--subject"), "{error}");
}

#[test]
fn tokens_of_the_short_form_are_revoked_by_no_issuer() {
    let place = place();
    let at = place.path();
    let text = "data = \"stats\"\n[auth]\nmax_token_lifetime_s = 0\n[[auth.issuer]]\nallow_any_issuer = true\nallow_any_audience = true\n\
                algorithms = [\"HS256\"]\nkeys = { hmac_file = \"secret\" }\nrole_paths = [\"role\"]\nrole_map = { mod = \"mod\" }\n";
    let settings = file(at, "any.toml", text);
    let server = Server::start(at, &["--config", &settings]);
    let token = issue(at, &[&BY_SECRET[..], &["--role", "mod", "--issuer", "whoever"]].concat());
    assert_eq!(server.get("/analytics/auth/verify", Some(&token)).status, 200);
    let id = claims(&token)["jti"].as_str().unwrap().to_owned();
    let done = run(at, &["token", "revoke", "--id", &id, "--data", "stats"]);
    assert!(
        done.err.contains("only where any issuer is taken") && done.out.contains("where any issuer is taken, kept for ever"),
        "{done:?}"
    );
    assert_eq!(server.get("/analytics/auth/verify", Some(&token)).status, 401);
    run(at, &["token", "unrevoke", "--id", &id, "--data", "stats"]).good();
    run_with(at, &["token", "revoke", "--data", "stats", "--secret-file", "secret"], &token).good();
    assert_eq!(server.get("/analytics/auth/verify", Some(&token)).status, 401);
}

#[test]
fn every_command_explains_itself() {
    let place = place();
    for command in ["issue", "check", "revoke", "revocations", "unrevoke"] {
        let help = run(place.path(), &["token", command, "--help"]).good();
        assert!(help.contains("--config <FILE>") && help.contains("--json"), "{help}");
    }
    for args in [&["token", "--help"][..], &["token", "issue", "--help"], &["token", "revoke", "--help"], &["key", "--help"]] {
        assert!(run(place.path(), args).good().contains("Examples:\n  tower-analytics "), "{args:?}");
    }
}

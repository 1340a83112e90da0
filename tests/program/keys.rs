//! `key new`: what is made, where it goes, and that it works.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::running::{Done, Server, file, files, mode, program, run};

#[test]
fn a_secret_is_as_long_as_its_algorithm_needs_and_another_each_time() {
    let place = tempfile::tempdir().unwrap();
    for (algorithm, bytes) in [("HS256", 32), ("hs384", 48), ("HS512", 64)] {
        let made = || run(place.path(), &["key", "new", "--algorithm", algorithm]);
        let Done { out, err, .. } = made();
        let secret = out.strip_suffix('\n').unwrap();
        assert_eq!(URL_SAFE_NO_PAD.decode(secret).unwrap().len(), bytes);
        assert!(err.contains("ANALYTICS_JWT_SECRET") && err.contains(&algorithm.to_uppercase()) && !err.contains(secret), "{err}");
        assert_ne!(made().out, out);
    }
    assert!(files(place.path()).is_empty());
}

#[cfg(unix)]
#[test]
fn a_key_in_a_file_is_for_its_owner_only_and_never_overwritten() {
    let place = tempfile::tempdir().unwrap();
    let at = place.path();
    let said = run(at, &["key", "new", "--out", "secret"]).good();
    let secret = std::fs::read_to_string(at.join("secret")).unwrap();
    assert!(said.contains(&format!("hmac_file = \"{}\"", at.canonicalize().unwrap().join("secret").display())), "{said}");
    assert!(!said.contains(secret.trim()) && secret.ends_with('\n'), "{said}");
    assert_eq!(mode(&at.join("secret")), 0o600);
    let error = run(at, &["key", "new", "--out", "secret"]).bad();
    assert!(error.contains("never overwritten") && error.contains("move it away"), "{error}");
    assert_eq!(std::fs::read_to_string(at.join("secret")).unwrap(), secret);

    run(at, &["key", "new", "--algorithm", "EdDSA", "--out", "key.pem"]).good();
    assert_eq!(mode(&at.join("key.pem")), 0o600);
    let public = std::fs::read_to_string(at.join("key.pem.pub")).unwrap();
    assert!(public.starts_with("-----BEGIN PUBLIC KEY-----\n") && !public.contains("PRIVATE"), "{public}");
    // Either half that is there already keeps both from being made.
    for (there, other) in [("a", "a.pub"), ("b.pub", "b")] {
        file(at, there, "mine");
        let error = run(at, &["key", "new", "--algorithm", "ES256", "--out", there.trim_end_matches(".pub")]).bad();
        assert!(error.contains("never overwritten"), "{error}");
        assert!(!at.join(other).exists() && std::fs::read_to_string(at.join(there)).unwrap() == "mine");
    }
    std::os::unix::fs::symlink("nowhere", at.join("link")).unwrap();
    run(at, &["key", "new", "--out", "link"]).bad();
    assert!(!at.join("nowhere").exists());
    let error = run(at, &["key", "new", "--out", "no/such/directory"]).bad();
    assert!(error.contains("cannot be written"), "{error}");
}

#[test]
fn what_is_printed_for_programs_is_json() {
    let place = tempfile::tempdir().unwrap();
    let json =
        |args: &[&str]| -> Value { serde_json::from_str(&run(place.path(), &[&["key", "new", "--json"], args].concat()).good()).unwrap() };
    assert_eq!(json(&[])["secret"].as_str().unwrap().len(), 43);
    let pair = json(&["--algorithm", "ES256"]);
    assert!(pair["private_key"].as_str().unwrap().contains("BEGIN PRIVATE KEY"), "{}", pair["algorithm"]);
    assert!(pair["public_key"].as_str().unwrap().contains("BEGIN PUBLIC KEY"));
    let file = json(&["--algorithm", "HS512", "--out", "secret"]);
    assert!(file["file"] == "secret" && file.get("secret").is_none() && file["settings"].as_str().unwrap().contains("hmac_file"), "{file}");
}

/// The settings that `key new` says, in a file, open the server to what the key signs.
#[test]
fn what_is_said_works_for_every_algorithm() {
    let place = tempfile::tempdir().unwrap();
    let at = place.path();
    for algorithm in ["HS256", "HS384", "HS512", "RS256", "ES256", "EdDSA"] {
        let key = format!("key-{algorithm}");
        let said = run(at, &["key", "new", "--algorithm", algorithm, "--out", &key]).good();
        let (_, settings) = said.split_once("[[auth.issuer]]:\n").unwrap();
        let text = format!(
            "[auth]\n[[auth.issuer]]\nissuer = \"me\"\naudience = [\"us\"]\nrole_paths = [\"roles\"]\nrole_map = {{ mod = \"mod\" }}\n{settings}"
        );
        let settings = file(at, &format!("{algorithm}.toml"), &text);
        let mut issue = program(at);
        issue.args(["token", "issue", "--for", "ann", "--role", "mod", "--config", &settings]);
        if !algorithm.starts_with("HS") {
            issue.args(["--private-key", &key]);
        }
        let issued = issue.output().unwrap();
        assert!(issued.status.success(), "{algorithm} {}", String::from_utf8_lossy(&issued.stderr));
        let token = String::from_utf8(issued.stdout).unwrap();
        let server = Server::start(at, &["--config", &settings]);
        assert_eq!(server.get("/analytics/auth/verify/mod", Some(token.trim())).status, 200, "{algorithm}");
    }
}

//! Keys from an issuer's own host: what it may send, how long it may take, and where it may lead.

mod common;

use std::{
    io::Write,
    path::Path,
    process::Command,
    sync::Arc,
    time::{Duration, Instant, UNIX_EPOCH},
};

use common::{
    as_child, child,
    host::{Host, ok},
    signing::{Signer, b64, jwks},
    until,
};
use jsonwebtoken::Algorithm;
use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    crypto::aws_lc_rs,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use serde_json::{Value, json};
use tower_analytics::{
    Auth, Clock, Error,
    auth::{Issuer, Reason},
};

const NOW: u64 = 1_800_000_000;
const ISSUER: &str = "https://id.example.com";

fn clock() -> Clock {
    Clock::manual(UNIX_EPOCH + Duration::from_secs(NOW))
}

fn claims_of(issuer: &str) -> Value {
    json!({"iss": issuer, "aud": "us", "sub": "ann", "iat": NOW, "exp": NOW + 86_000})
}

fn claims() -> Value {
    claims_of(ISSUER)
}

fn at(url: &str) -> Issuer {
    let mut issuer = Issuer::new(ISSUER, ["us"]);
    issuer.keys.jwks_url = Some(url.to_owned());
    issuer
}

fn discovering(issuer: &str) -> Issuer {
    let mut issuer = Issuer::new(issuer, ["us"]);
    issuer.keys.discovery = true;
    issuer
}

fn build(issuer: Issuer, clock: &Clock) -> Result<Auth, Error> {
    Auth::builder().issuer(issuer).clock(clock.clone()).build()
}

fn in_a_process_of_its_own(test: &str) -> Command {
    child(&["env"], &std::env::current_exe().unwrap(), test, Path::new("child"))
}

/// What is said of an answer that is refused; nothing is verified with it.
#[track_caller]
fn refusal(auth: &Auth, what: &str) -> String {
    let error = format!("{:?}", auth.reload().expect_err(what));
    assert_eq!(auth.verify(&Signer::ed("d").token(&claims())).unwrap_err(), Reason::KeysUnavailable, "{what}");
    error
}

#[test]
fn keys_come_from_the_address_and_change_there() {
    let (old, new) = (Signer::ed("old"), Signer::es256("new"));
    let (host, clock) = (Host::new(), clock());
    host.serves("", jwks([&old]));
    let auth = build(at(&host.url("/certs?tenant=a")), &clock).unwrap();
    until("the keys are there", || auth.verify(&old.token(&claims())).is_ok());
    let head = host.asked().remove(0).to_lowercase();
    assert!(head.starts_with("get /certs?tenant=a http/1.1\r\n"), "{head}");
    assert!(head.contains("user-agent: tower-analytics/") && head.contains("accept-encoding: identity\r\n"), "{head}");
    host.serves("", jwks([&old, &new]));
    clock.advance(Duration::from_secs(31));
    until("an unknown name was looked for", || auth.verify(&new.token(&claims())).is_ok());
    auth.verify(&old.token(&claims())).expect("both work while they overlap");
    host.serves("", jwks([&new]));
    clock.advance(Duration::from_secs(481));
    until("a key that is gone works no more, though its token is cached", || auth.verify(&old.token(&claims())).is_err());
    auth.verify(&new.token(&claims())).unwrap();
    assert_eq!(host.asked().len(), 3);
}

#[test]
fn the_host_says_how_long_its_keys_are_fresh() {
    let day = 24 * 3600;
    for (cache_control, fresh_for) in [
        ("", 600),
        ("Cache-Control: no-cache\r\n", 600),
        ("Cache-Control: public, max-age=3600\r\n", 3600),
        ("Cache-Control: max-age=0\r\n", 60),
        ("Cache-Control: max-age=31536000\r\n", day),
    ] {
        let signer = Signer::ed("d");
        let (host, clock) = (Host::new(), clock());
        host.serves(cache_control, jwks([&signer]));
        let auth = build(at(&host.url("/")), &clock).unwrap();
        until("the keys are there", || auth.verify(&signer.token(&claims())).is_ok());
        clock.advance(Duration::from_secs(fresh_for / 5 * 4 - 1));
        std::thread::sleep(Duration::from_millis(1200));
        assert_eq!(host.asked().len(), 1, "too early: {cache_control}");
        clock.advance(Duration::from_secs(1));
        until("they are fetched again", || host.asked().len() == 2);
    }
}

#[test]
fn discovery_leads_from_the_issuer_to_its_keys() {
    for slash in ["", "/"] {
        let signer = Signer::ed("d");
        let (host, clock) = (Host::new(), clock());
        let issuer = host.url(&format!("/realms/main{slash}"));
        let document = json!({"issuer": issuer, "jwks_uri": host.url("/realms/main/certs"), "scopes_supported": ["openid"]});
        let keys = jwks([&signer]);
        host.answer(move |path, stream| match path {
            "/realms/main/.well-known/openid-configuration" => {
                stream.write_all(&ok("Cache-Control: max-age=60\r\n", document.to_string().as_bytes()))
            }
            "/realms/main/certs" => stream.write_all(&ok("", keys.as_bytes())),
            _ => stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
        });
        let auth = build(discovering(&issuer), &clock).unwrap();
        until("the keys are there", || auth.verify(&signer.token(&claims_of(&issuer))).is_ok());
        assert_eq!(auth.verify(&signer.token(&claims())).unwrap_err(), Reason::Iss);
        assert_eq!(host.asked().len(), 2);
    }
}

#[test]
fn a_discovery_document_cannot_lead_elsewhere() {
    let (host, other, clock) = (Host::new(), Host::new(), clock());
    other.serves("", jwks([&Signer::ed("d")]));
    let issuer = host.url("");
    let auth = build(discovering(&issuer), &clock).unwrap();
    let port = host.address.port();
    let good = host.url("/certs");
    for (document, part) in [
        (json!({"issuer": ISSUER, "jwks_uri": good}).to_string(), "another issuer"),
        (json!({"issuer": format!("{issuer}/"), "jwks_uri": good}).to_string(), "another issuer"),
        (json!({"issuer": [issuer], "jwks_uri": good}).to_string(), "another issuer"),
        (json!({"jwks_uri": good}).to_string(), "another issuer"),
        (json!({"issuer": issuer}).to_string(), "no `jwks_uri`"),
        (json!({"issuer": issuer, "jwks_uri": [good]}).to_string(), "no `jwks_uri`"),
        (json!({"issuer": issuer, "jwks_uri": other.url("/certs")}).to_string(), "another host"),
        (json!({"issuer": issuer, "jwks_uri": format!("http://localhost:{port}/certs")}).to_string(), "another host"),
        (json!({"issuer": issuer, "jwks_uri": format!("https://127.0.0.1:{port}/certs")}).to_string(), "another host"),
        (json!({"issuer": issuer, "jwks_uri": format!("http://127.0.0.1:{port}@{}/certs", other.address)}).to_string(), "a password"),
        (json!({"issuer": issuer, "jwks_uri": "http://169.254.169.254/latest"}).to_string(), "must be https"),
        (json!({"issuer": issuer, "jwks_uri": "file:///etc/passwd"}).to_string(), "address"),
        (json!({"issuer": issuer, "jwks_uri": "/certs"}).to_string(), "whole address"),
        (format!(r#"{{"issuer":"{issuer}","jwks_uri":"{good}","issuer":"{ISSUER}"}}"#), "no JSON object"),
        (json!([issuer, good]).to_string(), "no JSON object"),
        ("<html>".to_owned(), "no JSON object"),
    ] {
        host.serves("", document.clone());
        let error = refusal(&auth, &document);
        assert!(error.contains(part), "{document}: {error}");
    }
    assert!(other.asked().is_empty());
    assert!(host.asked().iter().all(|head| head.starts_with("GET /.well-known/openid-configuration ")));
}

#[test]
fn redirects_are_not_followed() {
    let (host, other, clock) = (Host::new(), Host::new(), clock());
    other.serves("", jwks([&Signer::ed("d")]));
    let auth = build(at(&host.url("/")), &clock).unwrap();
    for status in [300, 301, 302, 303, 307, 308] {
        for to in ["file:///etc/passwd", "http://169.254.169.254/latest/meta-data", "https://id.example.com/", &other.url("/"), "/again"] {
            let answer = format!("HTTP/1.1 {status} Elsewhere\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n");
            host.answer(move |_, stream| stream.write_all(answer.as_bytes()));
            let error = refusal(&auth, to);
            assert!(error.contains(&format!("answers {status}")), "{to}: {error}");
        }
    }
    assert!(other.asked().is_empty());
    assert!(host.asked().iter().all(|head| head.starts_with("GET / ")));
}

#[test]
fn answers_that_are_too_long_or_no_key_set_are_refused() {
    let (host, clock) = (Host::new(), clock());
    let auth = build(at(&host.url("/")), &clock).unwrap();
    let ten_mb = vec![b' '; 10 << 20];
    // A mebibyte of blanks in gzip, over and over: 10 MB that would be as many GB.
    let bomb = [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3][..], &vec![0; 10 << 20]].concat();
    let chunked = [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec(), b"100000\r\n".to_vec(), vec![b' '; 1 << 20]].concat();
    let oct = json!({"keys": [{"kty": "oct", "kid": "d", "alg": "HS256", "k": b64([1; 32])}]}).to_string();
    let answers = [
        ("10 MB", ok("", &ten_mb), "document"),
        ("10 MB in chunks", chunked, "document"),
        ("10 MB without a length", [b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), ten_mb.clone()].concat(), "document"),
        ("10 MB that claim to be 10 bytes", [b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n".to_vec(), ten_mb].concat(), "JSON"),
        ("fewer bytes than claimed", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"keys\":[]}".to_vec(), "document"),
        ("a gzip bomb", ok("Content-Encoding: gzip\r\n", &bomb), "compressed"),
        ("a small one that says nothing", ok("", &bomb[..1000]), "JSON"),
        ("10 MB of header lines", format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(10 << 20)).into_bytes(), "reached"),
        ("no keys", ok("", b"{\"keys\":[]}"), "no key"),
        ("a secret", ok("", oct.as_bytes()), "no key"),
        ("a page", ok("Content-Type: text/html\r\n", b"<html>"), "JSON"),
        ("nothing", ok("", b""), "JSON"),
        ("no HTTP", b"keys\r\n\r\n".to_vec(), "reached"),
        ("an end", Vec::new(), "reached"),
        ("204", b"HTTP/1.1 204 No Content\r\n\r\n".to_vec(), "answers 204"),
        ("404", b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec(), "answers 404"),
        ("500", b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n".to_vec(), "answers 500"),
    ];
    for (what, answer, part) in answers {
        host.answer(move |_, stream| stream.write_all(&answer));
        let start = Instant::now();
        let error = refusal(&auth, what);
        assert!(error.contains(part), "{what}: {error}");
        assert!(start.elapsed() < Duration::from_secs(4), "{what} took {:?}", start.elapsed());
    }
    let signer = Signer::ed("d");
    let keys = jwks([&signer]);
    let longest = keys.clone() + &" ".repeat((256 << 10) - keys.len());
    host.serves("", longest.clone());
    auth.reload().unwrap();
    host.serves("", longest + " ");
    auth.reload().unwrap_err();
    auth.verify(&signer.token(&claims())).expect("the keys from before stay");
}

#[test]
fn whoever_trickles_is_given_up_on_after_five_seconds() {
    let trickle = |bytes: &'static [u8]| {
        move |_: &str, stream: &mut dyn Write| -> std::io::Result<()> {
            stream.write_all(bytes)?;
            for _ in 0..600 {
                stream.write_all(b"1")?;
                stream.flush()?;
                std::thread::sleep(Duration::from_millis(100));
            }
            Ok(())
        }
    };
    let kinds: [(&str, &'static [u8]); 4] = [
        ("a status line", b"HTTP/1.1 2"),
        ("a header line", b"HTTP/1.1 200 OK\r\nX: "),
        ("a body", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"),
        ("a length", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
    ];
    let tries = kinds.map(|(what, bytes)| {
        std::thread::spawn(move || {
            let (host, clock, signer) = (Host::new(), clock(), Signer::ed("d"));
            host.serves("", jwks([&signer]));
            let auth = build(at(&host.url("/")), &clock).unwrap();
            until("the keys are there", || auth.verify(&signer.token(&claims())).is_ok());
            host.answer(trickle(bytes));
            let (waiting, start) = (auth.clone(), Instant::now());
            let reload = std::thread::spawn(move || waiting.reload().expect_err("no answer"));
            while !reload.is_finished() {
                auth.verify(&signer.token(&claims())).expect("no request waits for the host");
                std::thread::sleep(Duration::from_millis(10));
            }
            let error = format!("{:?}", reload.join().unwrap());
            // A line of digits may be no HTTP before the time is over.
            assert!(start.elapsed() < Duration::from_millis(6500), "{what}: {error} after {:?}", start.elapsed());
            assert!(start.elapsed() > Duration::from_secs(4) || error.contains("reached"), "{what}: {error} after {:?}", start.elapsed());
        })
    });
    for one in tries {
        one.join().unwrap();
    }
}

#[test]
fn an_address_that_is_not_safe_is_refused_at_once() {
    for (url, part) in [
        ("http://id.example.com/certs", "must be https"),
        ("http://169.254.169.254/", "must be https"),
        ("file:///etc/passwd", "address"),
        ("ftp://localhost/", "must be https"),
        ("id.example.com", "whole address"),
        ("https://ann:secret@id.example.com/", "password"),
    ] {
        let error = build(at(url), &clock()).unwrap_err().to_string();
        assert!(error.contains("`jwks_url`") && error.contains(part) && !error.contains("secret"), "{url}: {error}");
        let error = build(discovering(url), &clock()).unwrap_err().to_string();
        assert!(error.contains("`discovery`"), "{url}: {error}");
    }
    let error = build(discovering("https://id.example.com/?a=b"), &clock()).unwrap_err().to_string();
    assert!(error.contains("query"), "{error}");
    let mut both = at("https://id.example.com/certs");
    both.keys.discovery = true;
    let error = build(both, &clock()).unwrap_err().to_string();
    assert!(error.contains("exactly one"), "{error}");
}

#[test]
fn proxies_of_the_environment_are_not_asked() {
    let proxy = Host::new();
    if as_child().is_some() {
        return keys_come_from_the_address_and_change_there();
    }
    let mut child = in_a_process_of_its_own("proxies_of_the_environment_are_not_asked");
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        child.env(name, proxy.url(""));
    }
    assert!(child.status().unwrap().success());
    assert!(proxy.asked().is_empty());
}

/// With a certificate of `localhost`, by nobody else.
fn tls_host() -> (Host, String) {
    let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(own.signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider())).with_safe_default_protocol_versions();
    let config = config.unwrap().with_no_client_auth().with_single_cert(vec![own.cert.der().clone()], key);
    let config = Arc::new(config.unwrap());
    let host = Host::through(move |stream| Box::new(StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream)));
    (host, own.cert.pem())
}

#[test]
fn only_a_host_whose_certificate_the_machine_trusts_is_believed() {
    const URL: &str = "TEST_URL";
    if as_child().is_some() {
        // Another process serves, and its certificate is all that this one trusts.
        let signer = Signer::secret("", Algorithm::HS256, &[1; 32]);
        let auth = build(at(&std::env::var(URL).unwrap()), &clock()).unwrap();
        until("the keys are there", || auth.verify(&signer.token(&claims())) != Err(Reason::KeysUnavailable));
        let wrong_name = std::env::var(URL).unwrap().replace("localhost", "127.0.0.1");
        build(at(&wrong_name), &clock()).unwrap().reload().expect_err("a certificate of another name");
        return;
    }
    let (host, certificate) = tls_host();
    host.serves("", jwks([&Signer::ed("d")]));
    let url = format!("https://localhost:{}/", host.address.port());
    // Unless this machine trusts nobody at all.
    if let Ok(auth) = build(at(&url), &clock()) {
        let error = refusal(&auth, "a certificate by nobody");
        assert!(error.contains("certificate"), "{error}");
    }
    assert!(host.asked().is_empty());
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), certificate).unwrap();
    let mut child = in_a_process_of_its_own("only_a_host_whose_certificate_the_machine_trusts_is_believed");
    child.env("SSL_CERT_FILE", file.path()).env_remove("SSL_CERT_DIR").env(URL, url);
    assert!(child.status().unwrap().success());
    assert!(!host.asked().is_empty());
}

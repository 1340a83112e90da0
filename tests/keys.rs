//! Which keys are taken, from where, and how they change while requests go on.

mod common;

use std::{
    fs,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, UNIX_EPOCH},
};

use common::{
    signing::{Signer, b64, jwks},
    until,
};
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use tempfile::NamedTempFile;
use tower_analytics::{
    Auth, Clock, Error, ErrorKind,
    auth::{AuthConfig, Issuer, Keys, Policy, Reason, Secret, TokenCache},
};

const NOW: u64 = 1_800_000_000;
const ISSUER: &str = "https://id.example.com";

fn clock() -> Clock {
    Clock::manual(UNIX_EPOCH + Duration::from_secs(NOW))
}

fn claims() -> Value {
    json!({"iss": ISSUER, "aud": "us", "sub": "ann", "iat": NOW, "exp": NOW + 80_000})
}

fn issuer(algorithms: &[&str], keys: impl FnOnce(&mut Keys)) -> Issuer {
    let mut issuer = Issuer::new(ISSUER, ["us"]);
    issuer.algorithms = algorithms.iter().map(|name| (*name).to_owned()).collect();
    keys(&mut issuer.keys);
    issuer
}

fn build(issuer: Issuer) -> Result<Auth, Error> {
    Auth::builder().issuer(issuer).clock(clock()).build()
}

fn file(text: impl AsRef<[u8]>) -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    fs::write(file.path(), text).unwrap();
    file
}

#[test]
fn secrets_are_long_enough_and_no_key_files() {
    let rsa = Signer::rsa("r", Algorithm::RS256);
    for (alg, secret, part) in [
        ("HS256", "x".repeat(31), "32 bytes"),
        ("HS384", "x".repeat(47), "48 bytes"),
        ("HS512", "x".repeat(63), "64 bytes"),
        ("HS256", String::new(), "32 bytes"),
        ("HS256", rsa.pem.clone(), "key file"),
        ("HS256", format!("\n {}", rsa.pem), "key file"),
        ("HS256", "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQ".to_owned(), "key file"),
        ("HS256", rsa.jwk().to_string(), "key file"),
        ("RS256", "x".repeat(64), "not HS256"),
        ("HS257", "x".repeat(64), "no algorithm"),
        ("HS256", "env:ANALYTICS_TEST_THAT_IS_NOT_SET".to_owned(), "ANALYTICS_TEST_THAT_IS_NOT_SET"),
        ("HS256", "file:/nowhere/at/all".to_owned(), "/nowhere/at/all"),
    ] {
        let error = build(issuer(&[alg], |keys| keys.hmac = Some(Secret::new(secret.as_str())))).unwrap_err();
        assert!(error.to_string().contains(part), "{alg}: {error}");
        assert!(
            secret.len() < 12 || secret.starts_with("env:") || secret.starts_with("file:") || !error.to_string().contains(&secret[..12])
        );
    }
    for (alg, length) in [("HS256", 32), ("HS384", 48), ("HS512", 64)] {
        let secret = "x".repeat(length);
        let auth = build(issuer(&[alg], |keys| keys.hmac = Some(Secret::new(secret.as_str())))).unwrap();
        let signer = Signer::secret("", alg.parse().unwrap(), secret.as_bytes());
        auth.verify(&signer.with_header(&json!({"alg": alg}), &claims())).unwrap();
    }
}

#[test]
fn a_secret_stands_in_a_file_too_and_in_base64url() {
    let bytes = [7_u8; 40];
    let signer = Signer::secret("k", Algorithm::HS256, &bytes);
    let encoded = file(format!("{}\n", b64(bytes)));
    let auth = build(issuer(&["HS256"], |keys| {
        keys.hmac_file = Some(encoded.path().to_owned());
        keys.hmac_base64url = true;
        keys.kid = Some("k".to_owned());
    }));
    auth.unwrap().verify(&signer.token(&claims())).unwrap();
    let plain = file("0123456789abcdef0123456789abcdef\r\n");
    let signer = Signer::secret("", Algorithm::HS256, b"0123456789abcdef0123456789abcdef");
    let auth = build(issuer(&["HS256"], |keys| keys.hmac = Some(Secret::new(format!("file:{}", plain.path().display())))));
    auth.unwrap().verify(&signer.with_header(&json!({"alg": "HS256"}), &claims())).unwrap();
}

#[test]
fn secrets_change_by_their_names() {
    let (old, new) = (Signer::secret("old", Algorithm::HS256, &[1; 32]), Signer::secret("new", Algorithm::HS256, &[2; 32]));
    let auth = build(issuer(&["HS256"], |keys| {
        keys.hmac_base64url = true;
        keys.hmacs = [("old", [1; 32]), ("new", [2; 32])].map(|(kid, bytes)| (kid.to_owned(), Secret::new(b64(bytes)))).into();
    }))
    .unwrap();
    auth.verify(&old.token(&claims())).unwrap();
    auth.verify(&new.token(&claims())).unwrap();
    let nameless = old.with_header(&json!({"alg": "HS256"}), &claims());
    assert_eq!(auth.verify(&nameless).unwrap_err(), Reason::UnknownKey, "two could be meant, and none is tried");
}

#[test]
fn a_secret_in_a_file_changes_with_the_file() {
    let (old, new) = ("the-old-secret-0123456789abcdef-0123456789", "the-new-secret-0123456789abcdef-0123456789");
    let sign = |kid: &str, secret: &str| Signer::secret(kid, Algorithm::HS256, secret.as_bytes()).token(&claims());
    let settings: [fn(&mut Keys, Secret, &std::path::Path); 3] = [
        |keys, _, path| keys.hmac_file = Some(path.to_owned()),
        |keys, secret, _| keys.hmac = Some(secret),
        |keys, secret, _| {
            keys.hmacs = [("k".to_owned(), secret), ("fixed".to_owned(), Secret::new("0123456789abcdef0123456789abcdef"))].into();
        },
    ];
    for set in settings {
        let secret = file(old);
        let issuer = issuer(&["HS256"], |keys| {
            keys.kid = Some("k".to_owned());
            set(keys, Secret::new(format!("file:{}", secret.path().display())), secret.path());
        });
        // Also where its tokens are kept, which count no more than others.
        let auth = Auth::builder().issuer(issuer).cache(TokenCache::All).clock(clock()).build().unwrap();
        auth.verify(&sign("k", old)).unwrap();
        fs::write(secret.path(), new).unwrap();
        auth.reload().unwrap();
        assert_eq!(auth.verify(&sign("k", old)).unwrap_err(), Reason::BadSignature);
        auth.verify(&sign("k", new)).unwrap();
        fs::write(secret.path(), "short").unwrap();
        assert!(auth.reload().unwrap_err().to_string().contains("32 bytes"));
        auth.verify(&sign("k", new)).expect("the one from before stays");
        fs::write(secret.path(), old).unwrap();
        // Nobody says so: the file is looked at.
        until("the file has been read again", || auth.verify(&sign("k", old)).is_ok());
    }
}

#[test]
fn pem_files_hold_public_keys_of_every_kind() {
    for signer in
        [Signer::rsa("", Algorithm::RS256), Signer::rsa("", Algorithm::PS512), Signer::es256(""), Signer::es384(""), Signer::ed("")]
    {
        let alg = format!("{:?}", signer.alg);
        let pem = file(&signer.pem);
        let auth = build(issuer(&[&alg], |keys| keys.pem_file = Some(pem.path().to_owned()))).unwrap();
        auth.verify(&signer.with_header(&json!({"alg": alg}), &claims())).unwrap();
        let other = build(issuer(&["HS256"], |keys| keys.pem_file = Some(pem.path().to_owned()))).unwrap_err();
        assert!(other.to_string().contains("algorithms"), "{other}");
    }
    let rsa = Signer::rsa("", Algorithm::RS256);
    let private = rsa.pem.replace("PUBLIC", "PRIVATE");
    for (text, algorithms, part) in [
        (&*private, &["RS256"][..], "PRIVATE"),
        ("nonsense", &["RS256"], "PEM"),
        ("", &["RS256"], "PEM"),
        (&*rsa.pem, &[], "does not say its algorithm"),
        (&*rsa.pem, &["RS256", "PS256"], "exactly one"),
    ] {
        let pem = file(text);
        let error = build(issuer(algorithms, |keys| keys.pem_file = Some(pem.path().to_owned()))).unwrap_err();
        assert!(error.to_string().contains(part), "{part}: {error}");
    }
}

#[test]
fn of_a_key_set_the_good_keys_work_and_the_others_do_not() {
    let (rsa, ec, ed) = (Signer::rsa("r", Algorithm::RS256), Signer::es256("e"), Signer::ed("d"));
    let changed = |signer: &Signer, kid: &str, change: Value| {
        let mut jwk = signer.jwk();
        jwk["kid"] = json!(kid);
        for (name, value) in change.as_object().unwrap() {
            jwk[name] = value.clone();
        }
        jwk
    };
    let small = |first: u8, last: u8| {
        let mut point = [0; 32];
        (point[0], point[31]) = (first, last);
        json!({"x": b64(point)})
    };
    let bad = [
        changed(&rsa, "use", json!({"use": "enc"})),
        changed(&rsa, "key_ops", json!({"key_ops": ["encrypt"]})),
        changed(&rsa, "private", json!({"d": "AQAB"})),
        changed(&rsa, "short", json!({"n": b64([0xc5; 128])})),
        changed(&rsa, "zeros", json!({"n": b64([&[0; 128][..], &[0xc5; 128]].concat())})),
        changed(&rsa, "long", json!({"n": b64([0xc5; 1025])})),
        changed(&rsa, "even", json!({"n": b64([0xc4; 256])})),
        changed(&rsa, "three", json!({"e": "Aw"})),
        changed(&rsa, "even-e", json!({"e": b64([1, 0, 0])})),
        changed(&rsa, "no-n", json!({"n": ""})),
        changed(&rsa, "alg", json!({"alg": "RSA-OAEP"})),
        changed(&rsa, "alg-number", json!({"alg": 1})),
        changed(&rsa, "family", json!({"alg": "ES256"})),
        changed(&ec, "curve", json!({"crv": "P-384", "alg": "ES384"})),
        changed(&ec, "curve-alg", json!({"alg": "ES384"})),
        changed(&ec, "k1", json!({"crv": "secp256k1"})),
        changed(&ec, "x-long", json!({"x": b64([1; 33])})),
        changed(&ed, "x-short", json!({"x": b64([1; 31])})),
        changed(&ed, "order-1", small(1, 0)),
        changed(&ed, "order-1-signed", small(1, 0x80)),
        changed(&ed, "order-4", small(0, 0)),
        changed(&ed, "ed448", json!({"crv": "Ed448"})),
        json!({"kty": "XYZ", "kid": "kind"}),
        json!({"kid": "nothing"}),
        json!("no object"),
    ];
    let good = [rsa.jwk(), ec.jwk(), ed.jwk(), changed(&ed, "ops", json!({"use": "sig", "key_ops": ["verify"]}))];
    let document = json!({"keys": bad.iter().chain(&good).collect::<Vec<_>>()});
    let set = file(document.to_string());
    let auth = build(issuer(&[], |keys| keys.jwks_file = Some(set.path().to_owned()))).unwrap();
    for signer in [&rsa, &ec, &ed] {
        auth.verify(&signer.token(&claims())).unwrap();
    }
    for jwk in bad.iter().filter(|jwk| jwk.is_object()) {
        let kid = jwk["kid"].as_str().unwrap();
        for signer in [&rsa, &ec, &ed] {
            let token = Signer { kid: kid.to_owned(), ..signer.clone() }.token(&claims());
            assert_eq!(auth.verify(&token).unwrap_err(), Reason::UnknownKey, "{kid} should not have been taken");
        }
    }
}

#[test]
fn everybody_can_sign_for_a_key_of_small_order_so_it_is_none() {
    use jsonwebtoken::{DecodingKey, crypto};
    // The neutral point, and a signature of nothing: the library takes it for any message.
    let mut point = [0; 32];
    point[0] = 1;
    let trivial = b64([&point[..], &[0; 32]].concat());
    let _installed = Auth::hs256([7; 32]).unwrap();
    assert!(crypto::verify(&trivial, b"any message", &DecodingKey::from_ed_der(&point), Algorithm::EdDSA).unwrap());
    let set = file(json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "d", "x": b64(point)}]}).to_string());
    let error = build(issuer(&[], |keys| keys.jwks_file = Some(set.path().to_owned()))).unwrap_err();
    assert!(error.to_string().contains("no key that can be used"), "{error}");
}

#[test]
fn documents_that_are_no_key_set_are_refused() {
    let (one, two) = (Signer::es256("same"), Signer::es256("same"));
    let secret = json!({"kty": "oct", "kid": "s", "alg": "HS256", "k": b64([1; 32])});
    let many: Vec<Value> = (0..65).map(|_| one.jwk()).collect();
    for (text, part) in [
        (String::new(), "no JSON object"),
        ("[]".to_owned(), "no JSON object"),
        ("{}".to_owned(), "no list"),
        (json!({"keys": {}}).to_string(), "no list"),
        (json!({"keys": []}).to_string(), "no key"),
        (json!({"keys": many}).to_string(), "64"),
        (format!("{{\"keys\": [], \"x\": \"{}\"}}", "y".repeat(256 << 10)), "256 KiB"),
        (json!({"keys": [one.jwk(), secret]}).to_string(), "both secrets and public keys"),
    ] {
        let set = file(text);
        let error = build(issuer(&[], |keys| keys.jwks_file = Some(set.path().to_owned()))).unwrap_err();
        assert!(error.to_string().contains(part), "{part}: {error}");
    }
    let third = Signer::es256("third");
    let set = file(jwks([&one, &two, &third]));
    let auth = build(issuer(&[], |keys| keys.jwks_file = Some(set.path().to_owned()))).unwrap();
    for signer in [&one, &two] {
        assert_eq!(auth.verify(&signer.token(&claims())).unwrap_err(), Reason::UnknownKey, "two keys of one name are none");
    }
    auth.verify(&third.token(&claims())).unwrap();
    let set = file(third.jwk().to_string());
    build(issuer(&[], |keys| keys.jwks_file = Some(set.path().to_owned()))).unwrap().verify(&third.token(&claims())).unwrap();
}

#[test]
fn a_key_that_is_taken_out_of_a_file_stops_working_though_its_tokens_are_cached() {
    let (old, new) = (Signer::ed("old"), Signer::ed("new"));
    let set = file(jwks([&old]));
    let auth = build(issuer(&[], |keys| keys.jwks_file = Some(set.path().to_owned()))).unwrap();
    auth.verify(&old.token(&claims())).unwrap();
    assert_eq!(auth.verify(&new.token(&claims())).unwrap_err(), Reason::UnknownKey);
    fs::write(set.path(), jwks([&old, &new])).unwrap();
    auth.reload().unwrap();
    auth.verify(&old.token(&claims())).unwrap();
    auth.verify(&new.token(&claims())).unwrap();
    fs::write(set.path(), jwks([&new])).unwrap();
    // Nobody says so: the file is looked at.
    until("the file has been read again", || auth.verify(&old.token(&claims())).is_err());
    auth.verify(&new.token(&claims())).unwrap();
    fs::write(set.path(), "half a fi").unwrap();
    assert!(auth.reload().is_err());
    auth.verify(&new.token(&claims())).expect("the keys from before stay");
}

#[test]
fn when_the_last_key_is_taken_out_its_tokens_are_refused_at_once() {
    let (signer, secret) = (Signer::ed("d"), json!({"kty": "oct", "kid": "s", "alg": "HS256", "k": b64([1; 32])}));
    let mut unfit = signer.jwk();
    unfit["use"] = json!("enc");
    let empty = json!({"keys": []});
    for document in [empty.clone(), json!({"keys": [unfit]}), json!({"keys": [signer.jwk(), secret]})] {
        let set = file(jwks([&signer]));
        let auth = build(issuer(&[], |keys| keys.jwks_file = Some(set.path().to_owned()))).unwrap();
        auth.verify(&signer.token(&claims())).unwrap();
        fs::write(set.path(), document.to_string()).unwrap();
        auth.reload().unwrap();
        let nameless = signer.with_header(&json!({"alg": "EdDSA"}), &claims());
        for token in [signer.token(&claims()), nameless] {
            assert_eq!(auth.verify(&token).unwrap_err(), Reason::UnknownKey, "{document}");
        }
    }
    let (host, clock) = (Host::default(), clock());
    host.serve(Some(jwks([&signer])));
    let auth = host.auth(&clock);
    until("the keys are there", || auth.verify(&signer.token(&claims())).is_ok());
    host.serve(Some(empty.to_string()));
    auth.reload().unwrap();
    assert_eq!(auth.verify(&signer.token(&claims())).unwrap_err(), Reason::UnknownKey);
    host.serve(None);
    assert!(auth.reload().is_err());
    assert_eq!(auth.verify(&signer.token(&claims())).unwrap_err(), Reason::UnknownKey, "and stay away");
}

/// A host of keys that counts how often it is asked.
#[derive(Clone, Default)]
struct Host {
    document: Arc<Mutex<Option<String>>>,
    asked: Arc<AtomicUsize>,
}

impl Host {
    fn serve(&self, document: Option<String>) {
        *self.document.lock().unwrap() = document;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn auth(&self, clock: &Clock) -> Auth {
        let host = self.clone();
        let fetch = move || {
            host.asked.fetch_add(1, Ordering::SeqCst);
            let document = host.document.lock().unwrap().clone();
            document.map(String::into_bytes).ok_or_else(|| Error::new(ErrorKind::Config, "the host is down"))
        };
        Auth::builder().issuer(issuer(&[], |_| {})).fetcher(ISSUER, fetch).clock(clock.clone()).build().unwrap()
    }
}

#[test]
fn an_unknown_name_is_looked_for_at_most_once_in_thirty_seconds() {
    let (old, new) = (Signer::ed("old"), Signer::ed("new"));
    let (host, clock) = (Host::default(), clock());
    host.serve(Some(jwks([&old])));
    let auth = host.auth(&clock);
    until("the keys are there", || auth.verify(&old.token(&claims())).is_ok());
    assert_eq!(host.asked(), 1);
    host.serve(Some(jwks([&old, &new])));
    for at in 0..1000 {
        let stranger = Signer { kid: format!("random-{at}"), ..new.clone() };
        assert_eq!(auth.verify(&stranger.token(&claims())).unwrap_err(), Reason::UnknownKey);
    }
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(host.asked(), 1, "too early to ask again");
    clock.advance(Duration::from_secs(31));
    until("the new key is there", || auth.verify(&new.token(&claims())).is_ok());
    auth.verify(&old.token(&claims())).expect("both work while they overlap");
    assert_eq!(host.asked(), 2);
}

#[test]
fn keys_outlive_their_host_by_a_day() {
    let signer = Signer::ed("d");
    let (host, clock) = (Host::default(), clock());
    let auth = host.auth(&clock);
    let token = signer.token(&claims());
    until("it was asked", || host.asked() == 1);
    assert_eq!(auth.verify(&token).unwrap_err(), Reason::KeysUnavailable);
    host.serve(Some(jwks([&signer])));
    clock.advance(Duration::from_secs(30));
    until("it has answered", || auth.verify(&token).is_ok());
    host.serve(None);
    clock.advance(Duration::from_secs(9 * 60));
    until("it was asked again", || host.asked() >= 3);
    assert!(auth.verify(&token).is_ok(), "keys from before stay");
    clock.advance(Duration::from_secs(20 * 3600));
    assert!(auth.verify(&token).is_ok(), "for most of a day");
    clock.advance(Duration::from_secs(4 * 3600));
    until("they are too old", || auth.verify(&token) == Err(Reason::KeysUnavailable));
}

#[test]
fn what_a_host_sends_is_held_to_the_same_rules() {
    let secret = Signer::secret("s", Algorithm::HS256, &[1; 32]);
    let (host, clock) = (Host::default(), clock());
    let auth = host.auth(&clock);
    let oct = json!({"keys": [{"kty": "oct", "kid": "s", "alg": "HS256", "k": b64([1; 32])}]}).to_string();
    for document in [oct, "x".repeat(10 << 20), "\u{1f}\u{8b} gzip".to_owned(), "<html>".to_owned()] {
        host.serve(Some(document));
        assert!(auth.reload().is_err());
        assert_eq!(auth.verify(&secret.token(&claims())).unwrap_err(), Reason::KeysUnavailable);
    }
    let panics = || -> Result<Vec<u8>, Error> { panic!("a fetcher that panics") };
    let auth = Auth::builder().issuer(issuer(&[], |_| {})).fetcher(ISSUER, panics).build().unwrap();
    assert!(auth.reload().unwrap_err().to_string().contains("panicked"));
}

#[test]
fn settings_are_read_from_toml_and_unknown_ones_refused() {
    let secret = "0123456789abcdef0123456789abcdef";
    let text = format!(
        r#"
        realm = "stats"
        leeway_s = 10
        nginx_cache_ttl_s = 5
        [[issuer]]
        issuer = "{ISSUER}"
        audience = ["us"]
        algorithms = ["HS256"]
        keys = {{ hmac = "{secret}" }}
        role_paths = ["realm_access.roles", ["https://example.com/roles"], "scope"]
        role_map = {{ "stats-admin" = "admin", "stats-ops" = "ops" }}
        [policy.default]
        any_of = ["admin", "ops"]
        [policy.members]
        issuers = ["{ISSUER}"]
        "#
    );
    let config: AuthConfig = toml::from_str(&text).unwrap();
    let auth = Auth::builder().config(config).clock(clock()).build().unwrap();
    let mut claims = claims();
    claims["https://example.com/roles"] = json!(["stats-ops"]);
    let signer = Signer::secret("", Algorithm::HS256, secret.as_bytes());
    assert_eq!(auth.verify(&signer.with_header(&json!({"alg": "HS256"}), &claims)).unwrap().roles(), ["ops"]);
    for wrong in
        ["leeway = 5", "[[issuer]]\nissuers = \"x\"", "[policy.x]\nany = []", "[[issuer]]\nkeys = { url = \"x\" }", "cache = \"some\""]
    {
        toml::from_str::<AuthConfig>(wrong).unwrap_err();
    }
}

#[test]
fn everything_that_is_wrong_in_the_settings_is_said_at_once() {
    let mut config = AuthConfig::default();
    config.realm = "a \"quoted\" realm".to_owned();
    config.leeway_s = 301;
    config.max_token_bytes = 1;
    config.claims_to_headers.insert("x".to_owned(), "Set-Cookie".to_owned());
    config.identity_headers.roles = "no header".to_owned();
    config.policy.insert("Admin/..".to_owned(), Policy::any_of(["no-such-role"]));
    let mut second = Issuer::default();
    second.algorithms = vec!["none".to_owned()];
    second.keys.pem_file = Some("a".into());
    second.keys.jwks_file = Some("b".into());
    config.issuer = vec![Issuer::new(ISSUER, ["us"]), second];
    let message = Auth::builder().config(config).fetcher("https://other.example.com", || Ok(Vec::new())).build().unwrap_err().to_string();
    for part in [
        "realm",
        "leeway_s",
        "max_token_bytes",
        "Set-Cookie",
        "no header",
        "Admin/..",
        "no-such-role",
        "allow_any_issuer",
        "allow_any_audience",
        "\"none\"",
        "exactly one",
        "https://other.example.com",
    ] {
        assert!(message.contains(part), "{part} in {message}");
    }
    let error = Auth::builder().build().unwrap_err();
    assert!(error.to_string().contains("no issuer"), "{error}");
}

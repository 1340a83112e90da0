//! Every way in which a token can be wrong, and some in which it is right, at the token itself and over HTTP.
#![allow(clippy::needless_pass_by_value, reason = "tables read better")]

mod common;

use std::{
    sync::LazyLock,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{Router, body::Body};
use common::signing::{Signer, b64, jwks, unb64, with};
use hyper::{Request, StatusCode};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};
use tower::ServiceExt;
use tower_analytics::{
    Auth, Clock, Verify,
    auth::{Issuer, Policy, Reason, Secret},
};

const NOW: u64 = 1_800_000_000;
const ISSUER: &str = "https://id.example.com/realms/main";
const SECRET: &str = "0123456789abcdef0123456789abcdef-a-secret-of-the-tests";

static HS: LazyLock<Signer> = LazyLock::new(|| Signer::secret("h1", Algorithm::HS256, SECRET.as_bytes()));
static RS: LazyLock<Signer> = LazyLock::new(|| Signer::rsa("r1", Algorithm::RS256));
static ES: LazyLock<Signer> = LazyLock::new(|| Signer::es256("e1"));
static ED: LazyLock<Signer> = LazyLock::new(|| Signer::ed("d1"));

/// An issuer of whom everything is required, and the clock.
struct World {
    auth: Auth,
    clock: Clock,
    app: Router,
}

impl World {
    fn new(issuer: Issuer) -> Self {
        let clock = Clock::manual(UNIX_EPOCH + Duration::from_secs(NOW));
        let builder = Auth::builder().issuer(issuer).clock(clock.clone());
        let auth = builder.policy("anyone", Policy::default()).build().unwrap();
        let app = Router::new().merge(Verify::new(auth.clone()));
        Self { auth, clock, app }
    }

    /// With the secret, for claims and headers.
    fn secret() -> Self {
        Self::new(secret_issuer())
    }

    /// With three public keys.
    fn public() -> Self {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), jwks([&*RS, &*ES, &*ED])).unwrap();
        let mut issuer = issuer();
        issuer.keys.jwks_file = Some(file.path().to_owned());
        Self::new(issuer)
    }

    fn is_taken(&self, what: &str, token: &str) {
        self.auth.verify(token).unwrap_or_else(|reason| panic!("{what}: refused as {reason}"));
        assert_eq!(self.status(token, "any"), Some(StatusCode::OK), "{what}");
    }

    #[track_caller]
    fn is_refused(&self, what: &str, token: &str, expected: Reason) {
        match self.auth.verify(token) {
            Ok(_) => panic!("{what}: taken, but should be refused as {expected}"),
            Err(reason) => assert_eq!(reason, expected, "{what}"),
        }
        // Over HTTP too, where the token can stand in a header at all.
        if let Some(status) = self.status(token, "any") {
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{what}");
        }
    }

    fn status(&self, token: &str, policy: &str) -> Option<StatusCode> {
        let value = hyper::header::HeaderValue::from_str(&format!("Bearer {token}")).ok()?;
        let uri = format!("/analytics/auth/verify/{policy}");
        let request = Request::builder().uri(uri).header("authorization", value).body(Body::empty()).unwrap();
        let answer = futures_util::FutureExt::now_or_never(self.app.clone().oneshot(request)).expect("nothing is waited for");
        Some(answer.unwrap().status())
    }
}

fn issuer() -> Issuer {
    let mut issuer = Issuer::new(ISSUER, ["tower-analytics"]);
    issuer.role_paths = vec!["roles".into(), "realm_access.roles".into(), "scope".into(), r"https://example\.com/roles".into()];
    issuer.role_map = [("stats-admin", "admin"), ("stats-mod", "mod")].map(|(theirs, ours)| (theirs.to_owned(), ours.to_owned())).into();
    issuer
}

fn secret_issuer() -> Issuer {
    let mut issuer = issuer();
    issuer.algorithms = vec!["HS256".to_owned()];
    issuer.keys.hmacs.insert("h1".to_owned(), Secret::new(SECRET));
    issuer
}

fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": "tower-analytics", "sub": "ann", "iat": NOW, "exp": NOW + 600, "jti": "j-1",
        "realm_access": {"roles": ["stats-mod", "other"]},
    })
}

#[test]
fn a_good_token_is_taken_with_every_kind_of_key() {
    World::secret().is_taken("a secret", &HS.token(&claims()));
    let world = World::public();
    for signer in [&*RS, &*ES, &*ED] {
        world.is_taken(&signer.kid, &signer.token(&claims()));
    }
    let who = world.auth.verify(&RS.token(&claims())).unwrap();
    assert_eq!((who.subject(), who.issuer(), who.token_id(), who.key_id()), ("ann", ISSUER, Some("j-1"), Some("r1")));
    assert_eq!(who.roles(), ["mod"]);
    assert_eq!(who.expires_at(), UNIX_EPOCH + Duration::from_secs(NOW + 600));
}

#[test]
fn what_is_not_in_the_compact_form_is_malformed() {
    let world = World::secret();
    let good = HS.token(&claims());
    let parts: Vec<&str> = good.split('.').collect();
    let [header, payload, signature] = parts[..] else { unreachable!() };
    let json_form = json!({"payload": payload, "signatures": [{"protected": header, "signature": signature}]}).to_string();
    let flat_form = json!({"payload": payload, "protected": header, "signature": signature}).to_string();
    let std_payload = payload.replace('_', "/").replace('-', "+") + "/";
    let cases = [
        ("empty", String::new()),
        ("no dots", "abc".to_owned()),
        ("two parts", format!("{header}.{payload}")),
        ("four parts", format!("{good}.{signature}")),
        ("five parts, as encrypted ones have", format!("{good}.{signature}.{signature}")),
        ("only dots", "..".to_owned()),
        ("an empty header", format!(".{payload}.{signature}")),
        ("an empty payload", format!("{header}..{signature}")),
        ("an empty signature", format!("{header}.{payload}.")),
        ("a space before it", format!(" {good}")),
        ("a line's end after it", format!("{good}\n")),
        ("a NUL after it", format!("{good}\0")),
        ("padding in the header", format!("{header}=.{payload}.{signature}")),
        ("padding in the payload", format!("{header}.{payload}=.{signature}")),
        ("padding in the signature", format!("{good}=")),
        ("the other alphabet", format!("{header}.{std_payload}.{signature}")),
        ("the general JSON form", json_form),
        ("the flattened JSON form", flat_form),
    ];
    for (what, token) in cases {
        world.is_refused(what, &token, Reason::Malformed);
    }
    // 32 bytes are 43 letters, whose last has two bits left over.
    let last = signature.as_bytes()[42];
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let at = alphabet.iter().position(|letter| *letter == last).unwrap();
    let other = format!("{header}.{payload}.{}{}", &signature[..42], char::from(alphabet[at ^ 1]));
    world.is_refused("bits left over", &other, Reason::Malformed);
}

#[test]
fn a_token_that_is_too_long_is_refused_before_it_is_read() {
    let world = World::secret();
    world.is_refused("nine kilobytes", &HS.token(&with(&claims(), &json!({"x": "y".repeat(7000)}))), Reason::TooLarge);
    let members: serde_json::Map<String, Value> = (0..100_000).map(|at| (format!("m{at}"), json!(1))).collect();
    let many = HS.token(&Value::Object(members));
    let start = std::time::Instant::now();
    assert_eq!(world.auth.verify(&many).unwrap_err(), Reason::TooLarge);
    assert!(start.elapsed() < Duration::from_millis(1));
    let crowd: serde_json::Map<String, Value> = (0..300).map(|at| (format!("m{at}"), json!(1))).collect();
    world.is_refused("300 members", &HS.token(&with(&claims(), &Value::Object(crowd))), Reason::Malformed);
}

#[test]
fn a_signature_counts_for_one_key_and_one_text() {
    let world = World::public();
    let other = Signer::rsa("r1", Algorithm::RS256);
    for signer in [&*RS, &*ES, &*ED] {
        let good = signer.token(&claims());
        let (signed, signature) = good.rsplit_once('.').unwrap();
        let (header, payload) = signed.split_once('.').unwrap();
        let bytes = unb64(signature);
        let zero = b64(vec![0; bytes.len()]);
        let mut flipped = bytes.clone();
        flipped[7] ^= 1;
        let other_claims = b64(with(&claims(), &json!({"sub": "eve"})).to_string());
        let other_header = b64(with(&signer.header(), &json!({"typ": "at+jwt"})).to_string());
        for (what, token) in [
            ("cut short", format!("{signed}.{}", b64(&bytes[..bytes.len() - 3]))),
            ("of zeros", format!("{signed}.{zero}")),
            ("with a bit flipped", format!("{signed}.{}", b64(flipped))),
            ("over another payload", format!("{header}.{other_claims}.{signature}")),
            ("over another header", format!("{other_header}.{payload}.{signature}")),
        ] {
            world.is_refused(&format!("{}: {what}", signer.kid), &token, Reason::BadSignature);
        }
    }
    world.is_refused("another key of the same name", &other.token(&claims()), Reason::BadSignature);
    let good = HS.token(&claims());
    let (signed, _) = good.rsplit_once('.').unwrap();
    let empty = Signer { key: EncodingKey::from_secret(b""), ..HS.clone() };
    World::secret().is_refused("an empty secret", &empty.sign(signed), Reason::BadSignature);
}

/// The order of P-256.
const N: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
    0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

#[test]
fn signatures_on_a_curve_have_one_form_but_two_values() {
    let world = World::public();
    let good = ES.token(&claims());
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let bytes = unb64(signature);
    let (r, s) = bytes.split_at(32);
    let mut other = [0; 32];
    let mut borrow = 0_i16;
    for at in (0..32).rev() {
        let difference = i16::from(N[at]) - i16::from(s[at]) - borrow;
        borrow = i16::from(difference < 0);
        other[at] = difference.rem_euclid(256) as u8;
    }
    // So a token must never be known by its text: both are the same token, with the same id.
    let twin = format!("{signed}.{}", b64([r, &other].concat()));
    world.is_taken("(r, n - s)", &twin);
    assert_eq!(world.auth.verify(&twin).unwrap().token_id(), world.auth.verify(&good).unwrap().token_id());
    let der = [&[0x30, 0x44, 0x02, 0x20], r, &[0x02, 0x20], s].concat();
    for (what, signature) in [("in DER", der), ("r = s = n", [N, N].concat()), ("r = s = 0", vec![0; 64])] {
        world.is_refused(what, &format!("{signed}.{}", b64(signature)), Reason::BadSignature);
    }
}

#[test]
fn the_algorithm_is_the_keys_and_never_the_tokens() {
    let world = World::secret();
    for alg in [
        json!("none"),
        json!("None"),
        json!("NONE"),
        json!("nOnE"),
        json!(""),
        json!("hs256"),
        json!("HS256 "),
        json!("XX256"),
        json!("ES512"),
        json!("dir"),
        json!(null),
        json!(["HS256"]),
        json!(256),
        json!({"a": 1}),
        json!("(absent)"),
    ] {
        let header = with(&HS.header(), &json!({"alg": alg}));
        world.is_refused(&format!("{alg} with a good signature"), &HS.with_header(&header, &claims()), Reason::Alg);
        let unsigned = format!("{}.{}.", b64(header.to_string()), b64(claims().to_string()));
        world.is_refused(&format!("{alg} unsigned"), &unsigned, Reason::Malformed);
    }
    let twice = br#"{"alg":"none","alg":"HS256","kid":"h1"}"#;
    world.is_refused("twice", &HS.raw(twice, claims().to_string().as_bytes()), Reason::Header);
    let longer = Signer { alg: Algorithm::HS384, ..HS.clone() };
    world.is_refused("HS384 with a key for HS256", &longer.token(&claims()), Reason::Alg);
    let world = World::public();
    let pss = Signer { alg: Algorithm::PS256, ..RS.clone() };
    world.is_refused("PS256 with a key for RS256", &pss.token(&claims()), Reason::Alg);
}

#[test]
fn a_public_key_is_no_secret() {
    let world = World::public();
    let der = |pem: &str| {
        use base64::Engine;
        let text: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        base64::engine::general_purpose::STANDARD.decode(text).unwrap()
    };
    let secrets = [
        RS.pem.clone().into_bytes(),
        RS.pem.trim_end().as_bytes().to_vec(),
        der(&RS.pem),
        ES.pem.clone().into_bytes(),
        unb64(ED.jwk()["x"].as_str().unwrap()),
        RS.jwk().to_string().into_bytes(),
        jwks([&*RS, &*ES, &*ED]).into_bytes(),
    ];
    for secret in secrets {
        for kid in ["r1", "e1", "d1"] {
            world.is_refused("signed with a public key", &Signer::secret(kid, Algorithm::HS256, &secret).token(&claims()), Reason::Alg);
        }
        let header = json!({"alg": "HS256"});
        let token = Signer::secret("", Algorithm::HS256, &secret).with_header(&header, &claims());
        world.is_refused("signed with a public key, without a name", &token, Reason::Alg);
    }
}

#[test]
fn a_header_may_not_bring_what_changes_the_meaning() {
    let world = World::public();
    // Whoever followed the addresses would come here.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = format!("http://{}/jwks.json", listener.local_addr().unwrap());
    let cases = [
        (json!({"jwk": RS.jwk()}), Reason::Header),
        (json!({"jwk": RS.jwk(), "kid": "(absent)"}), Reason::Header),
        (json!({"jku": address}), Reason::Header),
        (json!({"x5u": address}), Reason::Header),
        (json!({"x5c": ["MIIB"]}), Reason::Header),
        (json!({"zip": "DEF"}), Reason::Header),
        (json!({"enc": "A128GCM"}), Reason::Header),
        (json!({"cty": "JWT"}), Reason::Header),
        // Found by fuzzing: a library that knows them refuses them, and we did not look.
        (json!({"x5t": 1}), Reason::Header),
        (json!({"x5t#S256": ["abc"]}), Reason::Header),
        (json!({"nonce": {"a": 1}}), Reason::Header),
        (json!({"url": false}), Reason::Header),
        (json!({"crit": ["x"], "x": 1}), Reason::Crit),
        (json!({"crit": []}), Reason::Crit),
        (json!({"crit": ["alg"]}), Reason::Crit),
        (json!({"crit": ["missing"]}), Reason::Crit),
        (json!({"crit": ["exp"], "exp": 1}), Reason::Crit),
        (json!({"crit": ["b64"], "b64": true}), Reason::Crit),
        (json!({"crit": "x"}), Reason::Crit),
        (json!({"b64": false}), Reason::Crit),
        (json!({"typ": "logout+jwt"}), Reason::Typ),
        (json!({"typ": "secevent+jwt"}), Reason::Typ),
        (json!({"typ": "dpop+jwt"}), Reason::Typ),
        (json!({"typ": "refresh+jwt"}), Reason::Typ),
        (json!({"typ": "kb+jwt"}), Reason::Typ),
        (json!({"typ": 1}), Reason::Typ),
    ];
    for (change, reason) in cases {
        world.is_refused(&change.to_string(), &RS.with_header(&with(&RS.header(), &change), &claims()), reason);
    }
    for typ in [json!("(absent)"), json!("jwt"), json!("AT+JWT"), json!("application/at+jwt")] {
        world.is_taken(&typ.to_string(), &RS.with_header(&with(&RS.header(), &json!({"typ": typ})), &claims()));
    }
    assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "nobody came");
    world.is_taken("a thumbprint", &RS.with_header(&with(&RS.header(), &json!({"x5t": "abc", "x5t#S256": "abc"})), &claims()));
}

#[test]
fn a_key_is_found_by_its_exact_name_only() {
    let world = World::public();
    let long = "r1".repeat(900);
    let names = [
        "../../etc/passwd",
        "/dev/null",
        "r1' or '1'='1",
        "$(id)",
        "`id`",
        "http://127.0.0.1:1/",
        "",
        "r1\0",
        "R1",
        " r1",
        "r1 ",
        "r2",
        &long,
    ];
    for kid in names {
        world.is_refused(kid, &RS.with_header(&with(&RS.header(), &json!({"kid": kid})), &claims()), Reason::UnknownKey);
    }
    world.is_refused("a number", &RS.with_header(&with(&RS.header(), &json!({"kid": 1})), &claims()), Reason::UnknownKey);
    let twice = br#"{"alg":"RS256","kid":"r1","kid":"r1"}"#;
    world.is_refused("twice", &RS.raw(twice, claims().to_string().as_bytes()), Reason::Header);
    world.is_refused("of another key", &RS.with_header(&with(&RS.header(), &json!({"kid": "e1"})), &claims()), Reason::Alg);
    world.is_taken("none, where one key fits", &RS.with_header(&json!({"alg": "RS256"}), &claims()));
}

#[test]
fn a_header_is_one_plain_object() {
    let world = World::secret();
    let payload = claims().to_string();
    let plain = HS.header().to_string();
    let utf16: Vec<u8> = plain.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let deep = format!("{{\"alg\":\"HS256\",\"kid\":\"h1\",\"x\":{}{}}}", "[".repeat(2000 / 2), "]".repeat(2000 / 2));
    for (what, header) in [
        ("an unknown member twice", br#"{"alg":"HS256","kid":"h1","x":1,"x":2}"#.to_vec()),
        ("a member twice, once escaped", br#"{"alg":"HS256","kid":"h1","x":1,"\u0078":2}"#.to_vec()),
        ("a list", b"[\"HS256\"]".to_vec()),
        ("a byte order mark", format!("\u{feff}{plain}").into_bytes()),
        ("UTF-16", utf16),
        ("something after it", format!("{plain}x").into_bytes()),
        ("a second object", format!("{plain}{plain}").into_bytes()),
        ("nothing", b" ".to_vec()),
        ("a thousand deep", deep.into_bytes()),
        ("longer than two kilobytes", json!({"alg": "HS256", "kid": "h1", "x": "y".repeat(2100)}).to_string().into_bytes()),
    ] {
        world.is_refused(what, &HS.raw(&header, payload.as_bytes()), Reason::Header);
    }
}

#[test]
fn claims_are_one_plain_object() {
    let world = World::secret();
    let plain = claims().to_string();
    let header = HS.header().to_string();
    let utf16: Vec<u8> = plain.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let inside = |text: &str| format!("{},{text}}}", &plain[..plain.len() - 1]).into_bytes();
    let deep = format!("\"x\":{}{}", "[".repeat(2000), "]".repeat(2000));
    for (what, payload) in [
        ("a list that reads as claims", json!([NOW + 600, 0, "ann", ISSUER, "tower-analytics"]).to_string().into_bytes()),
        ("a text", b"\"claims\"".to_vec()),
        ("a number", b"1".to_vec()),
        ("null", b"null".to_vec()),
        ("nothing", b" ".to_vec()),
        ("a second object", format!("{plain}{{}}").into_bytes()),
        ("a comment", format!("/* */{plain}").into_bytes()),
        ("single quotes", plain.replace('"', "'").into_bytes()),
        ("bad UTF-8", [plain.as_bytes(), b"\xff"].concat()),
        ("bad UTF-8 in a text", inside("\"x\":\"?\"").into_iter().map(|byte| if byte == b'?' { 0xff } else { byte }).collect()),
        ("UTF-16", utf16),
        ("a byte order mark", format!("\u{feff}{plain}").into_bytes()),
        ("half a surrogate", inside(r#""x":"\ud800""#)),
        ("two thousand deep", inside(&deep)),
        ("a role claim twice", inside(r#""roles":["stats-admin"],"roles":[]"#)),
        ("an unknown claim twice", inside(r#""x":1,"x":1"#)),
        ("a claim twice further down", inside(r#""x":{"y":1,"y":1}"#)),
        ("exp twice", inside(&format!("\"exp\":{}", NOW + 600))),
        ("exp twice, once escaped", inside(&format!(r#""\u0065xp":{}"#, NOW + 600))),
        ("a number that is none", inside("\"x\":1e400")),
        ("a hexadecimal number", inside("\"x\":0xff")),
    ] {
        world.is_refused(what, &HS.raw(header.as_bytes(), &payload), Reason::Malformed);
    }
}

/// What a token says instead of what a good one says, and what becomes of it.
fn claims_table(world: &World, cases: impl IntoIterator<Item = (Value, Option<Reason>)>) {
    for (change, expected) in cases {
        let token = HS.token(&with(&claims(), &change));
        match expected {
            Some(reason) => world.is_refused(&change.to_string(), &token, reason),
            None => world.is_taken(&change.to_string(), &token),
        }
    }
}

#[test]
fn a_token_without_a_sensible_end_is_expired() {
    let world = World::secret();
    let refused = [
        json!("(absent)"),
        json!(null),
        json!(0),
        json!(NOW - 3600),
        json!((NOW + 600).to_string()),
        json!("never"),
        json!(true),
        json!([NOW + 600]),
        json!({"exp": NOW + 600}),
        json!(-1),
        json!(1e300),
        json!(18_446_744_073_709_551_615_u64),
        json!(1e19),
        json!(9_007_199_254_740_992_u64),
        json!(NOW - 30),
    ];
    claims_table(&world, refused.map(|exp| (json!({"exp": exp, "iat": NOW - 3600}), Some(Reason::Exp))));
    claims_table(
        &world,
        [
            (json!({"exp": NOW - 29, "iat": NOW - 3600}), None),
            (json!({"exp": NOW as f64 + 100.5}), None),
            (json!({"exp": 253_402_300_799_u64}), Some(Reason::Lifetime)),
            (json!({"exp": NOW + 86_401}), Some(Reason::Lifetime)),
            (json!({"exp": NOW + 86_400}), None),
        ],
    );
}

#[test]
fn a_token_counts_from_its_beginning() {
    let cases = [
        (json!({"nbf": NOW + 31}), Some(Reason::Nbf)),
        (json!({"nbf": NOW + 3600}), Some(Reason::Nbf)),
        (json!({"nbf": NOW.to_string()}), Some(Reason::Nbf)),
        (json!({"nbf": null}), Some(Reason::Nbf)),
        (json!({"nbf": -5}), Some(Reason::Nbf)),
        (json!({"nbf": NOW + 29}), None),
        (json!({"nbf": NOW + 20, "exp": NOW + 10}), Some(Reason::Nbf)),
        (json!({"iat": NOW + 31}), Some(Reason::Iat)),
        (json!({"iat": NOW.to_string()}), Some(Reason::Iat)),
        (json!({"iat": [NOW]}), Some(Reason::Iat)),
        (json!({"iat": -1}), Some(Reason::Iat)),
        (json!({"iat": "(absent)"}), Some(Reason::Iat)),
        (json!({"iat": NOW + 29}), None),
    ];
    claims_table(&World::secret(), cases);
}

#[test]
fn a_token_is_by_our_issuer_for_us_and_about_somebody() {
    let iss = [
        json!("(absent)"),
        json!("https://evil.example.com"),
        json!(format!("{ISSUER}/")),
        json!(ISSUER.to_uppercase()),
        json!("https://id.example.com/realms"),
        json!(format!("{ISSUER} ")),
        json!(1),
        json!({"a": ISSUER}),
        json!([ISSUER]),
        json!(null),
    ];
    let aud = [
        json!("(absent)"),
        json!("other"),
        json!(""),
        json!([]),
        json!("tower"),
        json!("Tower-Analytics"),
        json!(1),
        json!({"a": "tower-analytics"}),
        json!([["tower-analytics"]]),
        json!("other,tower-analytics"),
        json!("other tower-analytics"),
        json!(["tower-analytics", 1]),
        json!(null),
    ];
    let sub = [
        json!("(absent)"),
        json!(""),
        json!(1),
        json!(["ann"]),
        json!("a".repeat(1025)),
        json!("ann\r\nx: y"),
        json!("ann\0"),
        json!(null),
        json!("ann\u{85}"),
    ];
    let world = World::secret();
    claims_table(&world, iss.map(|iss| (json!({"iss": iss}), Some(Reason::Iss))));
    claims_table(&world, aud.map(|aud| (json!({"aud": aud}), Some(Reason::Aud))));
    claims_table(&world, sub.map(|sub| (json!({"sub": sub}), Some(Reason::Sub))));
    claims_table(
        &world,
        [
            (json!({"aud": ["other", "tower-analytics"]}), None),
            (json!({"sub": "a".repeat(1024)}), None),
            (json!({"jti": 1}), Some(Reason::Jti)),
            (json!({"jti": ""}), Some(Reason::Jti)),
            (json!({"jti": "j".repeat(257)}), Some(Reason::Jti)),
            (json!({"jti": "(absent)"}), None),
            (json!({"cnf": {"jkt": "abc"}}), Some(Reason::Cnf)),
            (json!({"cnf": null}), Some(Reason::Cnf)),
        ],
    );
    let twice = claims().to_string().replacen('{', &format!("{{\"iss\":\"{ISSUER}\","), 1);
    world.is_refused("iss twice", &HS.raw(HS.header().to_string().as_bytes(), twice.as_bytes()), Reason::Malformed);
}

#[test]
fn only_roles_that_are_named_exactly_grant_anything() {
    let world = World::secret();
    let with_roles = |changes: Value| HS.token(&with(&with(&claims(), &json!({"realm_access": "(absent)"})), &changes));
    let nothing = [
        json!({}),
        json!({"roles": []}),
        json!({"roles": ["other"]}),
        json!({"roles": ["Stats-Mod"]}),
        json!({"roles": ["stats-mo"]}),
        json!({"roles": ["stats-mods"]}),
        json!({"roles": ["stats-admin,stats-mod"]}),
        json!({"roles": "stats-admin,stats-mod"}),
        json!({"roles": ["stats-admin stats-mod"]}),
        json!({"roles": 1}),
        json!({"roles": true}),
        json!({"roles": {"stats-mod": true}}),
        json!({"roles": [["stats-mod"]]}),
        json!({"roles": ["stats-mod "]}),
        json!({"roles": ["ѕtats-mod"]}),
        json!({"roles": ["stats-mod\0"]}),
        json!({"groups": ["stats-mod"]}),
        json!({"realm_access.roles": ["stats-mod"]}),
        json!({"resource_access": {"other": {"roles": ["stats-admin"]}}}),
        json!({"roles": ["admin", "mod"]}),
        json!({"role": "admin"}),
        json!({"https://example": {"com/roles": ["stats-mod"]}}),
    ];
    for roles in nothing {
        let token = with_roles(roles.clone());
        assert_eq!(world.status(&token, "mod"), Some(StatusCode::FORBIDDEN), "{roles}");
        assert_eq!(world.status(&token, "any"), Some(StatusCode::OK), "{roles}");
    }
    for (roles, ours) in [
        (json!({"roles": ["other", "stats-mod"]}), vec!["mod"]),
        (json!({"realm_access": {"roles": ["stats-admin"]}}), vec!["admin"]),
        (json!({"scope": "openid stats-mod profile"}), vec!["mod"]),
        (json!({"https://example.com/roles": ["stats-mod"]}), vec!["mod"]),
        (json!({"roles": "stats-admin", "scope": "stats-mod"}), vec!["admin", "mod"]),
    ] {
        let token = with_roles(roles.clone());
        assert_eq!(world.auth.verify(&token).unwrap().roles(), ours, "{roles}");
        assert_eq!(world.status(&token, "mod"), Some(StatusCode::OK), "{roles}");
        let as_admin = if ours.contains(&"admin") { StatusCode::OK } else { StatusCode::FORBIDDEN };
        assert_eq!(world.status(&token, "admin"), Some(as_admin), "{roles}");
    }
}

#[test]
fn what_is_revoked_counts_no_more_however_it_is_written() {
    let clock = Clock::manual(UNIX_EPOCH + Duration::from_secs(NOW));
    let before = UNIX_EPOCH + Duration::from_secs(NOW - 60);
    let revoked = move |who: &tower_analytics::auth::Identity| {
        Ok(who.token_id() == Some("j-2") || (who.subject() == "bob" && who.issued_at().is_some_and(|at: SystemTime| at < before)))
    };
    let auth = Auth::builder().issuer(secret_issuer()).clock(clock).revoked(revoked).build().unwrap();
    let reason = |change: Value| auth.verify(&HS.token(&with(&claims(), &change))).err();
    assert_eq!(reason(json!({})), None);
    assert_eq!(reason(json!({"jti": "j-2"})), Some(Reason::Revoked));
    assert_eq!(reason(json!({"sub": "bob", "iat": NOW - 61})), Some(Reason::Revoked));
    assert_eq!(reason(json!({"sub": "bob", "iat": NOW - 60})), None);
    assert_eq!(reason(json!({"jti": "(absent)"})), Some(Reason::Jti), "without an id it could not be revoked");
}

#[test]
fn an_app_that_says_little_is_understood() {
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let auth = Auth::hs256(SECRET).unwrap();
    let signer = Signer::secret("", Algorithm::HS256, SECRET.as_bytes());
    let token = |claims: Value| signer.with_header(&json!({"alg": "HS256", "typ": "JWT"}), &claims);
    let exp = clock + 30 * 86_400;
    let who = auth.verify(&token(
        json!({"user": "ann", "discord_id": "4711", "role": "admin", "permissions": ["x"], "session_id": "s-1", "exp": exp}),
    ));
    let who = who.unwrap();
    assert_eq!((who.subject(), who.name(), who.session(), who.roles()), ("4711", Some("ann"), Some("s-1"), vec!["admin"]));
    assert_eq!(auth.verify(&token(json!({"user": "ann", "exp": exp}))).unwrap().subject(), "ann");
    assert_eq!(auth.verify(&token(json!({"sub": "a", "discord_id": "b", "exp": exp}))).unwrap().subject(), "a");
    assert!(auth.verify(&token(json!({"user": "ann", "exp": exp}))).unwrap().roles().is_empty(), "no role grants nothing");
    assert!(auth.verify(&token(json!({"user": "ann", "permissions": ["admin"], "exp": exp}))).unwrap().roles().is_empty());
    assert_eq!(auth.verify(&token(json!({"user": "ann", "role": "admin"}))).unwrap_err(), Reason::Exp, "exp is always required");
    assert_eq!(auth.verify(&token(json!({"sub": 4711, "user": "ann", "exp": exp}))).unwrap_err(), Reason::Sub, "the first found decides");
}

#[test]
fn several_issuers_keep_to_their_own_keys_and_roles() {
    let other_secret = "fedcba9876543210fedcba9876543210-of-the-other";
    let mut other = Issuer::new("https://other.example.com", ["tower-analytics"]);
    other.algorithms = vec!["HS256".to_owned()];
    other.keys.hmacs.insert("h1".to_owned(), Secret::new(other_secret));
    other.role_paths = vec!["roles".into()];
    other.role_map.insert("boss".to_owned(), "admin".to_owned());
    let clock = Clock::manual(UNIX_EPOCH + Duration::from_secs(NOW));
    let policy = || {
        let mut policy = Policy::default();
        policy.issuers = vec!["https://other.example.com".to_owned()];
        policy
    };
    let auth = Auth::builder().issuer(secret_issuer()).issuer(other).policy("others", policy()).clock(clock).build().unwrap();
    let theirs = Signer::secret("h1", Algorithm::HS256, other_secret.as_bytes());
    let their_claims = with(&claims(), &json!({"iss": "https://other.example.com", "roles": ["boss", "stats-admin"]}));
    let who = auth.verify(&theirs.token(&their_claims)).unwrap();
    assert_eq!((who.issuer(), who.roles()), ("https://other.example.com", vec!["admin"]));
    assert!(!auth.verify(&HS.token(&with(&claims(), &json!({"roles": ["boss"]})))).unwrap().roles().contains(&"admin"));
    for (what, token, reason) in [
        ("one's key for the other", HS.token(&their_claims), Reason::BadSignature),
        ("the other's key for the one", theirs.token(&claims()), Reason::BadSignature),
        ("a third", HS.token(&with(&claims(), &json!({"iss": "https://third.example.com"}))), Reason::Iss),
        ("nobody", HS.token(&with(&claims(), &json!({"iss": "(absent)"}))), Reason::Iss),
        ("both", HS.token(&with(&claims(), &json!({"iss": [ISSUER, "https://other.example.com"]}))), Reason::Iss),
    ] {
        assert_eq!(auth.verify(&token).unwrap_err(), reason, "{what}");
    }
}

#[test]
fn a_cached_token_ends_when_it_would_have_ended() {
    let world = World::public();
    let token = ES.token(&with(&claims(), &json!({"exp": NOW + 100})));
    world.is_taken("at first", &token);
    world.clock.advance(Duration::from_secs(129));
    world.is_taken("within the leeway", &token);
    world.clock.advance(Duration::from_secs(1));
    world.is_refused("over", &token, Reason::Exp);
    for jump in [0, NOW - 3600, NOW + 3600] {
        world.clock.set(UNIX_EPOCH + Duration::from_secs(jump));
        assert!(world.auth.verify(&token).is_err(), "a clock that jumps to {jump}");
    }
    world.clock.set(UNIX_EPOCH + Duration::from_secs(NOW));
    world.is_taken("a clock set right again", &token);
}

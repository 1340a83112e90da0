//! Whatever we accept, `jsonwebtoken::decode` accepts at its strictest: being stricter than a library must never make us laxer.

mod common;

use std::time::{SystemTime, UNIX_EPOCH};

use common::signing::{Signer, b64};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Value, json};
use tower_analytics::{
    Auth,
    auth::{Issuer, Secret},
};

const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn auth() -> Auth {
    let mut issuer = Issuer::new("https://id.example.com", ["us"]);
    issuer.algorithms = vec!["HS256".to_owned()];
    issuer.keys.hmac = Some(Secret::new(SECRET));
    Auth::builder().issuer(issuer).build().unwrap()
}

fn does_the_library_accept(token: &str) -> bool {
    let mut strict = Validation::new(Algorithm::HS256);
    strict.validate_nbf = true;
    strict.leeway = 30;
    strict.set_issuer(&["https://id.example.com"]);
    strict.set_audience(&["us"]);
    strict.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    decode::<Value>(token, &DecodingKey::from_secret(SECRET.as_bytes()), &strict).is_ok()
}

/// A claim as it should be, or anything but.
fn claim(good: Value) -> impl Strategy<Value = Option<Value>> {
    let odd = select(vec![
        json!(null),
        json!(""),
        json!(0),
        json!(-1),
        json!(1e300),
        json!("us"),
        json!(["us"]),
        json!(["us", 1]),
        json!({"a": 1}),
        json!(true),
        json!("https://id.example.com"),
        json!(now() + 20),
        json!(now() - 20),
        json!(now() + 100_000),
    ]);
    prop_oneof![12 => Just(Some(good)), 1 => Just(None), 2 => odd.prop_map(Some)]
}

fn claims() -> impl Strategy<Value = Value> {
    let given = [
        ("iss", json!("https://id.example.com")),
        ("aud", json!("us")),
        ("sub", json!("ann")),
        ("iat", json!(now())),
        ("exp", json!(now() + 60)),
        ("nbf", json!(now())),
        ("jti", json!("j")),
        ("roles", json!(["admin"])),
    ];
    let members = given.map(|(name, good)| claim(good).prop_map(move |value| value.map(|value| (name.to_owned(), value))));
    Vec::from(members).prop_map(|members| Value::Object(members.into_iter().flatten().collect()))
}

fn header() -> impl Strategy<Value = Value> {
    let odd = select(vec![
        json!({"alg": "none"}),
        json!({"alg": "HS384"}),
        json!({"alg": "HS256", "crit": ["x"]}),
        json!({"alg": "HS256", "typ": "x"}),
        json!([]),
        json!({"alg": "HS256", "kid": "x"}),
        json!({"alg": "HS256", "jku": "http://127.0.0.1:1"}),
        json!({"alg": "HS256", "x5t": "x"}),
        json!({"alg": "HS256", "x5t": 1}),
        json!({}),
    ]);
    prop_oneof![6 => Just(json!({"alg": "HS256", "typ": "JWT"})), 2 => Just(json!({"alg": "HS256"})), 2 => odd]
}

/// Bytes that are changed, put in or taken out somewhere.
fn changes() -> impl Strategy<Value = Vec<(u8, usize, u8)>> {
    prop_oneof![3 => Just(Vec::new()), 1 => vec((0_u8..3, any::<usize>(), select(b"AQaz09-_.=+/ {}\"\0\xff".to_vec())), 1..4)]
}

fn change(mut bytes: Vec<u8>, changes: &[(u8, usize, u8)]) -> Vec<u8> {
    for (how, at, byte) in changes {
        let at = at % bytes.len().max(1);
        match how {
            0 if at < bytes.len() => bytes[at] = *byte,
            1 => bytes.insert(at.min(bytes.len()), *byte),
            2 if at < bytes.len() => drop(bytes.remove(at)),
            _ => {}
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn what_we_accept_the_library_accepts(header in header(), claims in claims(), inside in changes(), outside in changes()) {
        let auth = auth();
        let signer = Signer::secret("", Algorithm::HS256, SECRET.as_bytes());
        let payload = change(claims.to_string().into_bytes(), &inside);
        let token = signer.sign(&format!("{}.{}", b64(header.to_string()), b64(payload)));
        let token = String::from_utf8_lossy(&change(token.into_bytes(), &outside)).into_owned();
        if auth.verify(&token).is_ok() {
            prop_assert!(does_the_library_accept(&token), "{token}");
        }
    }

    #[test]
    fn no_text_makes_us_panic(text in ".{0,200}", parts in vec("[A-Za-z0-9_-]{0,40}", 0..5)) {
        let auth = auth();
        prop_assert!(auth.verify(&text).is_err());
        prop_assert!(auth.verify(&parts.join(".")).is_err());
    }
}

#[test]
fn good_tokens_are_among_those_that_are_tried() {
    let signer = Signer::secret("", Algorithm::HS256, SECRET.as_bytes());
    let claims = json!({"iss": "https://id.example.com", "aud": "us", "sub": "ann", "iat": now(), "exp": now() + 60});
    let token = signer.with_header(&json!({"alg": "HS256"}), &claims);
    assert!(auth().verify(&token).is_ok() && does_the_library_accept(&token));
}

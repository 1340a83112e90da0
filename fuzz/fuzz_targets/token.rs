//! Any bytes as a token; and, up to the first newline as its header and after it as its claims, signed, so that they are read at all.
//! What we accept, `jsonwebtoken::decode` at its strictest must accept too.
#![no_main]

use std::{
    sync::LazyLock,
    time::{Duration, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Validation, crypto, decode};
use libfuzzer_sys::{Corpus, fuzz_target};
use serde_json::Value;
use tower_analytics::{
    Auth, Clock,
    auth::{ClaimRule, Identity, Issuer, Secret},
};

const ISSUER: &str = "https://id.example.com";
const GOOD: &[u8] = br#"{"iss":"https://id.example.com","aud":"us","sub":"ann","iat":1700000000,"exp":9000000000}"#;
const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

/// All is required, and the time is the library's.
static STRICT: LazyLock<Auth> = LazyLock::new(|| {
    let auth = Auth::builder().issuer(issuer(ISSUER)).max_token_lifetime(Duration::ZERO).build().expect("good settings");
    // Where nothing is accepted, nothing is compared.
    auth.verify(&signed(br#"{"alg":"HS256"}"#, GOOD)).expect("a good token");
    auth
});

/// Two issuers, claims of all kinds, a time that stands still.
static SEVERAL: LazyLock<Auth> = LazyLock::new(|| {
    let mut ruled = issuer("https://other.example.com");
    ruled.claim_rules = vec![ClaimRule::any_of("tenant.region", ["eu", "uk"]), ClaimRule::exists("act", false)];
    let builder =
        Auth::builder().issuer(issuer(ISSUER)).issuer(ruled).clock(Clock::manual(UNIX_EPOCH + Duration::from_secs(1_800_000_000)));
    builder.build().expect("good settings")
});

static APP: LazyLock<Auth> = LazyLock::new(|| Auth::hs256(SECRET).expect("a good secret"));

fn issuer(name: &str) -> Issuer {
    let mut issuer = Issuer::new(name, ["us"]);
    issuer.algorithms = vec!["HS256".to_owned()];
    issuer.keys.hmac = Some(Secret::new(String::from_utf8_lossy(SECRET)));
    issuer.role_paths = vec!["realm_access.roles".into(), "roles".into(), "scope".into()];
    issuer.role_map = [("admin", "admin"), ("mod", "mod")].map(|(theirs, ours)| (theirs.to_owned(), ours.to_owned())).into();
    issuer
}

fn signed(header: &[u8], claims: &[u8]) -> String {
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = crypto::sign(signed.as_bytes(), &EncodingKey::from_secret(SECRET), Algorithm::HS256).expect("a signature");
    format!("{signed}.{signature}")
}

fn library(token: &str) -> Result<Value, jsonwebtoken::errors::Error> {
    let mut strict = Validation::new(Algorithm::HS256);
    strict.validate_nbf = true;
    strict.leeway = 30;
    strict.set_issuer(&[ISSUER]);
    strict.set_audience(&["us"]);
    strict.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    decode(token, &DecodingKey::from_secret(SECRET), &strict).map(|data| data.claims)
}

fn check(token: &str) {
    if let Ok(who) = STRICT.verify(token) {
        let claims = library(token).unwrap_or_else(|error| panic!("we accept what the library refuses ({error}): {token}"));
        assert_eq!(claims["sub"], who.subject(), "{token}");
        assert_eq!(claims["iss"], who.issuer(), "{token}");
        is_sound(&who);
        // Twice is as once.
        assert_eq!(STRICT.verify(token).as_ref(), Ok(&who), "{token}");
    }
    for auth in [&*SEVERAL, &*APP] {
        if let Ok(who) = auth.verify(token) {
            is_sound(&who);
        }
    }
}

/// What goes into headers and logs.
fn is_sound(who: &Identity) {
    for text in [Some(who.subject()), who.name(), who.token_id(), who.session()].into_iter().flatten() {
        assert!(!text.contains(char::is_control) && text.len() <= 1024, "{text:?}");
    }
    assert!(who.roles().iter().all(|role| ["admin", "mod"].contains(role)));
    let _no_panic = (who.issued_at(), who.expires_at(), who.role(), format!("{who:?}"));
}

fuzz_target!(|bytes: &[u8]| -> Corpus {
    if let Ok(token) = std::str::from_utf8(bytes) {
        check(token);
    }
    let Some(newline) = bytes.iter().position(|byte| *byte == b'\n') else { return Corpus::Keep };
    LazyLock::force(&STRICT);
    check(&signed(&bytes[..newline], &bytes[newline + 1..]));
    Corpus::Keep
});

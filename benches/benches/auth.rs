//! A token verified: ours, with and without what is kept of it, beside `jsonwebtoken::decode` at its strictest, in turns of one run.

mod common;

use std::hint::black_box;

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rsa::{KeyPair, KeySize},
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use common::{ISSUER, SECRET, claims, issuer};
use criterion::{Criterion, criterion_group, criterion_main};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode, jwk::Jwk};
use serde_json::{Value, json};
use tower_analytics::{
    Auth,
    auth::{Secret, TokenCache},
};

struct Peer {
    name: &'static str,
    alg: Algorithm,
    key: EncodingKey,
    decoding: DecodingKey,
}

fn pem(der: &[u8]) -> Vec<u8> {
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der)).into_bytes()
}

fn peers() -> Vec<Peer> {
    let rsa: Pkcs8V1Der<'_> = KeyPair::generate(KeySize::Rsa2048).expect("a key").as_der().expect("der");
    let ec = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key").to_pkcs8v1().expect("der");
    let ed = Ed25519KeyPair::generate().expect("a key").to_pkcs8v1().expect("der");
    let keys = [
        ("HS256", Algorithm::HS256, EncodingKey::from_secret(SECRET.as_bytes())),
        ("RS256", Algorithm::RS256, EncodingKey::from_rsa_pem(&pem(rsa.as_ref())).expect("pem")),
        ("ES256", Algorithm::ES256, EncodingKey::from_ec_pem(&pem(ec.as_ref())).expect("pem")),
        ("EdDSA", Algorithm::EdDSA, EncodingKey::from_ed_pem(&pem(ed.as_ref())).expect("pem")),
    ];
    let decoding = |key: &EncodingKey, alg| DecodingKey::from_jwk(&Jwk::from_encoding_key(key, alg).expect("a jwk")).expect("a key");
    keys.into_iter().map(|(name, alg, key)| Peer { name, alg, decoding: decoding(&key, alg), key }).collect()
}

impl Peer {
    fn token(&self) -> String {
        let header = Header { kid: Some("k".to_owned()), ..Header::new(self.alg) };
        encode(&header, &claims(), &self.key).expect("a token")
    }

    fn auth(&self, cache: TokenCache) -> Auth {
        let mut issuer = issuer();
        let file = tempfile::NamedTempFile::new().expect("a file");
        if self.alg == Algorithm::HS256 {
            issuer.algorithms = vec!["HS256".to_owned()];
            issuer.keys.hmac = Some(Secret::new(SECRET));
            issuer.keys.kid = Some("k".to_owned());
        } else {
            let mut jwk = serde_json::to_value(Jwk::from_encoding_key(&self.key, self.alg).expect("a jwk")).expect("json");
            jwk["kid"] = json!("k");
            std::fs::write(file.path(), json!({"keys": [jwk]}).to_string()).expect("written");
            issuer.keys.jwks_file = Some(file.path().to_owned());
        }
        Auth::builder().issuer(issuer).cache(cache).build().expect("good settings")
    }
}

fn auth(c: &mut Criterion) {
    // Installs the cryptography before the peer asks for it.
    let _first = Auth::hs256(SECRET).expect("a good secret");
    let mut group = c.benchmark_group("token");
    for peer in peers() {
        let token = peer.token();
        let (fresh, kept) = (peer.auth(TokenCache::Off), peer.auth(TokenCache::All));
        let mut strict = Validation::new(peer.alg);
        strict.validate_nbf = true;
        strict.leeway = 30;
        strict.set_issuer(&[ISSUER]);
        strict.set_audience(&["tower-analytics"]);
        strict.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        let (signed, signature) = token.rsplit_once('.').expect("three parts");
        let forged = format!("{signed}.{}{}", if signature.starts_with('A') { "B" } else { "A" }, &signature[1..]);
        group.bench_function(format!("{}/ours", peer.name), |b| b.iter(|| fresh.verify(black_box(&token)).expect("good")));
        group.bench_function(format!("{}/decode", peer.name), |b| {
            b.iter(|| decode::<Value>(black_box(&token), &peer.decoding, &strict).expect("good"));
        });
        group.bench_function(format!("{}/ours, kept", peer.name), |b| b.iter(|| kept.verify(black_box(&token)).expect("good")));
        group.bench_function(format!("{}/ours, forged", peer.name), |b| b.iter(|| fresh.verify(black_box(&forged)).expect_err("forged")));
    }
    let hs = &peers()[0];
    let (token, auth) = (hs.token(), hs.auth(TokenCache::All));
    let (_, rest) = token.split_once('.').expect("three parts");
    for (what, bad) in [
        ("two parts", rest.to_owned()),
        ("no header", format!("e30.{rest}")),
        ("no base64", format!("?{token}")),
        ("9 KiB", "a".repeat(9 << 10)),
        ("8 KiB of letters", format!("{}.{rest}", "a".repeat(7 << 10))),
    ] {
        group.bench_function(format!("malformed/{what}"), |b| b.iter(|| auth.verify(black_box(&bad)).expect_err("malformed")));
    }
    group.finish();
}

criterion_group!(benches, auth);
criterion_main!(benches);

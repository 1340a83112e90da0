//! Keys as files and documents hold them: PEM, JWK sets ([RFC 7517](https://www.rfc-editor.org/rfc/rfc7517)).

use std::slice;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind, crypto::aws_lc::DEFAULT_PROVIDER};
use serde_json::{Map, Value};

use super::key::{Key, KeySet, Refusal};

/// The longest document, in bytes, and the most keys in it.
pub(super) const MAX_DOCUMENT: usize = 256 << 10;
const MAX_KEYS: usize = 64;

/// What an issuer's settings say of its keys.
#[derive(Clone, Debug)]
pub(super) struct KeyRules {
    pub(super) algorithms: Vec<Algorithm>,
    /// Whether the document came from elsewhere, where no secret can be.
    pub(super) is_remote: bool,
}

impl KeyRules {
    /// One algorithm a key: its own, else the only one of its family in the settings. RSA has six, so one must say which.
    fn one_of(&self, family: AlgorithmFamily, own: Option<Algorithm>) -> Result<Algorithm, Refusal> {
        let is_allowed = |alg: &Algorithm| alg.family() == family && (self.algorithms.is_empty() || self.algorithms.contains(alg));
        if let Some(own) = own {
            return if is_allowed(&own) { Ok(own) } else { Err("is for an algorithm that `algorithms` does not list") };
        }
        let listed = self.algorithms.iter().filter(|alg| alg.family() == family).collect::<Vec<_>>();
        match (listed.as_slice(), family) {
            ([only], _) => Ok(**only),
            ([], AlgorithmFamily::Ed) if self.algorithms.is_empty() => Ok(Algorithm::EdDSA),
            ([], _) if !self.algorithms.is_empty() => Err("is for an algorithm that `algorithms` does not list"),
            _ => Err("does not say its algorithm, and `algorithms` does not list exactly one that it could be for"),
        }
    }
}

/// A public key or a certificate in PEM.
pub(super) fn pem(text: &[u8], kid: Option<String>, rules: &KeyRules) -> Result<Key, Refusal> {
    if text.windows(11).any(|window| window == b"PRIVATE KEY") {
        return Err("is a PRIVATE key: verifying takes the public one only, and a server that holds no private key cannot lose it");
    }
    let bytes = |key: DecodingKey| match key.kind() {
        DecodingKeyKind::SecretOrDer(bytes) => bytes.clone(),
        _ => Vec::new(),
    };
    if let Ok(key) = DecodingKey::from_ec_pem(text) {
        let point = bytes(key);
        let (Some((4, xy)), Some(own)) = (point.split_first(), curve_of(point.len())) else {
            return Err("lies on a curve other than P-256 and P-384, or is compressed");
        };
        let alg = rules.one_of(AlgorithmFamily::Ec, Some(own))?;
        let (x, y) = xy.split_at(xy.len() / 2);
        return Key::ec(kid, alg, x, y);
    }
    if let Ok(key) = DecodingKey::from_ed_pem(text) {
        rules.one_of(AlgorithmFamily::Ed, None)?;
        return Key::ed(kid, &bytes(key));
    }
    let key = DecodingKey::from_rsa_pem(text).map_err(|_| "is no PUBLIC KEY, RSA PUBLIC KEY or CERTIFICATE in PEM")?;
    let alg = rules.one_of(AlgorithmFamily::Rsa, None)?;
    let parts = (DEFAULT_PROVIDER.key_utils.rsa_pub_components_from_public_key)(&bytes(key));
    let (n, e) = parts.map_err(|_| "is no RSA key of 2048 to 8192 bits")?;
    Key::rsa(kid, alg, &n, &e)
}

fn curve_of(point: usize) -> Option<Algorithm> {
    match point {
        65 => Some(Algorithm::ES256),
        97 => Some(Algorithm::ES384),
        _ => None,
    }
}

/// Why a document gives no keys.
#[derive(Debug)]
pub(super) enum NoKeys {
    /// It is no key set: whoever writes it may not be done yet.
    Unread(Refusal),
    /// It is one, and no key in it can be used.
    Unusable(Refusal),
}

/// A JWK set, or a single JWK. Key by key: one that is broken or unknown is skipped with a warning, and the others work.
pub(super) fn jwks(text: &[u8], rules: &KeyRules) -> Result<KeySet, NoKeys> {
    if text.len() > MAX_DOCUMENT {
        return Err(NoKeys::Unread("is longer than 256 KiB"));
    }
    let document: Map<String, Value> = serde_json::from_slice(text).map_err(|_| NoKeys::Unread("is no JSON object"))?;
    let single = Value::Object(document);
    let keys = match single.get("keys") {
        Some(Value::Array(keys)) => keys.as_slice(),
        None if single.get("kty").is_some() => slice::from_ref(&single),
        _ => return Err(NoKeys::Unread("has no list `keys`")),
    };
    if keys.len() > MAX_KEYS {
        return Err(NoKeys::Unread("has more than 64 keys"));
    }
    let read = |value: &Value| {
        let kid = value.get("kid").and_then(Value::as_str).unwrap_or_default().chars().take(64).collect::<String>();
        jwk(value, rules)
            .inspect_err(|refusal| tracing::warn!(kid = kid.escape_debug().to_string(), "a key is left out: it {refusal}"))
            .ok()
    };
    let keys = KeySet::new(keys.iter().filter_map(read).collect()).map_err(NoKeys::Unusable)?;
    if keys.len() == 0 { Err(NoKeys::Unusable("has no key that can be used; the log says why of each")) } else { Ok(keys) }
}

fn jwk(value: &Value, rules: &KeyRules) -> Result<Key, Refusal> {
    let member = |name: &str| value.get(name);
    let text = |name: &str| member(name).and_then(Value::as_str);
    let number = |name: &str| {
        let decoded = text(name).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
        decoded.filter(|bytes| !bytes.is_empty()).ok_or("lacks a member, or it is no base64url")
    };
    if ["d", "p", "q", "dp", "dq", "qi", "oth"].iter().any(|name| member(name).is_some()) {
        return Err("has private members, which do not belong here");
    }
    if member("use").is_some() && text("use") != Some("sig") {
        return Err("is not for signatures (`use`)");
    }
    match member("key_ops") {
        None => {}
        Some(Value::Array(ops)) if ops.iter().any(|op| op == "verify") => {}
        Some(_) => return Err("is not for verifying (`key_ops`)"),
    }
    let kid = match member("kid") {
        None => None,
        Some(Value::String(kid)) => Some(kid.clone()),
        Some(_) => return Err("has a `kid` that is no text"),
    };
    let own = match member("alg") {
        None => None,
        Some(alg) => Some(alg.as_str().and_then(|name| name.parse().ok()).ok_or("is for an algorithm that is not known (`alg`)")?),
    };
    match (text("kty"), text("crv")) {
        (Some("RSA"), _) => Key::rsa(kid, rules.one_of(AlgorithmFamily::Rsa, own)?, &number("n")?, &number("e")?),
        (Some("EC"), Some(curve @ ("P-256" | "P-384"))) => {
            let of_curve = if curve == "P-256" { Algorithm::ES256 } else { Algorithm::ES384 };
            if own.is_some_and(|own| own != of_curve) {
                return Err("is for an algorithm of another curve");
            }
            Key::ec(kid, rules.one_of(AlgorithmFamily::Ec, Some(of_curve))?, &number("x")?, &number("y")?)
        }
        (Some("OKP"), Some("Ed25519")) => {
            rules.one_of(AlgorithmFamily::Ed, own)?;
            Key::ed(kid, &number("x")?)
        }
        (Some("oct"), _) if rules.is_remote => Err("is a secret that came from elsewhere"),
        (Some("oct"), _) => Key::secret(kid, rules.one_of(AlgorithmFamily::Hmac, own)?, &number("k")?),
        _ => Err("is of a kind (`kty`, `crv`) that is not known"),
    }
}

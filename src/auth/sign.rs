use std::fs;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, crypto, jwk::Jwk};
use serde_json::{Value, json};

use super::{
    backend,
    builder::secret_bytes,
    config::{Issuer, Keys},
    secret::Secret,
};
use crate::error::{Error, ErrorKind};

/// Makes tokens, for the program: with the secret that the settings hold, or with a private key, which settings never do.
pub(crate) struct SigningKey {
    kid: Option<String>,
    algorithm: Algorithm,
    key: EncodingKey,
}

impl SigningKey {
    /// An issuer's secret; of several the one of this name.
    pub(crate) fn secret(issuer: &Issuer, kid: Option<&str>) -> Result<Self, Error> {
        backend::install()?;
        let Keys { hmac, hmac_file, hmacs, .. } = &issuer.keys;
        let file = hmac_file.as_ref().map(|path| Secret::new(format!("file:{}", path.display())));
        let (kid, secret) = match (hmac.as_ref().or(file.as_ref()), kid) {
            (Some(secret), _) => (issuer.keys.kid.clone(), secret),
            (None, Some(kid)) if hmacs.contains_key(kid) => (Some(kid.to_owned()), &hmacs[kid]),
            (None, None) if hmacs.len() == 1 => {
                hmacs.iter().next().map(|(kid, secret)| (Some(kid.clone()), secret)).ok_or_else(no_secret)?
            }
            (None, _) if hmacs.is_empty() => return Err(no_secret()),
            (None, _) => {
                let names: Vec<&str> = hmacs.keys().map(String::as_str).collect();
                return Err(wrong(format!("the issuer has several secrets, {}: choose one with --kid", names.join(", "))));
            }
        };
        let algorithm = issuer.algorithms.first().and_then(|name| name.parse().ok()).ok_or_else(no_secret)?;
        let bytes = secret_bytes(&issuer.keys, secret).map_err(wrong)?;
        Ok(Self { kid, algorithm, key: EncodingKey::from_secret(&bytes) })
    }

    /// A private key in PKCS#8 and PEM, to sign as this issuer does. Without an algorithm, the issuer's only one, else what suits the key.
    pub(crate) fn private(issuer: &Issuer, kid: Option<&str>, algorithm: Option<&str>, pem: &[u8]) -> Result<Self, Error> {
        backend::install()?;
        let only = Some(&issuer.algorithms).filter(|names| names.len() == 1).and_then(|names| names.first());
        let algorithm = match algorithm.or(only.map(String::as_str)) {
            Some(name) => name.parse().map_err(|_| wrong(format!("{name:?} is no algorithm that is known: RS256, ES256 and EdDSA are")))?,
            None => usual(pem).ok_or_else(no_private_key)?,
        };
        let key = match algorithm {
            Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => {
                return Err(wrong("HS256, HS384 and HS512 take a secret and no private key: give it with --secret-file".to_owned()));
            }
            Algorithm::ES256 | Algorithm::ES384 => EncodingKey::from_ec_pem(pem),
            Algorithm::EdDSA => EncodingKey::from_ed_pem(pem),
            _ => EncodingKey::from_rsa_pem(pem),
        };
        let key = key.map_err(|error| no_private_key().with_source(error))?;
        let mut signing = Self { kid: kid.map(str::to_owned), algorithm, key };
        if signing.kid.is_none() {
            signing.kid = issuer.keys.kid.clone().or_else(|| signing.name_in(issuer));
        }
        Ok(signing)
    }

    pub(crate) fn algorithm(&self) -> String {
        format!("{:?}", self.algorithm)
    }

    /// What verifies its tokens.
    pub(crate) fn public_jwks(&self) -> Result<Vec<u8>, Error> {
        let mut jwk = self.jwk()?;
        if let Some(kid) = &self.kid {
            jwk["kid"] = json!(kid);
        }
        Ok(json!({"keys": [jwk]}).to_string().into_bytes())
    }

    /// Signs claims; `typ` is what the header says.
    pub(crate) fn sign(&self, typ: &str, claims: &Value) -> Result<String, Error> {
        let mut header = json!({"alg": self.algorithm(), "typ": typ});
        if let Some(kid) = &self.kid {
            header["kid"] = json!(kid);
        }
        let [header, claims] = [&header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let signed = format!("{header}.{claims}");
        let signature = crypto::sign(signed.as_bytes(), &self.key, self.algorithm);
        let signature = signature.map_err(|error| wrong(format!("the key cannot sign with {}", self.algorithm())).with_source(error))?;
        Ok(format!("{signed}.{signature}"))
    }

    fn jwk(&self) -> Result<Value, Error> {
        let jwk = Jwk::from_encoding_key(&self.key, self.algorithm).map_err(|error| no_private_key().with_source(error))?;
        serde_json::to_value(jwk).map_err(|error| no_private_key().with_source(error))
    }

    /// What the issuer's key set calls the public half.
    fn name_in(&self, issuer: &Issuer) -> Option<String> {
        let set: Value = serde_json::from_slice(&fs::read(issuer.keys.jwks_file.as_ref()?).ok()?).ok()?;
        let own = self.jwk().ok()?;
        let same = |other: &&Value| ["kty", "n", "e", "crv", "x", "y"].iter().all(|part| own.get(part) == other.get(part));
        set.get("keys")?.as_array()?.iter().find(same)?.get("kid")?.as_str().map(str::to_owned)
    }
}

/// What a key of its kind is mostly used with.
fn usual(pem: &[u8]) -> Option<Algorithm> {
    match () {
        () if EncodingKey::from_rsa_pem(pem).is_ok() => Some(Algorithm::RS256),
        () if EncodingKey::from_ec_pem(pem).is_ok() => Some(Algorithm::ES256),
        () if EncodingKey::from_ed_pem(pem).is_ok() => Some(Algorithm::EdDSA),
        () => None,
    }
}

fn no_secret() -> Error {
    wrong("the issuer has no secret, only public keys: give the private key that belongs to them with --private-key".to_owned())
}

fn no_private_key() -> Error {
    wrong("this is no private key in PKCS#8 and PEM (\"-----BEGIN PRIVATE KEY-----\") for that algorithm".to_owned())
}

fn wrong(message: String) -> Error {
    Error::new(ErrorKind::Config, message)
}

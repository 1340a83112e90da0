use std::fmt;

use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey};
use sha2::{Digest, Sha256};

use super::compact::{Compact, Header};
use super::reason::Reason;

/// One key, for one algorithm: what a token's header says never decides how a key is used.
pub(super) struct Key {
    kid: Option<String>,
    alg: Algorithm,
    material: DecodingKey,
    /// Tells one key from another of the same name.
    print: [u8; 32],
}

/// The keys of an issuer.
#[derive(Debug, Default)]
pub(super) struct KeySet(Vec<Key>);

/// Why a key is not taken, as a clause that continues "the key .. ".
pub(super) type Refusal = &'static str;

const MAX_RSA_BYTES: usize = 1024;

impl Key {
    /// RFC 7518, section 3.2: a key as long as the hash.
    pub(super) fn secret(kid: Option<String>, alg: Algorithm, secret: &[u8]) -> Result<Self, Refusal> {
        let (least, too_short) = match alg {
            Algorithm::HS256 => (32, "is shorter than 32 bytes, which HS256 needs"),
            Algorithm::HS384 => (48, "is shorter than 48 bytes, which HS384 needs"),
            Algorithm::HS512 => (64, "is shorter than 64 bytes, which HS512 needs"),
            _ => return Err("is a secret, and its algorithm is not HS256, HS384 or HS512"),
        };
        // A public key taken for a secret is one that everybody knows.
        let start = secret.trim_ascii_start();
        if [&b"-----BEGIN"[..], b"ssh-", b"{"].iter().any(|prefix| start.starts_with(prefix)) {
            return Err("is a key file (PEM, SSH or JWK) and no secret: give it as `pem_file` or `jwks_file`");
        }
        if secret.len() < least {
            return Err(too_short);
        }
        Ok(Self { kid, alg, material: DecodingKey::from_secret(secret), print: print(&[secret]) })
    }

    pub(super) fn rsa(kid: Option<String>, alg: Algorithm, n: &[u8], e: &[u8]) -> Result<Self, Refusal> {
        let (n, e) = (without_zeros(n), without_zeros(e));
        let bits = n.len() * 8 - n.first().map_or(0, |first| first.leading_zeros() as usize);
        if bits < 2048 || n.len() > MAX_RSA_BYTES {
            return Err("is an RSA key outside of 2048 to 8192 bits");
        }
        let exponent = e.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        if e.len() > 4 || exponent < 65_537 || exponent.is_multiple_of(2) || n.last().is_none_or(|last| last.is_multiple_of(2)) {
            return Err("is an RSA key whose exponent or modulus is not safe");
        }
        Ok(Self { kid, alg, material: DecodingKey::from_rsa_raw_components(n, e), print: print(&[n, e]) })
    }

    /// The point as `04 x y`; whether it lies on the curve is checked with each signature.
    pub(super) fn ec(kid: Option<String>, alg: Algorithm, x: &[u8], y: &[u8]) -> Result<Self, Refusal> {
        let size = if alg == Algorithm::ES256 { 32 } else { 48 };
        if x.len() != size || y.len() != size {
            return Err("has coordinates of another length than its curve");
        }
        let point = [&[4], x, y].concat();
        Ok(Self { kid, alg, material: DecodingKey::from_ec_der(&point), print: print(&[&point]) })
    }

    pub(super) fn ed(kid: Option<String>, x: &[u8]) -> Result<Self, Refusal> {
        let Ok(point) = <[u8; 32]>::try_from(x) else { return Err("is no Ed25519 key of 32 bytes") };
        if is_small(point) {
            return Err("is an Ed25519 point of small order, for which everybody can sign");
        }
        Ok(Self { kid, alg: Algorithm::EdDSA, material: DecodingKey::from_ed_der(x), print: print(&[x]) })
    }

    pub(super) fn is_secret(&self) -> bool {
        self.alg.family() == AlgorithmFamily::Hmac
    }

    pub(super) fn verify(&self, token: &Compact<'_>) -> Result<(), Reason> {
        match jsonwebtoken::crypto::verify(token.signature, token.signed.as_bytes(), &self.material, self.alg) {
            Ok(true) => Ok(()),
            _ => Err(Reason::BadSignature),
        }
    }
}

impl KeySet {
    /// Keys of one name that are not one key are both left out. Secrets and public keys in one set are refused.
    pub(super) fn new(keys: Vec<Key>) -> Result<Self, Refusal> {
        if keys.iter().any(Key::is_secret) && !keys.iter().all(Key::is_secret) {
            return Err("holds both secrets and public keys");
        }
        let mut kept: Vec<Key> = Vec::new();
        let mut ambiguous: Vec<String> = Vec::new();
        for key in keys {
            match kept.iter().position(|other| other.kid == key.kid && (key.kid.is_some() || other.print == key.print)) {
                Some(same) if kept[same].print == key.print && kept[same].alg == key.alg => {}
                Some(_) => ambiguous.extend(key.kid),
                None => kept.push(key),
            }
        }
        for kid in &ambiguous {
            tracing::warn!(kid = kid.escape_debug().to_string(), "two keys have this name: neither is used");
        }
        kept.retain(|key| key.kid.as_ref().is_none_or(|kid| !ambiguous.contains(kid)));
        Ok(Self(kept))
    }

    /// By exact name; without one only if there is no other choice.
    pub(super) fn choose(&self, header: &Header) -> Result<&Key, Reason> {
        let Some(kid) = &header.kid else {
            let mut fitting = self.0.iter().filter(|key| key.alg == header.alg);
            return match (fitting.next(), fitting.next()) {
                (Some(only), None) => Ok(only),
                (Some(_), Some(_)) => Err(Reason::UnknownKey),
                // Where there is no key at all, the algorithm is not what is wrong.
                (None, _) if self.0.is_empty() => Err(Reason::UnknownKey),
                (None, _) => Err(Reason::Alg),
            };
        };
        let key = self.0.iter().find(|key| key.kid.as_ref() == Some(kid)).ok_or(Reason::UnknownKey)?;
        if key.alg == header.alg { Ok(key) } else { Err(Reason::Alg) }
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("kid", &self.kid).field("alg", &self.alg).finish_non_exhaustive()
    }
}

fn print(parts: &[&[u8]]) -> [u8; 32] {
    parts.iter().fold(Sha256::new(), |hash, part| hash.chain_update((part.len() as u64).to_be_bytes()).chain_update(part)).finalize().into()
}

fn without_zeros(number: &[u8]) -> &[u8] {
    &number[number.iter().position(|byte| *byte != 0).unwrap_or(number.len())..]
}

/// The points of order 1, 2, 4 and 8 in every encoding, without the sign; as libsodium refuses them.
fn is_small(mut point: [u8; 32]) -> bool {
    const EIGHTH: [u8; 32] = [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
        0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ];
    const OTHER_EIGHTH: [u8; 32] = [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
        0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ];
    point[31] &= 0x7f;
    let (first, middle, last) = (point[0], &point[1..31], point[31]);
    let is_zero_or_one = first <= 1 && middle.iter().all(|byte| *byte == 0) && last == 0;
    let is_near_p = (0xec..=0xee).contains(&first) && middle.iter().all(|byte| *byte == 0xff) && last == 0x7f;
    is_zero_or_one || is_near_p || point == EIGHTH || point == OTHER_EIGHTH
}

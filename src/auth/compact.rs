//! The compact form of a signed token ([RFC 7515](https://www.rfc-editor.org/rfc/rfc7515#section-7.1)) and its header, read strictly.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::Algorithm;

use super::{
    json::{Bounds, Json, Object},
    reason::Reason,
};

/// The three parts, still encoded.
#[derive(Clone, Copy)]
pub(super) struct Compact<'a> {
    pub(super) header: &'a str,
    pub(super) payload: &'a str,
    pub(super) signature: &'a str,
    /// What is signed: header, dot, payload.
    pub(super) signed: &'a str,
}

/// What the header says, as far as it counts here.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) alg: Algorithm,
    pub(super) kid: Option<String>,
}

const MAX_HEADER: usize = 2048;
/// Of an 8192-bit RSA key.
const MAX_SIGNATURE: usize = 1024;
const HEADER_BOUNDS: Bounds = Bounds { depth: 4, members: 32 };

impl<'a> Compact<'a> {
    pub(super) fn split(token: &'a str) -> Result<Self, Reason> {
        let (signed, signature) = token.rsplit_once('.').ok_or(Reason::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(Reason::Malformed)?;
        let is_whole = !header.is_empty() && !payload.is_empty() && !signature.is_empty();
        // More parts than three: an encrypted token, or none.
        if !is_whole || payload.contains('.') {
            return Err(Reason::Malformed);
        }
        if header.len() > MAX_HEADER / 3 * 4 {
            return Err(Reason::Header);
        }
        Ok(Self { header, payload, signature, signed })
    }

    pub(super) fn read_header(&self, typ: &[String]) -> Result<Header, Reason> {
        let json = decode(self.header)?;
        let header = Object::parse(&json, HEADER_BOUNDS).ok_or(Reason::Header)?;
        if header.has("crit") || header.has("b64") {
            return Err(Reason::Crit);
        }
        // A key that the token brings along proves nothing, and what is zipped or nested was not asked for.
        if ["zip", "enc", "cty", "jwk", "jku", "x5u", "x5c"].iter().any(|name| header.has(name)) {
            return Err(Reason::Header);
        }
        // These say nothing to us, but what they are is known, and whoever reads them has to be told text.
        if ["x5t", "x5t#S256", "url", "nonce"].iter().any(|name| header.get(name).is_some_and(|value| value.text().is_none())) {
            return Err(Reason::Header);
        }
        match header.get("typ") {
            None => {}
            Some(Json::Text(text)) if typ.iter().any(|allowed| allowed.eq_ignore_ascii_case(text)) => {}
            Some(_) => return Err(Reason::Typ),
        }
        let alg = header.get("alg").and_then(Json::text).and_then(|name| name.parse().ok()).ok_or(Reason::Alg)?;
        let kid = match header.get("kid") {
            None => None,
            Some(Json::Text(kid)) => Some(kid.clone().into_owned()),
            Some(_) => return Err(Reason::UnknownKey),
        };
        Ok(Header { alg, kid })
    }

    pub(super) fn read_payload(&self) -> Result<Vec<u8>, Reason> {
        decode(self.payload)
    }

    /// Whether the signature is text that can be one; so that what is malformed is not called forged.
    pub(super) fn check_signature(&self) -> Result<(), Reason> {
        let mut buffer = [0; MAX_SIGNATURE + 2];
        URL_SAFE_NO_PAD.decode_slice(self.signature, &mut buffer).map(drop).map_err(|_| Reason::Malformed)
    }
}

/// base64url without padding, and with no bits left over: else two texts would be one token.
fn decode(text: &str) -> Result<Vec<u8>, Reason> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| Reason::Malformed)
}

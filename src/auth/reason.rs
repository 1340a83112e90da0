use std::fmt;

/// Why a token or a request was refused, for logs and metrics; what clients read never says it.
///
/// Printed as the short code that logs carry, such as `bad_signature`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The request carries no credential.
    Missing,
    /// Not in the compact form of [RFC 7515](https://www.rfc-editor.org/rfc/rfc7515#section-7.1), or its claims are no JSON object.
    Malformed,
    /// Longer than `max_token_bytes`.
    TooLarge,
    /// The header names no algorithm that is known, or not the one its key is for.
    Alg,
    /// The header is no plain JSON object, or brings a key, a compression or an encryption of its own.
    Header,
    /// The header asks for an extension: `crit` or `b64`.
    Crit,
    /// The header's `typ` says that it is another kind of token.
    Typ,
    /// No key has the header's `kid`; or the header has none, and more than one key could be meant.
    UnknownKey,
    /// The signature is not by the key.
    BadSignature,
    /// Expired, or `exp` is missing or no sensible number.
    Exp,
    /// Not valid yet, or `nbf` is no sensible number or lies after `exp`.
    Nbf,
    /// Issued in the future, or `iat` is no sensible number, or missing and required.
    Iat,
    /// Lives longer than `max_token_lifetime_s`.
    Lifetime,
    /// By another issuer.
    Iss,
    /// For another audience.
    Aud,
    /// The subject is missing, empty, too long, no text, or has control characters.
    Sub,
    /// The token's id is too long or no text, or missing and required.
    Jti,
    /// Revoked.
    Revoked,
    /// Bound to a key that its bearer must prove (`cnf`), which nobody did here.
    Cnf,
    /// A claim is not what `claim_rules` say.
    Claim,
    /// The session of the sign-in is over, or its cookie came twice.
    Session,
    /// The token is good, but the policy asks for more than it grants.
    Role,
    /// There are no keys yet, they are too old to be trusted, or revocations cannot be read.
    KeysUnavailable,
}

impl Reason {
    pub(super) const COUNT: usize = Self::ALL.len();

    const ALL: [Self; 23] = [
        Self::Missing,
        Self::Malformed,
        Self::TooLarge,
        Self::Alg,
        Self::Header,
        Self::Crit,
        Self::Typ,
        Self::UnknownKey,
        Self::BadSignature,
        Self::Exp,
        Self::Nbf,
        Self::Iat,
        Self::Lifetime,
        Self::Iss,
        Self::Aud,
        Self::Sub,
        Self::Jti,
        Self::Revoked,
        Self::Cnf,
        Self::Claim,
        Self::Session,
        Self::Role,
        Self::KeysUnavailable,
    ];

    #[cfg_attr(not(feature = "dashboard"), allow(dead_code, reason = "for the API"))]
    pub(super) fn all() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter()
    }

    /// Its place among all.
    pub(super) fn index(self) -> usize {
        self as usize
    }

    /// The short code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Malformed => "malformed",
            Self::TooLarge => "too_large",
            Self::Alg => "alg",
            Self::Header => "header",
            Self::Crit => "crit",
            Self::Typ => "typ",
            Self::UnknownKey => "unknown_key",
            Self::BadSignature => "bad_signature",
            Self::Exp => "exp",
            Self::Nbf => "nbf",
            Self::Iat => "iat",
            Self::Lifetime => "lifetime",
            Self::Iss => "iss",
            Self::Aud => "aud",
            Self::Sub => "sub",
            Self::Jti => "jti",
            Self::Revoked => "revoked",
            Self::Cnf => "cnf",
            Self::Claim => "claim",
            Self::Session => "session",
            Self::Role => "role",
            Self::KeysUnavailable => "keys_unavailable",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl std::error::Error for Reason {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_in_the_list_and_at_their_place() {
        for (index, reason) in Reason::all().enumerate() {
            assert_eq!(reason.index(), index, "{reason}");
        }
    }
}

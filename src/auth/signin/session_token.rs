use std::fmt;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::error::{Error, ErrorKind};

/// What a browser holds of its session: 32 random bytes as base64url behind `an1_`. Never kept, never shown; only
/// its [`hash`](Self::hash) is.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SessionToken(Zeroizing<String>);

/// Names the format, so that a leaked token is recognised by whoever scans for secrets.
const PREFIX: &str = "an1_";
const RANDOM_BYTES: usize = 32;
const PUBLIC_ID_BYTES: usize = 12;

impl SessionToken {
    /// A new one, from the system's randomness.
    pub(crate) fn new() -> Result<Self, Error> {
        let mut bytes = Zeroizing::new([0; RANDOM_BYTES]);
        getrandom::fill(&mut *bytes)
            .map_err(|error| Error::new(ErrorKind::Storage, "the system has no randomness for a session").with_source(error))?;
        let mut text = Zeroizing::new(PREFIX.to_owned());
        BASE64_URL_SAFE_NO_PAD.encode_string(*bytes, &mut text);
        Ok(Self(text))
    }

    /// A text of exactly the form that we give out.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut bytes = Zeroizing::new([0; RANDOM_BYTES + 1]);
        let length = BASE64_URL_SAFE_NO_PAD.decode_slice(text.strip_prefix(PREFIX)?, &mut *bytes).ok()?;
        (length == RANDOM_BYTES).then(|| Self(Zeroizing::new(text.to_owned())))
    }

    /// The token itself, for the cookie and nothing else.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// What is kept of it. A plain hash is enough: nobody can try 2^256 of them.
    pub(crate) fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }

    /// Names the session in lists and logs; the token cannot be found from it.
    pub(crate) fn public_id(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(&self.digest("id")[..PUBLIC_ID_BYTES])
    }

    /// What a page of ours sends along with a change, to show that it was allowed to read one of our answers
    /// (the double submit of the OWASP CSRF cheat sheet, bound to the session). It changes when the token does.
    pub(crate) fn csrf(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.digest("csrf"))
    }

    fn digest(&self, purpose: &str) -> [u8; 32] {
        Sha256::new().chain_update(purpose).chain_update(self.0.as_bytes()).finalize().into()
    }
}

impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionToken(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_have_their_form_and_do_not_show() {
        let (one, two) = (SessionToken::new().unwrap(), SessionToken::new().unwrap());
        assert_ne!(one, two);
        assert_eq!((one.as_str().len(), &one.as_str()[..4]), (47, "an1_"));
        assert_eq!(SessionToken::parse(one.as_str()), Some(one.clone()));
        assert_eq!(format!("{one:?}"), "SessionToken(..)");
        assert_ne!(one.hash(), two.hash());
    }

    #[test]
    fn the_public_id_and_the_csrf_value_are_others_for_each_token_and_say_nothing_of_it() {
        let (one, two) = (SessionToken::new().unwrap(), SessionToken::new().unwrap());
        assert_eq!((one.public_id().len(), one.csrf().len()), (16, 43));
        assert_ne!(one.public_id(), two.public_id());
        assert_ne!(one.csrf(), two.csrf());
        assert!(!one.csrf().starts_with(&one.public_id()));
        assert_ne!(BASE64_URL_SAFE_NO_PAD.encode(one.hash()), one.csrf());
    }

    #[test]
    fn anything_of_another_form_is_no_token() {
        let good = SessionToken::new().unwrap().as_str().to_owned();
        let body = &good[4..];
        for bad in [
            String::new(),
            "an1_".to_owned(),
            body.to_owned(),
            format!("AN1_{body}"),
            format!("an1_{}", &body[1..]),
            format!("an1_{body}A"),
            format!("an1_{body}="),
            format!(" {good}"),
            // The last character holds two bits too many, which have to be none.
            format!("an1_{}B", &body[..42]),
            format!("an1_{}", "+".repeat(43)),
            format!("an1_{}", "A".repeat(1 << 20)),
        ] {
            assert_eq!(SessionToken::parse(&bad), None, "{}", &bad[..bad.len().min(60)]);
        }
    }
}

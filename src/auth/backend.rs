//! The cryptography below `jsonwebtoken`: installed and tried once, before any key is used.

use std::panic::catch_unwind;

use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey,
    crypto::{aws_lc::DEFAULT_PROVIDER, sign, verify},
};

use crate::error::{Error, ErrorKind};

/// Where two backends are compiled in (any crate of the build can turn one on), `jsonwebtoken` panics at its first use unless one
/// was installed before. <https://github.com/Keats/jsonwebtoken/pull/540>
pub(super) fn install() -> Result<(), Error> {
    // An error says that one is installed already, perhaps by the app: that is as good, if it works.
    let _installed_before = DEFAULT_PROVIDER.install_default();
    match catch_unwind(works) {
        Ok(true) => Ok(()),
        _ => Err(Error::new(
            ErrorKind::Config,
            "the cryptography of the crate jsonwebtoken does not work in this program: it was used before tower-analytics could install \
             it, while two of its backends (or none) are compiled in. Build `Auth` before anything else uses jsonwebtoken, or call \
             `jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default()` first thing in `main`",
        )),
    }
}

fn works() -> bool {
    let (key, other) = ([7; 32], [8; 32]);
    let Ok(signature) = sign(b"self-test", &EncodingKey::from_secret(&key), Algorithm::HS256) else { return false };
    let verified = |key: &[u8]| verify(&signature, b"self-test", &DecodingKey::from_secret(key), Algorithm::HS256);
    matches!((verified(&key), verified(&other)), (Ok(true), Ok(false)))
}

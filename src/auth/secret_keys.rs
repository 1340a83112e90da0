//! Shared secrets, as the settings say where they are: in place, in the environment, or in files that may change.

use std::path::{Path, PathBuf};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::Algorithm;

use super::{
    config::Keys,
    key::{Key, KeySet},
    secret::{self, Secret},
};

pub(super) struct SecretKeys {
    algorithm: Algorithm,
    is_base64url: bool,
    /// Each with its `kid`.
    secrets: Vec<(Option<String>, Place)>,
}

enum Place {
    /// Read once: programs may take secrets out of their environment afterwards.
    Here(Vec<u8>),
    File(PathBuf),
}

impl SecretKeys {
    /// An error is a clause that continues "issuer ..: ".
    pub(super) fn new(keys: &Keys, algorithm: Algorithm) -> Result<Self, String> {
        let place = |secret: &Secret| match secret.file() {
            Some(path) => Ok(Place::File(path.to_owned())),
            None => secret.resolve().map(Place::Here).map_err(|message| format!("the secret {message}")),
        };
        let secrets = match (&keys.hmac, &keys.hmac_file) {
            (Some(secret), _) => vec![(keys.kid.clone(), place(secret)?)],
            (None, Some(path)) => vec![(keys.kid.clone(), Place::File(path.clone()))],
            (None, None) => {
                keys.hmacs.iter().map(|(kid, secret)| Ok((Some(kid.clone()), place(secret)?))).collect::<Result<_, String>>()?
            }
        };
        Ok(Self { algorithm, is_base64url: keys.hmac_base64url, secrets })
    }

    /// Those that have to be watched.
    pub(super) fn files(&self) -> Vec<&Path> {
        self.secrets.iter().filter_map(|(_, place)| if let Place::File(path) = place { Some(&**path) } else { None }).collect()
    }

    /// All of them or none: half of a set would refuse tokens that the other half is for.
    pub(super) fn read(&self) -> Result<KeySet, String> {
        let key = |(kid, place): &(Option<String>, Place)| {
            let bytes = match place {
                Place::Here(bytes) => bytes.clone(),
                Place::File(path) => secret::read_file(path).map_err(|message| format!("the secret {message}"))?,
            };
            Key::secret(kid.clone(), self.algorithm, &decoded(bytes, self.is_base64url)?).map_err(|refusal| format!("the secret {refusal}"))
        };
        let keys = self.secrets.iter().map(key).collect::<Result<_, String>>()?;
        KeySet::new(keys).map_err(|refusal| format!("the key set {refusal}"))
    }
}

/// One secret of an issuer's settings.
#[cfg(feature = "cli")]
pub(super) fn secret_bytes(keys: &Keys, secret: &Secret) -> Result<Vec<u8>, String> {
    decoded(secret.resolve().map_err(|message| format!("the secret {message}"))?, keys.hmac_base64url)
}

fn decoded(bytes: Vec<u8>, is_base64url: bool) -> Result<Vec<u8>, String> {
    if !is_base64url {
        return Ok(bytes);
    }
    URL_SAFE_NO_PAD.decode(bytes.trim_ascii_end()).map_err(|_| "the secret is no base64url".to_owned())
}

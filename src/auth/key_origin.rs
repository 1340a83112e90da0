//! Where an issuer's keys come from, and what comes from there.

use std::{
    fs::{self, File},
    io::Read,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use super::{
    document::{self, KeyRules, MAX_DOCUMENT, NoKeys},
    fetch::KeyFetcher,
    key::KeySet,
    secret_keys::SecretKeys,
};
use crate::error::{Error, ErrorKind};

pub(super) enum Origin {
    /// Secrets that stand in the settings or the environment.
    Fixed(KeySet),
    /// Secrets of which at least one stands in a file.
    Secrets(SecretKeys),
    Pem(PathBuf, Option<String>),
    Jwks(PathBuf),
    Fetched(Arc<dyn KeyFetcher>),
}

/// Why nothing was loaded.
pub(super) enum Unloaded {
    /// What is there now cannot be known: what was there before may still be.
    Unknown(Error),
    /// There is no key any more that could be used.
    NoneLeft(Error),
}

/// What changes when a file is replaced or written; none while there is no file.
pub(super) type Stamp = Option<(Option<SystemTime>, u64, u64)>;

impl Origin {
    /// Of the files, in their order.
    pub(super) fn stamps(&self) -> Vec<Stamp> {
        match self {
            Self::Fixed(_) | Self::Fetched(_) => Vec::new(),
            Self::Secrets(secrets) => secrets.files().into_iter().map(stamp).collect(),
            Self::Pem(path, _) | Self::Jwks(path) => vec![stamp(path)],
        }
    }

    pub(super) fn load(&self, rules: &KeyRules) -> Result<KeySet, Unloaded> {
        match self {
            Self::Fixed(_) => Ok(KeySet::default()),
            Self::Secrets(secrets) => secrets.read().map_err(|message| Error::new(ErrorKind::Config, message).into()),
            Self::Pem(path, kid) => {
                let wrong = |refusal| Error::new(ErrorKind::Config, format!("the key in {} {refusal}", path.display()));
                let key = document::pem(&read(path)?, kid.clone(), rules).map_err(wrong)?;
                Ok(KeySet::new(vec![key]).map_err(wrong)?)
            }
            Self::Jwks(path) => key_set(&format!("the key set in {}", path.display()), &read(path)?, rules),
            Self::Fetched(fetcher) => {
                let fetched = catch_unwind(AssertUnwindSafe(|| fetcher.fetch()));
                let text = fetched.unwrap_or_else(|_| Err(Error::new(ErrorKind::Config, "the key fetcher panicked")))?;
                key_set("the fetched key set", &text, rules)
            }
        }
    }

    /// For how long what was loaded is fresh, as far as whoever sent it has said so.
    pub(super) fn fresh_for(&self) -> Option<Duration> {
        let Self::Fetched(fetcher) = self else { return None };
        catch_unwind(AssertUnwindSafe(|| fetcher.fresh_for())).unwrap_or_default()
    }
}

impl From<Error> for Unloaded {
    fn from(error: Error) -> Self {
        Self::Unknown(error)
    }
}

fn key_set(what: &str, text: &[u8], rules: &KeyRules) -> Result<KeySet, Unloaded> {
    let wrong = |refusal| Error::new(ErrorKind::Config, format!("{what} {refusal}"));
    document::jwks(text, rules).map_err(|none| match none {
        NoKeys::Unread(refusal) => Unloaded::Unknown(wrong(refusal)),
        NoKeys::Unusable(refusal) => Unloaded::NoneLeft(wrong(refusal)),
    })
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let cannot = |error| Error::new(ErrorKind::Config, format!("the key file {} cannot be read", path.display())).with_source(error);
    let mut text = Vec::new();
    File::open(path).map_err(cannot)?.take(MAX_DOCUMENT as u64 + 1).read_to_end(&mut text).map_err(cannot)?;
    Ok(text)
}

fn stamp(path: &Path) -> Stamp {
    let meta = fs::metadata(path).ok()?;
    #[cfg(unix)]
    let file = std::os::unix::fs::MetadataExt::ino(&meta);
    #[cfg(not(unix))]
    let file = 0;
    Some((meta.modified().ok(), meta.len(), file))
}

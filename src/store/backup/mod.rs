//! A copy of the directory as it was at one moment, made while it is written, by whoever can read it.
//!
//! analytics.db comes first, from one snapshot: with the watermarks in it it says what the copy is to hold. Each part is copied after it,
//! so it holds that and perhaps more, which is cut off (`trim.rs`). What was put away elsewhere comes into the copy (`archives.rs`). If a part was put away or fetched back meanwhile, all begins again.

mod archives;
mod database;
mod place;
mod taking;
mod trim;

#[cfg(feature = "cli")]
pub(crate) use self::place::beside;
pub(crate) use self::taking::take;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What a [backup](crate::Reports::backup) has copied; the file `backup.json` in it says the same, but for the place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Backup {
    /// The version of this crate that made it.
    pub version: String,
    /// When analytics.db was read: what was stored by then is in it.
    pub taken: String,
    /// Each file of it, in order.
    pub files: Vec<BackupFile>,
    /// Months whose raw hits are not in it: they were given up or are missing, or their archive was left out or is one of the `faults`. What
    /// was counted of them is in it.
    #[serde(default)]
    pub without_raw: Vec<String>,
    /// What is wrong with archives that were to be copied, each with its place and the way out; empty if the copy is whole.
    #[serde(default)]
    pub faults: Vec<String>,
    /// Where it is.
    #[serde(skip)]
    pub directory: PathBuf,
    /// Whether one that was broken off before lay there and was deleted.
    #[serde(skip)]
    pub replaced: bool,
}

/// A file of a backup.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BackupFile {
    /// Its path in the backup, with `/` between names.
    pub path: String,
    /// How long it is.
    pub bytes: u64,
    /// The SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
}

impl Backup {
    /// How many bytes it takes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

/// The file in a backup that says what is in it.
pub(super) const MANIFEST: &str = "backup.json";

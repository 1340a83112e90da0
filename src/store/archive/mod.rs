//! Raw files that were put away: compressed, with a hash of what is in them, here or on another disk.
//!
//! ```text
//! archive/analytics-202611.db.zst        a frame that says whose it is, then the file as zstd: `zstd -d` reads it too
//! archive/analytics-202611.db.zst.part   one that is being written
//! analytics-202611.db.part               a raw file that comes back
//! ```

mod fit;
mod header;
mod pack;
mod remains;
mod unpack;

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use rusqlite::Row;

use super::part_key::PartKey;
use crate::error::{Error, ErrorKind};

pub(super) use self::{
    fit::is_fit,
    header::is_of,
    pack::Pack,
    remains::{give_up_archive, remove_archive, remove_raw, tidy},
    unpack::Unpack,
};

/// What is known of a file that was put away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Archived {
    /// Below the data directory, or an absolute path.
    pub(super) place: String,
    /// SHA-256 of the raw file.
    pub(super) hash: String,
    pub(super) bytes: i64,
    pub(super) raw_bytes: i64,
}

impl Archived {
    /// Its four columns, from this one on.
    pub(super) fn read(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Self>> {
        let place: String = row.get(column)?;
        if place.is_empty() {
            return Ok(None);
        }
        Ok(Some(Self { place, hash: row.get(column + 1)?, bytes: row.get(column + 2)?, raw_bytes: row.get(column + 3)? }))
    }

    pub(super) fn file(&self, directory: &Path) -> PathBuf {
        directory.join(&self.place)
    }
}

/// Where a part's raw file goes.
pub(super) fn file_in(to: &Path, key: PartKey) -> PathBuf {
    to.join(format!("{key}.zst"))
}

/// A file that is not complete yet.
pub(super) fn unfinished(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

/// Gives a complete file its name, for good.
pub(super) fn put_in_place(file: &Path) -> Result<(), Error> {
    let rename = || {
        fs::rename(unfinished(file), file)?;
        // A name is on the disk when its directory is. Elsewhere a directory cannot be opened, and need not be.
        #[cfg(unix)]
        File::open(file.parent().unwrap_or(Path::new(".")))?.sync_all()?;
        Ok(())
    };
    rename().map_err(|error| cannot(&format!("give {} its name", file.display()), error))
}

/// What somebody must know when a file cannot be read or written.
pub(super) fn cannot(what: &str, error: io::Error) -> Error {
    let advice = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ", the disk is full, make room or choose another directory",
        io::ErrorKind::FileTooLarge => ", look for a limit on file sizes",
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => ", check who owns it and who may write there",
        io::ErrorKind::NotFound => ", check that it is there",
        _ => "",
    };
    Error::new(ErrorKind::Directory, format!("cannot {what}{advice}")).with_source(error)
}

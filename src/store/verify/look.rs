use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use rusqlite::{Connection, OpenFlags};

use super::listed::Listed;
use crate::{
    error::{Error, ErrorKind},
    store::{
        connection::{peek, unchanging},
        lock,
    },
};

/// Opens files so that not a byte of them changes.
///
/// A reader of a log (`-wal`) writes to the memory that is shared beside it, also where nobody else is. So where nobody records, and
/// no log has anything in it, SQLite is told that the file never changes: then it makes nothing, and takes read-only media too.
pub(crate) struct Look {
    directory: PathBuf,
    is_written: bool,
    /// Files that were said never to change, as they were then.
    unchanging: BTreeMap<PathBuf, Option<(u64, SystemTime)>>,
}

impl Look {
    pub(crate) fn new(directory: &Path) -> Self {
        let is_written = !lock::is_free(directory);
        Self { directory: directory.to_owned(), is_written, unchanging: BTreeMap::new() }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Every database of the directory, analytics.db first: those listed, and those that only lie there.
    pub(super) fn files(&self, listed: &[Listed]) -> Result<Vec<String>, Error> {
        let mut files: Vec<String> = Vec::new();
        let unreadable = |error: io::Error| {
            Error::new(ErrorKind::Directory, format!("cannot read the directory {}", self.directory.display())).with_source(error)
        };
        for entry in fs::read_dir(&self.directory).map_err(unreadable)? {
            let name = entry.map_err(unreadable)?.file_name().to_string_lossy().into_owned();
            let is_ours = name == "access.db" || (name.starts_with("analytics") && name.ends_with(".db"));
            files.extend(is_ours.then_some(name));
        }
        files.extend(listed.iter().map(|part| part.file.clone()).filter(|file| self.path(file).exists()));
        files.sort_unstable_by_key(|file| (file != "analytics.db", file.clone()));
        files.dedup();
        Ok(files)
    }

    pub(super) fn bytes(&self, name: &str) -> u64 {
        length(&self.path(name))
    }

    pub(crate) fn open(&mut self, name: &str) -> rusqlite::Result<Connection> {
        let file = self.path(name);
        if self.is_unchanging(&file) {
            self.unchanging.insert(file.clone(), stamp(&file));
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
            return Connection::open_with_flags(unchanging(&file), flags);
        }
        peek(&file)
    }

    fn is_unchanging(&self, file: &Path) -> bool {
        let beside = |end: &str| {
            let mut name = file.as_os_str().to_owned();
            name.push(end);
            PathBuf::from(name)
        };
        // Servers share access.db without the lock; whoever has it open has a log.
        let may_change = if file.ends_with("access.db") { beside("-wal").exists() } else { self.is_written };
        !may_change && length(&beside("-wal")) == 0 && length(&beside("-journal")) == 0
    }

    /// An error if somebody began to write meanwhile: what was read may be half of one state and half of another.
    pub(super) fn finish(&self) -> Result<(), Error> {
        let Some((file, _)) = self.unchanging.iter().find(|(file, before)| stamp(file) != **before) else { return Ok(()) };
        let message = format!("{} was changed while it was verified, by somebody who began to record: verify once more", file.display());
        Err(Error::new(ErrorKind::Storage, message))
    }
}

fn length(file: &Path) -> u64 {
    fs::metadata(file).map_or(0, |meta| meta.len())
}

fn stamp(file: &Path) -> Option<(u64, SystemTime)> {
    fs::metadata(file).ok().and_then(|meta| Some((meta.len(), meta.modified().ok()?)))
}

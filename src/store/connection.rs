use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::lock::is_free;
use crate::error::{Error, ErrorKind};

/// What a fault was about, for people: the error names the statement and the file.
pub(crate) trait Context<T> {
    fn context(self, what: &str) -> Result<T, Error>;
}

impl<T> Context<T> for rusqlite::Result<T> {
    fn context(self, what: &str) -> Result<T, Error> {
        self.map_err(|error| {
            let (kind, advice) = match error.sqlite_error_code() {
                Some(ErrorCode::DiskFull) => (ErrorKind::Storage, ", the disk is full, make room"),
                Some(ErrorCode::SystemIoFailure) => {
                    (ErrorKind::Storage, ", look for a full disk, a quota, a limit on file sizes or a file system that turned read-only")
                }
                Some(ErrorCode::DatabaseBusy) => (ErrorKind::Storage, ", another program holds the file, let it end"),
                Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => (
                    ErrorKind::Directory,
                    ", the file is damaged, restore it from a backup or move it away (analytics.db with the whole directory)",
                ),
                Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen) => (ErrorKind::Directory, ", check that it is there and who owns it"),
                _ => (ErrorKind::Storage, ""),
            };
            Error::new(kind, format!("cannot {what}{advice}")).with_source(error)
        })
    }
}

/// Whether it is the bytes of the file that are wrong: then no waiting helps.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt))
}

/// The same of an error that was made of one.
pub(super) fn is_damaged(error: &Error) -> bool {
    std::error::Error::source(error).and_then(|source| source.downcast_ref()).is_some_and(is_damage)
}

/// Which file a name stands for. A deleted one lives on for whoever has it open, but what is written there is lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Inode(Option<(u64, u64)>);

impl Inode {
    pub(super) fn of(file: &Path) -> Self {
        #[cfg(unix)]
        let id = |meta: std::fs::Metadata| (std::os::unix::fs::MetadataExt::dev(&meta), std::os::unix::fs::MetadataExt::ino(&meta));
        // Elsewhere an open file cannot be deleted.
        #[cfg(not(unix))]
        let id = |_: std::fs::Metadata| (0, 0);
        Self(std::fs::metadata(file).ok().map(id))
    }
}

/// What somebody must know whose file went away while it was open.
pub(super) fn gone(file: &Path) -> Error {
    let message = format!(
        "{} was deleted, moved or replaced while it was open, recording goes on in what is there now: stop the service before moving its data",
        file.display()
    );
    Error::new(ErrorKind::Gone, message)
}

pub(crate) fn main_file(directory: &Path) -> PathBuf {
    directory.join("analytics.db")
}

/// How safe a commit is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Synchronous {
    /// Survives a crash of the process.
    Normal,
    /// Survives a loss of power.
    Full,
}

impl Synchronous {
    pub(super) fn set(self, connection: &Connection) -> rusqlite::Result<()> {
        let value = match self {
            Self::Normal => "NORMAL",
            Self::Full => "FULL",
        };
        connection.pragma_update(None, "synchronous", value)
    }
}

/// One transaction that a loss of power does not take back.
pub(super) fn forced(main: &Connection, what: &str, write: impl FnOnce(&Connection) -> rusqlite::Result<()>) -> Result<(), Error> {
    let write = || -> rusqlite::Result<()> {
        let tx = main.unchecked_transaction()?;
        write(&tx)?;
        tx.commit()
    };
    Synchronous::Full.set(main).context(what)?;
    let result = write();
    let back = Synchronous::Normal.set(main);
    result.and(back).context(what)
}

/// A connection that writes. The file must exist unless `create` is said: SQLite would make an empty one.
pub(super) fn writer(file: &Path, create: bool, synchronous: Synchronous) -> rusqlite::Result<Connection> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    flags.set(OpenFlags::SQLITE_OPEN_CREATE, create);
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(Duration::from_secs(2))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "wal_autocheckpoint", 4000)?;
    connection.pragma_update(None, "journal_size_limit", 32 << 20)?;
    connection.pragma_update(None, "cache_size", -3072)?;
    connection.set_prepared_statement_cache_capacity(64);
    synchronous.set(&connection)?;
    Ok(connection)
}

/// A connection that only looks, and leaves the files as they are.
pub(super) fn peek(file: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(Duration::from_secs(2))?;
    Ok(connection)
}

/// A connection that reads. Every pragma stands here, as a second connection keeps none but WAL.
pub(super) fn reader(file: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    // Readers of a WAL need the shared memory beside it, hence the read-write open; `query_only` keeps it honest.
    let connection = match is_frozen(file) {
        true => Connection::open_with_flags(
            unchanging(file),
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI,
        )?,
        false => Connection::open_with_flags(file, flags)?,
    };
    connection.busy_timeout(Duration::from_secs(2))?;
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "cache_size", -4096)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Whether nobody can write it: then the memory that readers share cannot be made either. Nothing stands in a log beside it, and nobody
/// records who sees the directory in another way.
pub(super) fn is_frozen(file: &Path) -> bool {
    let log = || std::fs::metadata(file.with_extension("db-wal")).map_or(0, |meta| meta.len());
    is_read_only(file) && log() == 0 && file.parent().is_some_and(is_free)
}

#[cfg(unix)]
fn is_read_only(file: &Path) -> bool {
    rustix::fs::statvfs(file).is_ok_and(|stat| stat.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY))
}

#[cfg(not(unix))]
fn is_read_only(_: &Path) -> bool {
    false
}

/// How SQLite is told that a file never changes: then it makes nothing beside it.
pub(super) fn unchanging(file: &Path) -> String {
    let mut uri = "file:".to_owned();
    for byte in file.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => uri.push(char::from(*byte)),
            // Writing into memory does not fail.
            other => drop(write!(uri, "%{other:02X}")),
        }
    }
    uri + "?immutable=1"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_anything_in_it_is_that_file() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["plain.db", "a b?c#d%20e.db", "münchen&x=1.db", "mode=rw.db"] {
            let file = dir.path().join(name);
            Connection::open(&file).unwrap().execute_batch("create table t (x); insert into t values (7)").unwrap();
            let opened =
                Connection::open_with_flags(unchanging(&file), OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI).unwrap();
            assert_eq!(opened.query_row("select x from t", [], |row| row.get::<_, i64>(0)).unwrap(), 7, "{name}");
        }
    }
}

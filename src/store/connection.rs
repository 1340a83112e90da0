use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags};

use crate::{
    clock::Month,
    error::{Error, ErrorKind},
};

/// What a fault was about, for people: the error names the statement and the file.
pub(crate) trait Context<T> {
    fn context(self, what: &str) -> Result<T, Error>;
}

impl<T> Context<T> for rusqlite::Result<T> {
    fn context(self, what: &str) -> Result<T, Error> {
        self.map_err(|error| Error::new(ErrorKind::Storage, format!("cannot {what}")).with_source(error))
    }
}

pub(crate) fn main_file(directory: &Path) -> PathBuf {
    directory.join("analytics.db")
}

pub(crate) fn part_file(directory: &Path, month: Month) -> PathBuf {
    directory.join(part_name(month))
}

pub(super) fn part_name(month: Month) -> String {
    format!("analytics-{month}.db")
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

/// A connection that writes. The file must exist unless `create` is said: SQLite would make an empty one.
pub(super) fn writer(file: &Path, create: bool, synchronous: Synchronous) -> rusqlite::Result<Connection> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    flags.set(OpenFlags::SQLITE_OPEN_CREATE, create);
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(Duration::from_secs(2))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "wal_autocheckpoint", 4000)?;
    connection.pragma_update(None, "journal_size_limit", 32 << 20)?;
    connection.pragma_update(None, "cache_size", -8192)?;
    connection.set_prepared_statement_cache_capacity(64);
    synchronous.set(&connection)?;
    Ok(connection)
}

/// A connection that reads. Every pragma stands here, as a second connection keeps none but WAL.
pub(super) fn reader(file: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    // Readers of a WAL need the shared memory beside it, hence the read-write open; `query_only` keeps it honest.
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(Duration::from_secs(2))?;
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "cache_size", -8192)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use rusqlite::{ErrorCode, Transaction, TransactionBehavior};

use super::{
    access_file::{BUSY, Opened, Use, make_private},
    limits::SessionLimits,
};
use crate::{
    clock::{Clock, Millis},
    error::{Error, ErrorKind},
};

/// `access.db`: who may sign in, who is signed in, which tokens are void. Several processes have it open at once, so it
/// does not belong to the directory's lock: what one of them changes holds for all from their next question on.
///
/// Every method blocks; [`look`](Self::look) only reads, and never waits for a writer.
pub(crate) struct AccessDb {
    file: PathBuf,
    pub(super) clock: Clock,
    pub(super) limits: SessionLimits,
    reader: Mutex<Opened>,
    writer: Mutex<Opened>,
}

const MOMENT: std::time::Duration = std::time::Duration::from_millis(50);

impl AccessDb {
    /// Opens or makes the file in the data directory, readable by its owner only, and brings it to our version.
    pub(crate) fn open(directory: &Path, clock: Clock, limits: SessionLimits) -> Result<Self, Error> {
        let file = directory.join("access.db");
        make_private(directory, &file)?;
        // The writer first: it brings the file to our version.
        let writer = Mutex::new(Opened::open(&file, Use::Write)?);
        let reader = Mutex::new(Opened::open(&file, Use::Read)?);
        Ok(Self { file, clock, limits, reader, writer })
    }

    pub(super) fn now(&self) -> Millis {
        self.clock.millis()
    }

    /// One question, in one view of the file.
    pub(super) fn read<T>(&self, what: &str, question: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>) -> Result<T, Error> {
        let mut reader = self.current(&self.reader)?;
        let answer = reader.connection.transaction().and_then(|view| question(&view));
        answer.map_err(|error| self.fault(what, error))
    }

    /// One change, whole or not at all. It takes the file's lock first, so that what it reads is what it changes.
    pub(super) fn write<T>(&self, what: &str, change: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>) -> Result<T, Error> {
        let mut writer = self.current(&self.writer)?;
        let changed = writer.connection.transaction_with_behavior(TransactionBehavior::Immediate).and_then(|tx| {
            let answer = change(&tx)?;
            tx.commit().map(|()| answer)
        });
        changed.map_err(|error| self.fault(what, error))
    }

    /// Writes the file anew, without anything of what was deleted from it, free pages and log included. Whoever else has it open is waited
    /// for.
    #[cfg(feature = "cli")]
    pub(crate) fn compact(&self) -> Result<(), Error> {
        let now = self.seconds();
        self.write("delete what has ended", |tx| {
            tx.execute("delete from revoked_tokens where until <= ?", [now])?;
            tx.execute("delete from revoked_subjects where until <= ?", [now])
        })?;
        let writer = self.current(&self.writer)?;
        let compact = || -> rusqlite::Result<bool> {
            writer.connection.flush_prepared_statement_cache();
            writer.connection.execute_batch("vacuum")?;
            writer.connection.query_row("pragma wal_checkpoint(truncate)", [], |row| Ok(row.get::<_, i64>(0)? == 0))
        };
        match compact() {
            Ok(true) => Ok(()),
            Ok(false) => {
                let message = format!("somebody reads {}, so it still holds what was deleted: try again", self.file.display());
                Err(Error::new(ErrorKind::Storage, message))
            }
            Err(error) => Err(self.fault("erase what was deleted", error)),
        }
    }

    /// Deletes everybody who may sign in, and all that was revoked; nothing of it is left in the file.
    #[cfg(feature = "cli")]
    pub(crate) fn clear(&self) -> Result<(), Error> {
        self.write("delete everything", |tx| {
            for table in ["sessions", "users", "revoked_tokens", "revoked_subjects"] {
                tx.execute(&format!("delete from {table}"), [])?;
            }
            tx.execute("update revocation_version set version = version + 1", [])
        })?;
        self.compact()
    }

    /// A change that whoever asks does not depend on: not made if the file is in use for longer than a moment.
    pub(super) fn try_write<T>(&self, change: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>) -> Option<T> {
        let mut writer = self.writer.try_lock().ok()?;
        writer.follow(&self.file).ok()?;
        let connection = &mut writer.connection;
        connection.busy_timeout(MOMENT).ok()?;
        let changed = connection.transaction_with_behavior(TransactionBehavior::Immediate).and_then(|tx| {
            let answer = change(&tx)?;
            tx.commit().map(|()| answer)
        });
        drop(connection.busy_timeout(BUSY));
        changed.inspect_err(|error| tracing::warn!(%error, "access.db could not be written; a session goes on as it is")).ok()
    }

    /// The connection, to the file that has the name now: who was removed from a restored one must not go on in the old.
    fn current<'a>(&self, slot: &'a Mutex<Opened>) -> Result<MutexGuard<'a, Opened>, Error> {
        // A panic within a transaction rolled it back.
        let mut opened = slot.lock().unwrap_or_else(PoisonError::into_inner);
        opened.follow(&self.file)?;
        Ok(opened)
    }

    fn fault(&self, what: &str, error: rusqlite::Error) -> Error {
        let (kind, advice) = match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => (ErrorKind::Storage, ": the disk is full, make room"),
            Some(ErrorCode::DatabaseBusy) => (ErrorKind::Storage, ": another program holds it, let that end"),
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                (ErrorKind::Directory, ": it is damaged, restore it from a backup")
            }
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen) => (ErrorKind::Directory, ": check that it is there and who owns it"),
            _ => (ErrorKind::Storage, ""),
        };
        Error::new(kind, format!("cannot {what} in {}{advice}", self.file.display())).with_source(error)
    }
}

impl fmt::Debug for AccessDb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessDb").field("file", &self.file).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::new;

    #[test]
    fn a_change_that_fails_halfway_changes_nothing_and_the_file_goes_on_working() {
        let (db, _directory, _) = new();
        let before = db.revocation_version().unwrap();
        let error = db
            .write("change something", |tx| {
                tx.execute("update revocation_version set version = version + 1", [])?;
                tx.execute("insert into nonsense values (1)", [])
            })
            .unwrap_err();
        assert!(error.to_string().starts_with("cannot change something in "), "{error}");
        assert_eq!(db.revocation_version().unwrap(), before);
    }

    #[test]
    fn whoever_only_looks_does_not_wait_for_a_writer() {
        let (db, _directory, _) = new();
        let before = db.revocation_version().unwrap();
        db.write("change", |tx| {
            tx.execute("update revocation_version set version = version + 1", [])?;
            assert_eq!(db.revocation_version().unwrap(), before);
            Ok(())
        })
        .unwrap();
        assert_eq!(db.revocation_version().unwrap(), before + 1);
    }
}

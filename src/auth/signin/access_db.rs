use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};

use super::session::SessionLimits;
use crate::{
    clock::{Clock, Millis},
    error::{Error, ErrorKind},
};

/// `access.db`: who may sign in, who is signed in, which tokens are void. Several processes have it open at once, so it
/// does not belong to the directory's lock: what one of them changes holds for all from their next question on.
///
/// Every method blocks; [`look`](Self::look) and [`is_revoked`](Self::is_revoked) only read, and never wait for a writer.
pub(crate) struct AccessDb {
    file: PathBuf,
    pub(super) clock: Clock,
    pub(super) limits: SessionLimits,
    reader: Mutex<Connection>,
    writer: Mutex<Connection>,
}

/// `PRAGMA user_version` of access.db. Each step brings the file from its index to the next version.
const MIGRATIONS: [&str; 1] = [include_str!("access.sql")];
const VERSION: i64 = MIGRATIONS.len() as i64;

/// How long another process may hold the file before we give up.
const BUSY: Duration = Duration::from_secs(5);

impl AccessDb {
    /// Opens or makes the file in the data directory, readable by its owner only, and brings it to our version.
    pub(crate) fn open(directory: &Path, clock: Clock, limits: SessionLimits) -> Result<Self, Error> {
        let file = directory.join("access.db");
        make_private(directory, &file).map_err(|error| {
            let message = format!("cannot make {} readable by its owner only: check who owns it and its directory", file.display());
            Error::new(ErrorKind::Directory, message).with_source(error)
        })?;
        let mut writer = connect(&file).map_err(|error| unusable(&file, error))?;
        migrate(&mut writer, &file)?;
        let reader = connect(&file).map_err(|error| unusable(&file, error))?;
        reader.pragma_update(None, "query_only", true).map_err(|error| unusable(&file, error))?;
        Ok(Self { file, clock, limits, reader: Mutex::new(reader), writer: Mutex::new(writer) })
    }

    pub(super) fn now(&self) -> Millis {
        self.clock.millis()
    }

    /// One question, in one view of the file.
    pub(super) fn read<T>(&self, what: &str, question: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>) -> Result<T, Error> {
        let mut reader = lock(&self.reader);
        let answer = reader.transaction().and_then(|view| question(&view));
        answer.map_err(|error| self.fault(what, error))
    }

    /// One change, whole or not at all. It takes the file's lock first, so that what it reads is what it changes.
    pub(super) fn write<T>(&self, what: &str, change: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>) -> Result<T, Error> {
        let mut writer = lock(&self.writer);
        let changed = writer.transaction_with_behavior(TransactionBehavior::Immediate).and_then(|tx| {
            let answer = change(&tx)?;
            tx.commit().map(|()| answer)
        });
        changed.map_err(|error| self.fault(what, error))
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

fn lock(connection: &Mutex<Connection>) -> MutexGuard<'_, Connection> {
    // A panic within a transaction rolled it back.
    connection.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes the file before SQLite would, with narrow rights: what SQLite puts beside it takes over its mode.
fn make_private(directory: &Path, file: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)?;
    #[cfg(unix)]
    for suffix in ["", "-wal", "-shm"] {
        use std::os::unix::fs::PermissionsExt;

        let mut name = file.as_os_str().to_owned();
        name.push(suffix);
        // Restored from a backup, or made by hand.
        match fs::metadata(&name) {
            Ok(meta) if meta.permissions().mode() & 0o077 != 0 => fs::set_permissions(&name, fs::Permissions::from_mode(0o600))?,
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn connect(file: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // A password that was changed stays changed after a loss of power.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // Hashes that were replaced are not left in the file.
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "journal_size_limit", 4 << 20)?;
    Ok(connection)
}

fn migrate(connection: &mut Connection, file: &Path) -> Result<(), Error> {
    // Another process may be at it: the lock is taken before the version is read.
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(|error| unusable(file, error))?;
    let version: i64 = tx.query_row("pragma user_version", [], |row| row.get(0)).map_err(|error| unusable(file, error))?;
    let Some(steps) = MIGRATIONS.get(version as usize..) else {
        let message = format!(
            "{} was written by a newer tower-analytics (schema {version}, this one knows {VERSION}): update this program",
            file.display()
        );
        return Err(Error::new(ErrorKind::NewerSchema, message));
    };
    if steps.is_empty() {
        return Ok(());
    }
    let migration = steps.iter().try_for_each(|step| tx.execute_batch(step)).and_then(|()| tx.pragma_update(None, "user_version", VERSION));
    migration
        .and_then(|()| tx.commit())
        .map_err(|error| Error::new(ErrorKind::Directory, format!("cannot bring {} to this version", file.display())).with_source(error))
}

fn unusable(file: &Path, error: rusqlite::Error) -> Error {
    let (kind, advice) = match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            (ErrorKind::Directory, "it is damaged: restore it from a backup, or move it away and make the users anew")
        }
        Some(ErrorCode::DatabaseBusy) => (ErrorKind::Storage, "another program holds it: let that end and start again"),
        _ => (ErrorKind::Directory, "check that the directory can be written and who owns the file"),
    };
    Error::new(kind, format!("cannot open {}: {advice}", file.display())).with_source(error)
}

#[cfg(test)]
mod tests {
    use super::{
        super::testing::{new, open},
        *,
    };

    fn version_of(db: &AccessDb) -> i64 {
        db.read("look", |tx| tx.query_row("pragma user_version", [], |row| row.get(0))).unwrap()
    }

    #[test]
    fn all_migrations_apply_to_an_empty_file_and_once_only() {
        let (db, directory, clock) = new();
        assert_eq!((version_of(&db), version_of(&open(directory.path(), &clock).unwrap())), (VERSION, VERSION));
    }

    #[test]
    fn many_may_open_a_directory_that_has_no_file_yet_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let directory = directory.path().join("new/analytics-data");
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| open(&directory, &Clock::system()).unwrap());
            }
        });
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_can_read_the_file_and_what_lies_beside_it() {
        use std::os::unix::fs::PermissionsExt;

        let (db, directory, clock) = new();
        db.write("change", |tx| tx.execute("update revocation_version set version = 7", [])).unwrap();
        let modes = || {
            let mut files: Vec<_> = fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
            files.sort();
            files.iter().map(|file| fs::metadata(file).unwrap().permissions().mode() & 0o777).collect::<Vec<_>>()
        };
        assert_eq!(modes(), [0o600; 3]);
        for name in ["access.db", "access.db-wal", "access.db-shm"] {
            fs::set_permissions(directory.path().join(name), fs::Permissions::from_mode(0o644)).unwrap();
        }
        open(directory.path(), &clock).unwrap();
        assert_eq!(modes(), [0o600; 3]);
    }

    #[test]
    fn a_newer_file_is_left_alone_with_a_word_on_what_to_do() {
        let (db, directory, clock) = new();
        db.write("change", |tx| tx.pragma_update(None, "user_version", VERSION + 1)).unwrap();
        drop(db);
        let error = open(directory.path(), &clock).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NewerSchema);
        assert!(error.to_string().contains("update this program"), "{error}");
    }

    #[test]
    fn a_damaged_file_and_a_directory_that_is_none_are_said_in_words() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("access.db"), "this is no database, but long enough to look like one".repeat(100)).unwrap();
        let error = open(directory.path(), &Clock::system()).unwrap_err();
        assert!(error.kind() == ErrorKind::Directory && error.to_string().contains("damaged"), "{error}");
        let error = open(&directory.path().join("access.db"), &Clock::system()).unwrap_err();
        assert!(error.kind() == ErrorKind::Directory && error.to_string().contains("who owns it"), "{error}");
    }

    #[test]
    fn a_change_that_fails_halfway_changes_nothing_and_the_file_goes_on_working() {
        let (db, ..) = new();
        let error = db
            .write("change something", |tx| {
                tx.execute("update revocation_version set version = 7", [])?;
                tx.execute("insert into nonsense values (1)", [])
            })
            .unwrap_err();
        assert!(error.to_string().starts_with("cannot change something in "), "{error}");
        let version: i64 = db.read("look", |tx| tx.query_row("select version from revocation_version", [], |row| row.get(0))).unwrap();
        assert_eq!(version, 0);
    }

    #[test]
    fn whoever_only_looks_does_not_wait_for_a_writer() {
        let (db, ..) = new();
        db.write("change", |tx| {
            tx.execute("update revocation_version set version = 7", [])?;
            // Still what was before.
            assert_eq!(db.revocation_version().unwrap(), 0);
            Ok(())
        })
        .unwrap();
        assert_eq!(db.revocation_version().unwrap(), 7);
    }
}

//! The file below access.db's questions: its rights, its connections, its version.

use std::{
    fs, io,
    path::Path,
    time::{Duration, Instant},
};

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use crate::error::{Error, ErrorKind};

/// `PRAGMA user_version` of access.db. Each step brings the file from its index to the next version.
const MIGRATIONS: [&str; 1] = [include_str!("access.sql")];
const VERSION: i64 = MIGRATIONS.len() as i64;

/// How long another process may hold the file before we give up.
pub(super) const BUSY: Duration = Duration::from_secs(5);

/// The same for who only reads: with a write-ahead log that is while it is recovered after a crash.
const BUSY_READING: Duration = Duration::from_millis(500);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    Read,
    Write,
}

/// A connection, and the file it leads to.
pub(super) struct Opened {
    pub(super) connection: Connection,
    wanted: Use,
    file: Inode,
}

impl Opened {
    /// The file must exist: SQLite would make one that all can read.
    pub(super) fn open(file: &Path, wanted: Use) -> Result<Self, Error> {
        let inode = Inode::of(file);
        let mut connection = connect(file, wanted).map_err(|error| unusable(file, error))?;
        // Who only reads must not wait for who writes: it takes the lock for a change only if there is something to change.
        let version: i64 = connection.query_row("pragma user_version", [], |row| row.get(0)).map_err(|error| unusable(file, error))?;
        if wanted == Use::Write || version != VERSION {
            migrate(&mut connection, file)?;
        }
        connection.pragma_update(None, "query_only", wanted == Use::Read).map_err(|error| unusable(file, error))?;
        Ok(Self { connection, wanted, file: inode })
    }

    /// Opens anew what was replaced, such as by a backup.
    pub(super) fn follow(&mut self, file: &Path) -> Result<(), Error> {
        match Inode::of(file) {
            now if now == self.file => Ok(()),
            Inode(None) => {
                let message = format!("{} was deleted or moved while it was open: put it back, or start again without", file.display());
                Err(Error::new(ErrorKind::Gone, message))
            }
            Inode(Some(_)) => {
                *self = Self::open(file, self.wanted)?;
                Ok(())
            }
        }
    }
}

/// Which file a name stands for. A deleted one lives on for whoever has it open.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Inode(Option<(u64, u64)>);

impl Inode {
    fn of(file: &Path) -> Self {
        #[cfg(unix)]
        let id = |meta: fs::Metadata| (std::os::unix::fs::MetadataExt::dev(&meta), std::os::unix::fs::MetadataExt::ino(&meta));
        // Elsewhere an open file cannot be replaced.
        #[cfg(not(unix))]
        let id = |_: fs::Metadata| (0, 0);
        Self(fs::metadata(file).ok().map(id))
    }
}

/// Makes the file before SQLite would, with narrow rights: what SQLite puts beside it takes over its mode.
pub(super) fn make_private(directory: &Path, file: &Path) -> Result<(), Error> {
    narrowed(directory, file).map_err(|error| {
        let message = format!("cannot make {} readable by its owner only: check who owns it and its directory", file.display());
        Error::new(ErrorKind::Directory, message).with_source(error)
    })
}

fn narrowed(directory: &Path, file: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    let mut options = fs::OpenOptions::new();
    // One that is there is not even opened: to close it would give up the locks that SQLite holds on it in this process.
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(file) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
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

fn connect(file: &Path, wanted: Use) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(if wanted == Use::Read { BUSY_READING } else { BUSY })?;
    if wanted == Use::Write {
        use_log(&connection)?;
    }
    // A password that was changed stays changed after a loss of power.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // Hashes that were replaced are not left in the file.
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "journal_size_limit", 4 << 20)?;
    Ok(connection)
}

/// Turns the write-ahead log on. Of all statements this one does not wait for others who open or close the file at the same moment:
/// it asks for a lock while it holds another, and SQLite refuses that at once rather than risk that two wait for each other.
fn use_log(connection: &Connection) -> rusqlite::Result<()> {
    let start = Instant::now();
    loop {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && start.elapsed() < BUSY => {
                std::thread::sleep(Duration::from_millis(2));
            }
            done => return done,
        }
    }
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
        super::{
            access_db::AccessDb,
            testing::{hash, new, open},
        },
        *,
    };
    use crate::clock::Clock;

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
        // Rarely do two of them meet at the worst moment.
        for _ in 0..20 {
            let directory = tempfile::tempdir().unwrap();
            let directory = directory.path().join("new/analytics-data");
            std::thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| open(&directory, &Clock::system()).unwrap());
                }
            });
        }
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

    #[cfg(unix)]
    #[test]
    fn a_restored_file_holds_at_once_and_a_missing_one_opens_nothing() {
        let (db, directory, clock) = new();
        let at = |name: &str| directory.path().join(name);
        db.add_user("ann", &hash("AAAA"), &[]).unwrap();
        for suffix in ["", "-wal", "-shm"] {
            fs::rename(at(&format!("access.db{suffix}")), at(&format!("old{suffix}"))).unwrap();
        }
        let error = db.users().unwrap_err();
        assert!(error.kind() == ErrorKind::Gone && error.to_string().contains("put it back"), "{error}");
        assert_eq!(db.remove_user("ann").unwrap_err().kind(), ErrorKind::Gone);
        assert!(!at("access.db").exists());
        open(directory.path(), &clock).unwrap().add_user("bob", &hash("AAAA"), &[]).unwrap();
        db.add_user("carol", &hash("AAAA"), &[]).unwrap();
        let names: Vec<_> = db.users().unwrap().into_iter().map(|user| user.name).collect();
        assert_eq!(names, ["bob", "carol"]);
    }
}

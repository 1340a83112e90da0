use std::path::Path;

use rusqlite::{Connection, ErrorCode, OptionalExtension, Transaction, TransactionBehavior, params, types::FromSql};

use super::{
    connection::{Context, Synchronous, main_file, peek, writer},
    dictionary::Caps,
    part_key::parts_on_disk,
};
use crate::error::{Error, ErrorKind};

/// `PRAGMA user_version` of analytics.db. Each step brings the file from its index to the next version.
const MIGRATIONS: [&str; 3] = [include_str!("analytics.sql"), include_str!("analytics_2.sql"), include_str!("analytics_3.sql")];

pub(crate) const VERSION: i64 = MIGRATIONS.len() as i64;

/// What `meta` holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MetaKey {
    /// Keys the hash of session keys.
    SessionKey,
    /// The writer's counters, as JSON.
    Counters,
    /// When the writer last said that it lives.
    Heartbeat,
    /// The gap that ends a session, in milliseconds: readers count active sessions by it.
    SessionTimeout,
    /// The zone of the reporting days.
    Zone,
    /// How many of each the dictionaries keep apart, as JSON.
    Caps,
    /// How often something was folded.
    Folds,
    /// Features and names of endpoints, as JSON.
    Shown,
    /// What becomes of old months, as JSON.
    Retention,
    /// When old months were last looked for.
    Tended,
    /// The job that began the directory anew, while files of before may be there.
    Resetting,
}

impl MetaKey {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::SessionKey => "session_key",
            Self::Counters => "counters",
            Self::Heartbeat => "heartbeat",
            Self::SessionTimeout => "session_timeout",
            Self::Zone => "zone",
            Self::Caps => "caps",
            Self::Folds => "folds",
            Self::Shown => "shown",
            Self::Retention => "retention",
            Self::Tended => "tended",
            Self::Resetting => "resetting",
        }
    }
}

/// Opens analytics.db for writing, with the lock held, and brings it to our version in one transaction: with that of a new one an import is
/// asked for, if there is one, by kind and argument. Asked for afterwards, a kill in between would lose it for ever.
pub(super) fn open(directory: &Path, first_job: Option<[&str; 2]>) -> Result<Connection, Error> {
    let file = main_file(directory);
    // Before anything is written: a newer version's directory is left as it is.
    let version = match file.exists() {
        true => match peek(&file).and_then(|main| version_of(&main)) {
            Err(error) if is_half_made(&error) => None,
            version => Some(known(version.map_err(|error| unusable(directory, error))?, directory)?),
        },
        false => Some(0),
    };
    let is_orphaned = |version: Option<i64>| -> Result<bool, Error> { Ok(version == Some(0) && !parts_on_disk(directory)?.is_empty()) };
    if is_orphaned(version)? {
        return Err(orphaned(directory));
    }
    // The tables must outlive a loss of power: a raw file that is there without them would keep the directory from being opened.
    let mut connection = writer(&file, true, Synchronous::Full).map_err(|error| unusable(directory, error))?;
    let version = check_version(&connection, directory)?;
    if is_orphaned(Some(version))? {
        return Err(orphaned(directory));
    }
    if version < VERSION {
        let migration = |tx: &Transaction<'_>| -> rusqlite::Result<()> {
            for step in &MIGRATIONS[version as usize..] {
                tx.execute_batch(step)?;
            }
            if let Some(job) = first_job.filter(|_| version == 0) {
                tracing::info!(data = %directory.display(), "there are files of an older panel; they are imported while recording goes on");
                tx.execute(include_str!("jobs/job_new.sql"), job)?;
            }
            tx.pragma_update(None, "user_version", VERSION)
        };
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate).context("begin the migration of analytics.db")?;
        migration(&tx).context("bring analytics.db to this version")?;
        tx.commit().context("commit the migration of analytics.db")?;
    }
    // A batch's commit need not: raw rows that refer to what was lost are cut off at the next start.
    Synchronous::Normal.set(&connection).context("open analytics.db")?;
    Ok(connection)
}

/// The tables as they were on the first day, empty.
pub(super) fn begin_anew(tx: &Connection) -> rusqlite::Result<()> {
    let mut statement = tx.prepare("select name from sqlite_schema where type = 'table' and name not like 'sqlite!_%' escape '!'")?;
    let tables: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    drop(statement);
    tables.iter().try_for_each(|table| tx.execute_batch(&format!("drop table {table}")))?;
    MIGRATIONS.iter().try_for_each(|step| tx.execute_batch(step))
}

/// The version of an existing file; an error if it is newer than we are.
pub(super) fn check_version(connection: &Connection, directory: &Path) -> Result<i64, Error> {
    known(version_of(connection).map_err(|error| unusable(directory, error))?, directory)
}

fn version_of(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("pragma user_version", [], |row| row.get(0))
}

/// Whether a start was killed before the file had a log: whoever may write puts it back to nothing, and who only looks cannot.
fn is_half_made(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|error| error.extended_code == rusqlite::ffi::SQLITE_READONLY_ROLLBACK)
}

fn known(version: i64, directory: &Path) -> Result<i64, Error> {
    if version > VERSION {
        let message = format!(
            "{} was written by a newer tower-analytics (schema {version}, this one knows {VERSION}): update this program, or point it at another directory",
            main_file(directory).display(),
        );
        return Err(Error::new(ErrorKind::NewerSchema, message));
    }
    Ok(version)
}

fn unusable(directory: &Path, error: rusqlite::Error) -> Error {
    let file = main_file(directory);
    let message = match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            format!("{} is damaged: restore it from a backup, or move the whole directory away to begin anew", file.display())
        }
        Some(ErrorCode::DatabaseBusy) => {
            let message = format!("{} is held by another program: let that end and start again", file.display());
            return Error::new(ErrorKind::Storage, message).with_source(error);
        }
        _ => format!("cannot open {}: check that the directory can be written and who owns the file", file.display()),
    };
    Error::new(ErrorKind::Directory, message).with_source(error)
}

/// Rows are numbers that mean nothing without analytics.db; a new one would give the same numbers to others.
fn orphaned(directory: &Path) -> Error {
    let message =
        format!("{} has hits of some months but no analytics.db: restore it, or move these files away to begin anew", directory.display());
    Error::new(ErrorKind::Directory, message)
}

/// What the last writer's settings said of how answers look.
#[cfg(feature = "cli")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) session_timeout: crate::clock::Millis,
    pub(crate) zone: String,
    pub(crate) caps: Option<Caps>,
    /// What things are called, as JSON.
    pub(crate) shown: String,
    /// What becomes of old months, as JSON.
    pub(crate) retention: String,
}

/// What stands in the directory of the last writer's settings, if one was there.
#[cfg(feature = "cli")]
pub(crate) fn kept(directory: &Path) -> Option<Kept> {
    let main = peek(&main_file(directory)).ok()?;
    let session_timeout = meta_get(&main, MetaKey::SessionTimeout).ok()??;
    let zone = meta_get(&main, MetaKey::Zone).ok()??;
    let shown: Option<String> = meta_get(&main, MetaKey::Shown).ok()?;
    let retention: Option<String> = meta_get(&main, MetaKey::Retention).ok()?;
    let caps = caps(&main).ok()?;
    Some(Kept { session_timeout, zone, caps, shown: shown.unwrap_or_default(), retention: retention.unwrap_or_default() })
}

/// How many of each the last writer kept apart; none in a directory of an older version.
pub(crate) fn caps(main: &Connection) -> rusqlite::Result<Option<Caps>> {
    let caps: Option<String> = meta_get(main, MetaKey::Caps)?;
    Ok(caps.and_then(|caps| serde_json::from_str(&caps).ok()))
}

pub(crate) fn meta_get<T: FromSql>(connection: &Connection, key: MetaKey) -> rusqlite::Result<Option<T>> {
    connection.prepare_cached("select value from meta where key = ?")?.query_row([key.name()], |row| row.get(0)).optional()
}

pub(super) fn meta_set(connection: &Connection, key: MetaKey, value: impl rusqlite::ToSql) -> rusqlite::Result<()> {
    connection.prepare_cached("insert or replace into meta (key, value) values (?, ?)")?.execute(params![key.name(), value]).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_migrations_apply_to_an_empty_database_and_once_only() {
        let dir = tempfile::tempdir().unwrap();
        drop(open(dir.path(), None).unwrap());
        let connection = open(dir.path(), None).unwrap();
        assert_eq!(check_version(&connection, dir.path()).unwrap(), VERSION);
    }

    #[test]
    fn a_file_that_a_killed_start_left_half_made_is_made_anew() {
        let (killed, dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let half = Connection::open(main_file(killed.path())).unwrap();
        half.execute_batch("pragma cache_size = 1; begin; create table meta (x); insert into meta values (randomblob(200000))").unwrap();
        half.execute_batch("insert into meta values (randomblob(200000))").unwrap();
        for name in ["analytics.db", "analytics.db-journal"] {
            assert!(std::fs::copy(killed.path().join(name), dir.path().join(name)).unwrap() > 0, "{name}");
        }
        assert!(is_half_made(&peek(&main_file(dir.path())).and_then(|main| version_of(&main)).unwrap_err()));
        let main = open(dir.path(), Some(["import", "what"])).unwrap();
        assert_eq!(check_version(&main, dir.path()).unwrap(), VERSION);
        assert_eq!(main.query_row("select argument from jobs", [], |row| row.get::<_, String>(0)).unwrap(), "what");
    }

    #[test]
    fn a_newer_directory_is_left_alone_with_a_word_on_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        open(dir.path(), None).unwrap().pragma_update(None, "user_version", VERSION + 1).unwrap();
        let error = open(dir.path(), None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NewerSchema);
        assert!(error.to_string().contains("update this program"), "{error}");
    }
}

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::Duration,
};

use rusqlite::{Connection, Transaction};
use scheduled_thread_pool::ScheduledThreadPool;

use super::{
    cancel::{Cancel, Stop, Why},
    connection::{self, Context, Inode, gone, main_file},
    part::{Part, PartState},
    part_key::{FIRST_IMPORTED, PartKey},
    schema::{MetaKey, check_version, meta_get},
};
use crate::{
    clock::{Millis, Month},
    error::{Error, ErrorKind},
    zone::Zone,
};

/// Connections for questions. The pool is made with the first one, so that a service nobody looks at has none.
pub(crate) struct Readers {
    directory: PathBuf,
    pool: OnceLock<(r2d2::Pool<Manager>, Arc<ScheduledThreadPool>)>,
}

/// When a question ends that was not answered.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    pub(crate) cancel: Option<Cancel>,
    pub(crate) time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { cancel: None, time: Duration::from_secs(30) }
    }
}

/// So many questions are answered at once; more wait.
const CONNECTIONS: u32 = 4;
const LONGEST_WAIT: Duration = Duration::from_secs(10);

impl Readers {
    pub(crate) fn new(directory: PathBuf) -> Self {
        Self { directory, pool: OnceLock::new() }
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Answers one question from one snapshot. Blocks, for a free connection too: not for async threads.
    pub(crate) fn ask<T>(&self, limits: &Limits, question: impl FnOnce(&mut Snapshot<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let stop = Arc::new(Stop::default());
        limits.cancel.iter().chain(&Cancel::around()).for_each(|cancel| cancel.watch(&stop));
        stop.check(limits.time)?;
        let (pool, timer) = self.pool.get_or_init(|| {
            let timer = Arc::new(ScheduledThreadPool::builder().num_threads(1).thread_name_pattern("tower-analytics-pool").build());
            let pool = r2d2::Pool::builder()
                .max_size(CONNECTIONS)
                .min_idle(Some(0))
                .idle_timeout(Some(Duration::from_secs(60)))
                .connection_timeout(LONGEST_WAIT)
                .thread_pool(Arc::clone(&timer))
                .error_handler(Box::new(r2d2::NopErrorHandler))
                .build_unchecked(Manager { directory: self.directory.clone() });
            (pool, timer)
        });
        if !main_file(&self.directory).exists() {
            let message = format!("nothing has been recorded in {} yet", self.directory.display());
            return Err(Error::new(ErrorKind::Directory, message));
        }
        let mut reader = pool.get().map_err(|error| {
            Error::new(ErrorKind::Storage, "cannot open analytics.db for reading, or too many questions wait").with_source(error)
        })?;
        let late = Arc::downgrade(&stop);
        let timer = timer.execute_after(limits.time, move || {
            if let Some(stop) = late.upgrade() {
                stop.now(Why::TooLong);
            }
        });
        let answer = reader.ask(&stop, limits.time, question);
        timer.cancel();
        // That SQLite was interrupted says less than why.
        answer.or_else(|error| stop.check(limits.time).and(Err(error)))
    }
}

struct Manager {
    directory: PathBuf,
}

impl r2d2::ManageConnection for Manager {
    type Connection = Reader;
    type Error = Error;

    fn connect(&self) -> Result<Reader, Error> {
        let is_frozen = connection::is_frozen(&main_file(&self.directory));
        let main = connection::reader(&main_file(&self.directory)).context("open analytics.db for reading")?;
        let inode = Inode::of(&main_file(&self.directory));
        check_version(&main, &self.directory)?;
        Ok(Reader { directory: self.directory.clone(), main, inode, is_frozen, raw: BTreeMap::new() })
    }

    fn is_valid(&self, reader: &mut Reader) -> Result<(), Error> {
        if self.has_broken(reader) {
            return Err(gone(&main_file(&self.directory)));
        }
        reader.main.query_row("select 1 from meta", [], |_| Ok(())).or_else(|error| match error {
            rusqlite::Error::QueryReturnedNoRows => Ok(()),
            error => Err(error).context("read analytics.db"),
        })
    }

    fn has_broken(&self, reader: &mut Reader) -> bool {
        // Deleted, moved away or replaced: a connection would go on reading a file that nobody else sees.
        let main = main_file(&reader.directory);
        reader.inode != Inode::of(&main) || reader.is_frozen && !connection::is_frozen(&main)
    }
}

/// A connection to analytics.db and those to the parts it has looked at.
pub(crate) struct Reader {
    directory: PathBuf,
    main: Connection,
    inode: Inode,
    /// It was opened as a file that never changes.
    is_frozen: bool,
    raw: Raw,
}

/// Parts that are open, and which file each name stood for then.
type Raw = BTreeMap<PartKey, (Inode, Connection)>;

impl Reader {
    fn ask<T>(&mut self, stop: &Stop, limit: Duration, question: impl FnOnce(&mut Snapshot<'_>) -> Result<T, Error>) -> Result<T, Error> {
        stop.watch(&self.main);
        self.raw.values().for_each(|(_, connection)| stop.watch(connection));
        stop.check(limit)?;
        let main = self.main.transaction().context("begin to read analytics.db")?;
        // The first read fixes the snapshot; parts are then looked at only up to their watermarks.
        let parts = Part::list(&main).context("read the parts in analytics.db")?;
        let newest = parts.iter().map(|part| part.key).filter(|key| !key.is_import()).max();
        let parts = parts.iter().filter(|part| !part.is_forgotten()).map(PartView::of).collect();
        let answer = question(&mut Snapshot { main, parts, raw: &mut self.raw, directory: &self.directory, stop, limit, used_raw: false });
        // The newest part alone stays open: the writer seals the others, for which nobody may have them open.
        while self.raw.len() > 1 || self.raw.first_key_value().is_some_and(|(key, _)| Some(*key) != newest) {
            self.raw.pop_first();
        }
        if answer.is_err() {
            self.raw.clear();
        }
        answer
    }
}

/// What a question sees: analytics.db at one moment, and raw rows up to the watermarks of that moment.
pub(crate) struct Snapshot<'a> {
    main: Transaction<'a>,
    parts: Vec<PartView>,
    raw: &'a mut Raw,
    directory: &'a Path,
    stop: &'a Stop,
    limit: Duration,
    used_raw: bool,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct PartView {
    pub(crate) number: i64,
    pub(crate) key: PartKey,
    pub(crate) month: Month,
    pub(crate) state: PartState,
    /// The last raw row that is in the roll-ups; none after it may be looked at.
    pub(crate) watermark: i64,
    pub(crate) hits: i64,
    pub(crate) least: Option<Millis>,
    pub(crate) greatest: Option<Millis>,
    /// The number after that of its newest session.
    pub(crate) next_session: u32,
    /// The size of what was put away of it.
    pub(crate) archive_bytes: i64,
}

impl PartView {
    fn of(part: &Part) -> Self {
        let Part { number, key, month, state, watermark, hits, least, greatest, next_session, .. } = *part;
        let archive_bytes = part.archived.as_ref().map_or(0, |archived| archived.bytes);
        Self { number, key, month, state, watermark, hits, least, greatest, next_session, archive_bytes }
    }
}

impl Snapshot<'_> {
    pub(crate) fn main(&self) -> &Connection {
        &self.main
    }

    pub(crate) fn parts(&self) -> &[PartView] {
        &self.parts
    }

    /// The part in which a month's session of this number would be.
    pub(crate) fn part_of(&self, month: Month, session: u32) -> Option<PartView> {
        let mut parts: Vec<_> = self.parts.iter().filter(|part| part.month == month && session < part.next_session).collect();
        // Imports have given their numbers one after the other.
        parts.sort_by_key(|part| part.next_session);
        parts.into_iter().find(|part| part.key.is_import() == (session >= FIRST_IMPORTED)).copied()
    }

    /// The zone of the reporting days.
    pub(crate) fn zone(&self) -> Result<Zone, Error> {
        let name: Option<String> = meta_get(&self.main, MetaKey::Zone).context("read the reporting zone")?;
        Zone::new(name.as_deref().unwrap_or("UTC"))
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory
    }

    /// An error if nobody waits any more; asked now and then by whoever works long.
    pub(crate) fn go_on(&self) -> Result<(), Error> {
        self.stop.check(self.limit)
    }

    /// Hits or sessions of the range are read one by one. Those of a quarter of an hour at its edge are not worth the word.
    pub(crate) fn note_raw(&mut self) {
        self.used_raw = true;
    }

    /// Whether raw files were what the answer came from.
    pub(crate) fn used_raw(&self) -> bool {
        self.used_raw
    }

    /// The raw file of a part.
    pub(crate) fn raw(&mut self, key: PartKey) -> Result<&Connection, Error> {
        self.go_on()?;
        let file = key.file(self.directory);
        let inode = Inode::of(&file);
        if self.raw.get(&key).is_none_or(|(known, _)| *known != inode) {
            let connection =
                connection::reader(&file).context(&format!("open {key} for reading")).map_err(|error| match file.exists() {
                    true => error,
                    false => {
                        let message = format!("{key} is not there: if its hits were put away just now ask again, else bring the file back");
                        Error::new(ErrorKind::NoRaw, message).with_source(error)
                    }
                })?;
            self.stop.watch(&connection);
            self.raw.insert(key, (inode, connection));
        }
        Ok(&self.raw[&key].1)
    }
}

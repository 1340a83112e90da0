use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::Duration,
};

use rusqlite::{Connection, Transaction};
use scheduled_thread_pool::ScheduledThreadPool;

use super::{
    connection::{self, Context, Inode, gone, main_file, part_file, part_name},
    part::{Part, PartState},
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
    pool: OnceLock<r2d2::Pool<Manager>>,
}

/// So many questions are answered at once; more wait.
const CONNECTIONS: u32 = 4;
const LONGEST_WAIT: Duration = Duration::from_secs(10);

impl Readers {
    pub(crate) fn new(directory: PathBuf) -> Self {
        Self { directory, pool: OnceLock::new() }
    }

    /// Answers one question from one snapshot. Blocks, for a free connection too: not for async threads.
    pub(crate) fn ask<T>(&self, question: impl FnOnce(&mut Snapshot<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let pool = self.pool.get_or_init(|| {
            r2d2::Pool::builder()
                .max_size(CONNECTIONS)
                .min_idle(Some(0))
                .idle_timeout(Some(Duration::from_secs(60)))
                .connection_timeout(LONGEST_WAIT)
                .thread_pool(Arc::new(ScheduledThreadPool::builder().num_threads(1).thread_name_pattern("tower-analytics-pool").build()))
                .error_handler(Box::new(r2d2::NopErrorHandler))
                .build_unchecked(Manager { directory: self.directory.clone() })
        });
        if !main_file(&self.directory).exists() {
            let message = format!("nothing has been recorded in {} yet", self.directory.display());
            return Err(Error::new(ErrorKind::Directory, message));
        }
        let mut reader = pool.get().map_err(|error| {
            Error::new(ErrorKind::Storage, "cannot open analytics.db for reading, or too many questions wait").with_source(error)
        })?;
        reader.ask(question)
    }
}

struct Manager {
    directory: PathBuf,
}

impl r2d2::ManageConnection for Manager {
    type Connection = Reader;
    type Error = Error;

    fn connect(&self) -> Result<Reader, Error> {
        let main = connection::reader(&main_file(&self.directory)).context("open analytics.db for reading")?;
        let inode = Inode::of(&main_file(&self.directory));
        check_version(&main, &self.directory)?;
        Ok(Reader { directory: self.directory.clone(), main, inode, raw: BTreeMap::new() })
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
        reader.inode != Inode::of(&main_file(&reader.directory))
    }
}

/// A connection to analytics.db and those to the parts it has looked at.
pub(crate) struct Reader {
    directory: PathBuf,
    main: Connection,
    inode: Inode,
    raw: Raw,
}

/// Parts that are open, and which file each name stood for then.
type Raw = BTreeMap<Month, (Inode, Connection)>;

impl Reader {
    fn ask<T>(&mut self, question: impl FnOnce(&mut Snapshot<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let main = self.main.transaction().context("begin to read analytics.db")?;
        // The first read fixes the snapshot; parts are then looked at only up to their watermarks.
        let parts = Part::list(&main).context("read the parts in analytics.db")?;
        let newest = parts.iter().map(|part| part.month).max();
        let parts = parts.iter().map(PartView::of).collect();
        let answer = question(&mut Snapshot { main, parts, raw: &mut self.raw, directory: &self.directory });
        // The newest part alone stays open: the writer seals the others, for which nobody may have them open.
        while self.raw.len() > 1 || self.raw.first_key_value().is_some_and(|(month, _)| Some(*month) != newest) {
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
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct PartView {
    pub(crate) number: i64,
    pub(crate) month: Month,
    pub(crate) state: PartState,
    /// The last raw row that is in the roll-ups; none after it may be looked at.
    pub(crate) watermark: i64,
    pub(crate) hits: i64,
    pub(crate) least: Option<Millis>,
    pub(crate) greatest: Option<Millis>,
}

impl PartView {
    fn of(part: &Part) -> Self {
        let Part { number, month, state, watermark, hits, least, greatest, .. } = *part;
        Self { number, month, state, watermark, hits, least, greatest }
    }
}

impl Snapshot<'_> {
    pub(crate) fn main(&self) -> &Connection {
        &self.main
    }

    pub(crate) fn parts(&self) -> &[PartView] {
        &self.parts
    }

    /// The zone of the reporting days.
    pub(crate) fn zone(&self) -> Result<Zone, Error> {
        let name: Option<String> = meta_get(&self.main, MetaKey::Zone).context("read the reporting zone")?;
        Zone::new(name.as_deref().unwrap_or("UTC"))
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory
    }

    /// The raw file of a part.
    pub(crate) fn raw(&mut self, month: Month) -> Result<&Connection, Error> {
        let file = part_file(self.directory, month);
        let inode = Inode::of(&file);
        if self.raw.get(&month).is_none_or(|(known, _)| *known != inode) {
            let connection = connection::reader(&file).context(&format!("open {} for reading", part_name(month)))?;
            self.raw.insert(month, (inode, connection));
        }
        Ok(&self.raw[&month].1)
    }
}

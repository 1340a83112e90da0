use std::path::Path;

use rusqlite::{Connection, OptionalExtension};

use crate::{
    error::Error,
    store::connection::{Context, main_file, reader},
};

/// A session as its source knows it: a hash of its id there, its user and its beginning.
///
/// A hash, because ids of other systems may say who somebody is, and a person that is forgotten is to leave no trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SourceId(pub(crate) [u8; 16]);

/// What a file says, by which an import is known: its length and hash, of what is in it if it is packed. So a log is the
/// same after it was rotated away and packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Content {
    pub(crate) bytes: u64,
    pub(crate) hash: [u8; 32],
}

/// What was imported before. None of it where nothing was ever recorded.
pub(crate) struct Known {
    main: Option<Connection>,
}

impl Known {
    pub(crate) fn open(directory: &Path) -> Result<Self, Error> {
        let file = main_file(directory);
        let main = if file.exists() { Some(reader(&file).context("open analytics.db for reading")?) } else { None };
        Ok(Self { main })
    }

    /// The files.
    pub(crate) fn contents(&self) -> Result<Vec<Content>, Error> {
        let Some(main) = &self.main else { return Ok(Vec::new()) };
        let read = |row: &rusqlite::Row<'_>| Ok(Content { hash: row.get(0)?, bytes: row.get::<_, i64>(1)?.unsigned_abs() });
        let contents = || main.prepare("select hash, bytes from imports")?.query_map([], read)?.collect::<rusqlite::Result<_>>();
        contents().context("read what was imported before")
    }

    /// Whether this session came with one of them.
    pub(crate) fn has(&self, session: &SourceId) -> Result<bool, Error> {
        let Some(main) = &self.main else { return Ok(false) };
        let found = main
            .prepare_cached("select 1 from imported_sessions where hash = ?")
            .and_then(|mut statement| statement.query_row([session.0], |_| Ok(())).optional());
        found.context("read what was imported before").map(|found| found.is_some())
    }
}

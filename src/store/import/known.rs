use std::path::Path;

use rusqlite::{Connection, OptionalExtension};

use super::source::{Content, SourceId};
use crate::{
    error::Error,
    store::connection::{Context, main_file, reader},
};

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

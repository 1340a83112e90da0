use std::path::PathBuf;

use rusqlite::{Connection, OptionalExtension, params};

use crate::{
    error::{Error, ErrorKind},
    store::connection::{self, Context, Synchronous, main_file},
};

/// Asks for work in a directory, from any process.
pub(crate) struct Jobs {
    directory: PathBuf,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Stores what was recorded elsewhere; the argument says what, for whoever reads it.
    Import,
    /// Compresses the raw files of old months and puts them away; the argument is an order as JSON.
    Archive,
    /// Makes roll-ups anew from raw rows; the argument is the months as a JSON array, none for all.
    Reprocess,
    /// Counts one user as another; the argument is both ids as a JSON array.
    Merge,
    /// Brings raw files back; the argument is an order as JSON.
    Restore,
    /// Does with old months what rules say; the argument is an order as JSON.
    Retention,
    /// Takes a person's identity away; the argument is the id as JSON, and once it is gone what was found of it.
    Forget,
    /// Gives free pages back to the file system.
    Vacuum,
    /// Begins anew with nothing.
    Reset,
}

impl Kind {
    const ALL: [(Self, &str); 9] = [
        (Self::Archive, "archive"),
        (Self::Forget, "forget"),
        (Self::Import, "import"),
        (Self::Merge, "merge"),
        (Self::Reprocess, "reprocess"),
        (Self::Reset, "reset"),
        (Self::Restore, "restore"),
        (Self::Retention, "retention"),
        (Self::Vacuum, "vacuum"),
    ];

    pub(crate) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
    }
}

/// How far it has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum JobState {
    Waiting,
    Running {
        done: i64,
        total: i64,
    },
    /// What came of it, as JSON; for what it could not be done is in it.
    Done(String),
    Failed(String),
}

impl Jobs {
    pub(crate) fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    fn open(&self) -> Result<Connection, Error> {
        connection::writer(&main_file(&self.directory), false, Synchronous::Full).context("open analytics.db to ask for work")
    }

    pub(crate) fn ask(&self, kind: Kind, argument: &str) -> Result<i64, Error> {
        let main = self.open()?;
        main.execute(include_str!("job_new.sql"), params![kind.name(), argument]).context("ask for work")?;
        Ok(main.last_insert_rowid())
    }

    pub(crate) fn state(&self, id: i64) -> Result<JobState, Error> {
        let main = self.open()?;
        let read = |row: &rusqlite::Row<'_>| {
            let state: String = row.get(0)?;
            Ok(match state.as_str() {
                "waiting" => JobState::Waiting,
                "running" => JobState::Running { done: row.get(1)?, total: row.get(2)? },
                "done" => JobState::Done(row.get(4)?),
                _ => match row.get::<_, String>(4)? {
                    nothing if nothing.is_empty() => JobState::Failed(row.get(3)?),
                    result => JobState::Done(result),
                },
            })
        };
        let state = main.query_row("select state, done, total, message, result from jobs where id = ?", [id], read).optional();
        state
            .context("read how far work has come")?
            .ok_or_else(|| Error::new(ErrorKind::Storage, "the work that was asked for is gone from analytics.db: ask for it again"))
    }

    /// Takes back what nobody has begun; whether it did.
    pub(crate) fn withdraw(&self, id: i64) -> Result<bool, Error> {
        let sql = "delete from jobs where id = ? and state = 'waiting' and interrupted = 0 and total = 0";
        self.open()?.execute(sql, [id]).context("withdraw a job").map(|deleted| deleted > 0)
    }
}

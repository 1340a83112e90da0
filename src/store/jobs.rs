//! Work that anybody may ask for, and that only the holder of the lock does: long work in slices between batches.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rusqlite::{Connection, OptionalExtension, params};

use super::{
    aliases,
    connection::{self, Context, Synchronous, main_file},
    opened::Opened,
    rebuild::Rebuild,
    rollup::Scene,
};
use crate::error::{Error, ErrorKind};

/// Asks for work in a directory, from any process.
pub(crate) struct Jobs {
    directory: PathBuf,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Makes the roll-ups of every part anew from its raw rows.
    Reprocess,
    /// Counts one user as another; the argument is both ids as a JSON array.
    Merge,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Reprocess => "reprocess",
            Self::Merge => "merge",
        }
    }
}

/// How far it has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum JobState {
    Waiting,
    Running { done: i64, total: i64 },
    Done,
    Failed(String),
}

/// So long after a failure what the settings ask for is tried again.
const RETRY: Duration = Duration::from_secs(60);

/// A job that takes long, while it runs.
pub(super) struct Running {
    id: i64,
    done: i64,
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
                "done" => JobState::Done,
                _ => JobState::Failed(row.get(3)?),
            })
        };
        let state = main.query_row("select state, done, total, message from jobs where id = ?", [id], read).optional();
        state
            .context("read how far work has come")?
            .ok_or_else(|| Error::new(ErrorKind::Storage, "the work that was asked for is gone from analytics.db: ask for it again"))
    }

    /// Takes back what nobody has begun.
    pub(crate) fn withdraw(&self, id: i64) -> Result<(), Error> {
        self.open()?.execute("delete from jobs where id = ? and state = 'waiting'", [id]).context("withdraw a job").map(drop)
    }
}

/// A job that runs when its process dies is begun again, but not for ever.
pub(super) fn begin_again(tx: &Connection) -> rusqlite::Result<()> {
    tx.execute("update jobs set state = 'failed' where state = 'running' and message <> ''", [])?;
    tx.execute("update jobs set state = 'waiting', message = 'it was interrupted twice: the log says why; ask for it again' where state = 'running'", [])?;
    Ok(())
}

impl Opened {
    /// Looks for the next job; a short one is done at once. One that is said to run, and does not, is begun again.
    pub(super) fn poll_jobs(&mut self) -> Result<(), Error> {
        if self.running.is_some() {
            return Ok(());
        }
        let next = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        let job: Option<(i64, String, String)> = self
            .main
            .prepare_cached("select id, kind, argument from jobs where state in ('waiting', 'running') order by id limit 1")
            .and_then(|mut statement| statement.query_row([], next).optional())
            .context("look for work in analytics.db")?;
        let Some((id, kind, argument)) = job else { return Ok(()) };
        if kind == Kind::Reprocess.name() {
            let with_raw = self.parts.values().filter(|part| part.is_whole());
            let total: i64 = with_raw.clone().map(|part| part.hits).sum();
            self.stale = with_raw.map(|part| part.number).collect();
            (self.rebuild, self.running) = (None, Some(Running { id, done: 0 }));
            return self.put_job(id, "running", (0, total), None);
        }
        let result = match kind == Kind::Merge.name() {
            true => self.merge(id, &argument),
            false => {
                Err(Error::new(ErrorKind::Config, format!("this version does not know the job {kind:?}: update the program that records")))
            }
        };
        result.or_else(|error| self.end_job(id, Err(error)))
    }

    /// One slice of long work; whether there is more.
    pub(super) fn work(&mut self, directory: &Path) -> Result<bool, Error> {
        if self.running.is_none() && Instant::now() < self.retry_at {
            return Ok(false);
        }
        let part = self.rebuild.as_ref().map(|rebuild| rebuild.part).or_else(|| self.stale.front().copied());
        let result = self.work_slice(directory);
        if let Err(error) = &result {
            tracing::error!(error = %error.chain(), "roll-ups could not be made anew; the old ones stay for now");
            self.rebuild = None;
            match self.running {
                Some(_) => self.stale.clear(),
                None => {
                    // Nobody asked but the settings: it is tried again, the other parts first.
                    self.stale.retain(|number| Some(*number) != part);
                    self.stale.extend(part);
                    self.retry_at = Instant::now() + RETRY;
                }
            }
        }
        match (result, self.rebuild.is_some() || !self.stale.is_empty()) {
            (Ok(()), true) => Ok(true),
            (Err(_), true) => Ok(false),
            (result, false) => {
                let ended = self.running.take().map_or(Ok(()), |running| self.end_job(running.id, result));
                ended.map(|()| false)
            }
        }
    }

    fn work_slice(&mut self, directory: &Path) -> Result<(), Error> {
        let Some(mut rebuild) = self.rebuild.take() else {
            let Some(number) = self.stale.pop_front() else { return Ok(()) };
            if let Some(part) = self.parts.values().find(|part| part.number == number) {
                self.rebuild = Some(Rebuild::begin(&self.main, part, directory)?);
            }
            return Ok(());
        };
        let Some(part) = self.parts.get_mut(&rebuild.key) else { return Ok(()) };
        let mut scene = Scene { days: &mut self.days, devices: self.dictionary.devices() };
        let rows = rebuild.slice(&self.main, part.watermark, &mut scene)?;
        if rows == 0 {
            return rebuild.finish(&self.main, part, &scene);
        }
        self.rebuild = Some(rebuild);
        if let Some(running) = &mut self.running {
            running.done += rows as i64;
            let (id, done) = (running.id, running.done);
            // Every few slices somebody may look.
            if done / 200_000 > (done - rows as i64) / 200_000 {
                self.main.execute("update jobs set done = ? where id = ?", [done, id]).context("say how far work has come")?;
            }
        }
        Ok(())
    }

    /// The alias and the word that it is done, in one transaction that a loss of power does not take back.
    fn merge(&self, id: i64, argument: &str) -> Result<(), Error> {
        Synchronous::Full.set(&self.main).context("write an alias")?;
        let merge = || {
            let tx = self.main.unchecked_transaction().context("begin to write an alias")?;
            aliases::merge(&tx, argument)?;
            self.put_job(id, "done", (1, 1), None)?;
            tx.commit().context("write an alias")
        };
        let result = merge();
        Synchronous::Normal.set(&self.main).context("write an alias")?;
        result
    }

    fn end_job(&self, id: i64, result: Result<(), Error>) -> Result<(), Error> {
        match result {
            Ok(()) => self.put_job(id, "done", (1, 1), None),
            Err(error) => self.put_job(id, "failed", (0, 0), Some(&error.chain())),
        }
    }

    fn put_job(&self, id: i64, state: &str, (done, total): (i64, i64), message: Option<&str>) -> Result<(), Error> {
        self.main
            .execute(include_str!("job_set.sql"), params![state, done, total, message, id])
            .context("say how far work has come")
            .map(drop)
    }
}

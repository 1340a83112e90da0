use std::{fmt, path::Path, sync::Arc};

use super::{ActiveSession, Ask, Check, EndpointRow, Health, Stats, active_sessions, check, endpoints, health, stats};
use crate::{
    clock::Clock,
    error::{Error, ErrorKind},
    store::Readers,
};

/// Asks questions of a data directory. Cheap to clone.
///
/// What the writer has stored is seen within a few seconds, or at once after a flush. Each question is answered
/// from one snapshot, so its numbers agree. The first question makes a pool of four connections and its one thread. Questions block: on async threads use `tokio::task::spawn_blocking`.
#[derive(Clone)]
pub struct Reports {
    readers: Arc<Readers>,
    clock: Clock,
}

impl Reports {
    /// Reads a directory in which another process records, or none does.
    ///
    /// # Errors
    ///
    /// If nothing was ever recorded there.
    pub fn open(directory: impl AsRef<Path>) -> Result<Self, Error> {
        let directory = directory.as_ref();
        if !directory.join("analytics.db").exists() {
            let message = format!("nothing has been recorded in {}: it holds no analytics.db", directory.display());
            return Err(Error::new(ErrorKind::Directory, message));
        }
        Ok(Self::new(directory, Clock::system()))
    }

    pub(crate) fn new(directory: &Path, clock: Clock) -> Self {
        Self { readers: Arc::new(Readers::new(directory.to_owned())), clock }
    }

    /// The totals.
    ///
    /// # Errors
    ///
    /// If the files cannot be read; so for all questions.
    pub fn stats(&self, ask: &Ask) -> Result<Stats, Error> {
        self.readers.ask(|snapshot| stats::ask(snapshot, ask, self.clock.millis()))
    }

    /// Endpoints by hits, most first.
    ///
    /// # Errors
    ///
    /// If the files cannot be read.
    pub fn endpoints(&self, ask: &Ask) -> Result<Vec<EndpointRow>, Error> {
        self.readers.ask(|snapshot| endpoints::ask(snapshot, ask, self.clock.millis()))
    }

    /// Sessions whose last activity lies within the timeout, newest activity first, at most 1000.
    ///
    /// # Errors
    ///
    /// If the files cannot be read.
    pub fn active_sessions(&self) -> Result<Vec<ActiveSession>, Error> {
        self.readers.ask(|snapshot| active_sessions::ask(snapshot, self.clock.millis()))
    }

    /// Whether the roll-ups agree with the raw hits. Counts every hit there is, so it takes a while.
    ///
    /// # Errors
    ///
    /// If the files cannot be read.
    pub fn check(&self) -> Result<Check, Error> {
        self.readers.ask(check::ask)
    }

    /// Whether somebody records, what was dropped, how big it all is.
    ///
    /// # Errors
    ///
    /// If the files cannot be read.
    pub fn health(&self) -> Result<Health, Error> {
        self.readers.ask(|snapshot| health::ask(snapshot, self.clock.millis()))
    }
}

impl fmt::Debug for Reports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reports").finish_non_exhaustive()
    }
}

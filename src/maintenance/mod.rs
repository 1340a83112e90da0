//! Work on what is stored, asked for here and done by whoever records; one file a kind of work.

mod counts;
mod imports;
mod months;
mod space;
mod users;

use std::{
    fmt,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use serde::de::DeserializeOwned;

pub use crate::store::{FailedFile, Forgotten, Reprocessed, Reset, Vacuumed, VacuumedFile};
pub(crate) use crate::store::{PutAway, Restored, in_words};
use crate::{
    counters::State,
    error::{Error, ErrorKind},
    import::Setting,
    recorder::Recorder,
    store::{JobState, Jobs, Kind},
};

/// Work on what is stored, done by whichever process records in the directory, while it records. From
/// [`Analytics::maintenance`](crate::Analytics::maintenance). Every call blocks until the work is done: not for async threads.
///
/// Work on several files goes on when one of them fails. What came of it then has each of these in its `failed`, with the reason
/// ([`FailedFile`]); if nothing could be done it is an error. Either way the job stands as failed in [`Reports::jobs`](crate::Reports::jobs).
pub struct Maintenance {
    jobs: Jobs,
    recorder: Recorder,
    importing: (PathBuf, Setting),
}

/// So long a job waits for somebody to begin it.
const PATIENCE: Duration = Duration::from_secs(60);

impl Maintenance {
    pub(crate) fn new(directory: PathBuf, recorder: Recorder, setting: Setting) -> Self {
        Self { jobs: Jobs::new(directory.clone()), recorder, importing: (directory, setting) }
    }

    /// What came of it.
    fn ask<T: DeserializeOwned>(&self, kind: Kind, argument: &str, progress: impl FnMut(u64, u64)) -> Result<T, Error> {
        let result = self.run(kind, argument, progress)?;
        serde_json::from_str(&result).map_err(|error| {
            let message = "the work is done, and the process that did it says in another way what came of it: use one version of tower-analytics for both";
            Error::new(ErrorKind::Job, message).with_source(error)
        })
    }

    /// What came of it, as JSON.
    fn run(&self, kind: Kind, argument: &str, mut progress: impl FnMut(u64, u64)) -> Result<String, Error> {
        let id = self.jobs.ask(kind, argument)?;
        // If it is this process that records, it looks at once. If not, the other one does so every few seconds.
        drop(self.recorder.flush());
        let mut waiting_since = Instant::now();
        loop {
            match self.jobs.state(id)? {
                JobState::Done(result) => return Ok(result),
                JobState::Failed(message) => return Err(Error::new(ErrorKind::Job, message)),
                _ if self.recorder.state() == State::Stopped => {
                    self.withdraw(id, ErrorKind::Stopped)?;
                    return Err(Error::new(ErrorKind::Stopped, "the recorder was shut down before the work was done: ask for it again"));
                }
                JobState::Running { done, total } => {
                    waiting_since = Instant::now();
                    progress(done.unsigned_abs(), total.unsigned_abs());
                }
                JobState::Waiting if waiting_since.elapsed() > PATIENCE => {
                    self.withdraw(id, ErrorKind::Timeout)?;
                    let message = "nobody took the work up in a minute: start the service that records in the directory, and ask again";
                    return Err(Error::new(ErrorKind::Timeout, message));
                }
                JobState::Waiting => {}
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// An error if it was begun already: then it is not ours to take back.
    fn withdraw(&self, id: i64, kind: ErrorKind) -> Result<(), Error> {
        if self.jobs.withdraw(id)? {
            return Ok(());
        }
        let message = "the work was begun and is not done: whoever records goes on with it by itself; `tower-analytics doctor` and the settings page say what becomes of it";
        Err(Error::new(kind, message))
    }
}

impl fmt::Debug for Maintenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Maintenance").finish_non_exhaustive()
    }
}

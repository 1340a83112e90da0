use std::{
    path::Path,
    time::{Duration, Instant},
};

use rusqlite::params;
use serde_json::Value;

use super::{
    Kind, Reprocess, again, forget::Forget, merge, put_away::PuttingAway, reset::BeginAnew, restore::Restoring, vacuum::MakeSmall,
};
use crate::{
    error::{Error, ErrorKind},
    store::{connection::Context, import::Import, opened::Opened},
};

/// Long work: a slice of a few milliseconds at a time, between batches. After an error it is given up.
pub(in crate::store) trait Work: Send {
    fn slice(&mut self, opened: &mut Opened, directory: &Path) -> Result<Step, Error>;

    /// Takes back what it has left behind, after an error.
    fn give_up(&mut self, opened: &mut Opened, directory: &Path) {
        let _ = (opened, directory);
    }
}

/// How far a slice has brought it.
pub(in crate::store) enum Step {
    More {
        done: i64,
        total: i64,
    },
    /// Nothing can be done before the next batch.
    Wait,
    Done(Value),
    /// For some files it could not be done; the message says which.
    DoneBut {
        result: Value,
        message: String,
    },
}

/// What the writer works on besides recording: one thing at a time, what was asked for first.
pub(in crate::store) struct InHand {
    job: Option<Job>,
    /// What the settings ask for: roll-ups in another zone.
    upkeep: Option<Reprocess>,
    /// Not before this is upkeep that failed tried again.
    retry_at: Instant,
}

struct Job {
    id: i64,
    work: Box<dyn Work>,
    /// When somebody who looks was last told how far it has come.
    told: Instant,
}

const RETRY: Duration = Duration::from_secs(60);
/// How often somebody who looks is told.
const TELL: Duration = Duration::from_millis(200);

impl InHand {
    pub(in crate::store) fn new(upkeep: Option<Reprocess>) -> Self {
        Self { job: None, upkeep, retry_at: Instant::now() }
    }

    /// What the settings ask for now.
    pub(in crate::store) fn keep_up_with(&mut self, upkeep: Reprocess) {
        self.upkeep = Some(upkeep);
    }
}

impl Opened {
    /// Looks for the next job, and begins it; a short one is done at once. One that is said to run, and does not, is begun again.
    pub(in crate::store) fn poll_jobs(&mut self, directory: &Path) -> Result<(), Error> {
        if self.in_hand.job.is_some() {
            return Ok(());
        }
        let job = again::next(&self.main).context("look for work in analytics.db")?;
        let Some((id, name, argument)) = job else { return Ok(()) };
        let begun = match Kind::from_name(&name) {
            Some(kind) => self.begin(kind, id, &argument, directory),
            None => {
                Err(Error::new(ErrorKind::Config, format!("this version does not know the job {name:?}: update the program that records")))
            }
        };
        match begun {
            Ok(None) => Ok(()),
            Ok(Some(work)) => {
                self.in_hand.job = Some(Job { id, work, told: Instant::now() });
                self.put_job(id, "running", (0, 0), None, None)
            }
            Err(error) => self.end_job(id, Err(error)),
        }
    }

    /// None: it was done at once, and said so.
    fn begin(&mut self, kind: Kind, id: i64, argument: &str, directory: &Path) -> Result<Option<Box<dyn Work>>, Error> {
        Ok(match kind {
            Kind::Import => Some(Box::new(Import::begin(self, argument, directory)?)),
            Kind::Archive | Kind::Retention => Some(Box::new(PuttingAway::asked(self, argument, directory)?)),
            Kind::Restore => Some(Box::new(Restoring::asked(self, argument, directory)?)),
            Kind::Reprocess => {
                // All that upkeep would do is in it.
                self.in_hand.upkeep = None;
                Some(Box::new(Reprocess::asked(self, argument)?))
            }
            Kind::Merge => {
                merge::merge(self, id, argument)?;
                None
            }
            Kind::Forget => Some(Box::new(Forget::asked(id, argument)?)),
            Kind::Vacuum => Some(Box::new(MakeSmall::asked(self, directory))),
            Kind::Reset => Some(Box::new(BeginAnew::asked(id))),
        })
    }

    /// One slice of long work; whether there is more.
    pub(in crate::store) fn work(&mut self, directory: &Path) -> Result<bool, Error> {
        let Some(mut job) = self.in_hand.job.take() else { return self.keep_up(directory) };
        match job.work.slice(self, directory) {
            Ok(Step::More { done, total }) => {
                let tell = job.told.elapsed() >= TELL;
                if tell {
                    job.told = Instant::now();
                }
                let id = job.id;
                self.in_hand.job = Some(job);
                if tell { self.put_job(id, "running", (done, total), None, None).map(|()| true) } else { Ok(true) }
            }
            Ok(Step::Wait) => {
                self.in_hand.job = Some(job);
                Ok(false)
            }
            Ok(Step::Done(result)) => self.end_job(job.id, Ok(result)).map(|()| false),
            Ok(Step::DoneBut { result, message }) => {
                self.put_job(job.id, "failed", (0, 0), Some(&message), Some(&result.to_string())).map(|()| false)
            }
            Err(error) => {
                job.work.give_up(self, directory);
                tracing::error!(error = %error.chain(), "work that was asked for failed; what it was to change is as it was before");
                self.end_job(job.id, Err(error)).map(|()| false)
            }
        }
    }

    /// Nobody asked but the settings: what fails is tried again later.
    fn keep_up(&mut self, directory: &Path) -> Result<bool, Error> {
        if Instant::now() < self.in_hand.retry_at {
            return Ok(false);
        }
        let Some(mut upkeep) = self.in_hand.upkeep.take() else { return Ok(false) };
        match upkeep.slice(self, directory) {
            Ok(Step::Done(_) | Step::DoneBut { .. }) => return Ok(false),
            Ok(Step::More { .. } | Step::Wait) => {}
            Err(error) => {
                tracing::error!(error = %error.chain(), "roll-ups could not be made anew; the old ones stay for now");
                upkeep.put_off();
                self.in_hand.retry_at = Instant::now() + RETRY;
            }
        }
        self.in_hand.upkeep = Some(upkeep);
        Ok(Instant::now() >= self.in_hand.retry_at)
    }

    pub(in crate::store) fn end_job(&self, id: i64, result: Result<Value, Error>) -> Result<(), Error> {
        match result {
            Ok(result) => self.put_job(id, "done", (1, 1), None, Some(&result.to_string())),
            Err(error) => self.put_job(id, "failed", (0, 0), Some(&error.chain()), None),
        }
    }

    pub(super) fn put_job(
        &self,
        id: i64,
        state: &str,
        (done, total): (i64, i64),
        message: Option<&str>,
        result: Option<&str>,
    ) -> Result<(), Error> {
        self.main
            .execute(include_str!("job_set.sql"), params![state, done, total, message, result, id])
            .context("say how far work has come")
            .map(drop)
    }
}

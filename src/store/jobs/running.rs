use std::{
    path::Path,
    time::{Duration, Instant},
};

use super::{
    Kind, Reprocess, Step, Work, again, forget::Forget, merge, put_away::PuttingAway, reset::BeginAnew, restore::Restoring,
    vacuum::MakeSmall,
};
use crate::{
    error::{Error, ErrorKind},
    store::{connection::Context, import::Import, opened::Opened},
};

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
    pub(in crate::store) fn new() -> Self {
        Self { job: None, upkeep: None, retry_at: Instant::now() }
    }

    /// Whoever records next goes on with it: to be stopped is no fault of the work.
    pub(in crate::store) fn put_back(&self, opened: &Opened) {
        let Some(job) = &self.job else { return };
        // With a total, as what was begun: whoever asked for it does not take it back.
        if let Err(error) = opened.put_job(job.id, "waiting", (0, 1), None, None) {
            tracing::debug!(error = %error.chain(), "work that goes on counts as interrupted");
        }
    }

    /// Looks for the next job, and begins it; a short one is done at once. One that is said to run, and does not, is begun again.
    pub(in crate::store) fn poll(&mut self, opened: &mut Opened, directory: &Path) -> Result<(), Error> {
        if self.job.is_some() {
            return Ok(());
        }
        let job = again::next(&opened.main).context("look for work in analytics.db")?;
        let Some((id, name, argument)) = job else { return Ok(()) };
        let begun = match Kind::from_name(&name) {
            Some(kind) => self.begin(opened, kind, id, &argument, directory),
            None => {
                Err(Error::new(ErrorKind::Config, format!("this version does not know the job {name:?}: update the program that records")))
            }
        };
        match begun {
            Ok(None) => Ok(()),
            Ok(Some(work)) => {
                self.job = Some(Job { id, work, told: Instant::now() });
                opened.put_job(id, "running", (0, 0), None, None)
            }
            Err(error) => opened.end_job(id, Err(error)),
        }
    }

    /// None: it was done at once, and said so.
    fn begin(
        &mut self,
        opened: &mut Opened,
        kind: Kind,
        id: i64,
        argument: &str,
        directory: &Path,
    ) -> Result<Option<Box<dyn Work>>, Error> {
        Ok(match kind {
            Kind::Import => Some(Box::new(Import::begin(opened, argument, directory)?)),
            Kind::Archive | Kind::Retention => Some(Box::new(PuttingAway::asked(opened, argument, directory)?)),
            Kind::Restore => Some(Box::new(Restoring::asked(opened, argument, directory)?)),
            Kind::Reprocess => {
                // All that upkeep would do is in it.
                (self.upkeep, opened.is_stale) = (None, false);
                Some(Box::new(Reprocess::asked(opened, argument)?))
            }
            Kind::Merge => {
                merge::merge(opened, id, argument)?;
                None
            }
            Kind::Forget => Some(Box::new(Forget::asked(id, argument)?)),
            Kind::Vacuum => Some(Box::new(MakeSmall::asked(opened, directory))),
            Kind::Reset => Some(Box::new(BeginAnew::asked(id))),
        })
    }

    /// One slice of long work; whether there is more.
    pub(in crate::store) fn work(&mut self, opened: &mut Opened, directory: &Path) -> Result<bool, Error> {
        let Some(mut job) = self.job.take() else { return self.keep_up(opened, directory) };
        match job.work.slice(opened, directory) {
            Ok(Step::More { done, total }) => {
                let tell = job.told.elapsed() >= TELL;
                if tell {
                    job.told = Instant::now();
                }
                let id = job.id;
                self.job = Some(job);
                if tell { opened.put_job(id, "running", (done, total), None, None).map(|()| true) } else { Ok(true) }
            }
            Ok(Step::Wait) => {
                self.job = Some(job);
                Ok(false)
            }
            Ok(Step::Done(result)) => opened.end_job(job.id, Ok(result)).map(|()| false),
            Ok(Step::DoneBut { result, message }) => {
                opened.put_job(job.id, "failed", (0, 0), Some(&message), Some(&result.to_string())).map(|()| false)
            }
            Err(error) => {
                job.work.give_up(opened, directory);
                tracing::error!(error = %error.chain(), "work that was asked for failed; what it was to change is as it was before");
                opened.end_job(job.id, Err(error)).map(|()| false)
            }
        }
    }

    /// Nobody asked but the settings: what fails is tried again later.
    fn keep_up(&mut self, opened: &mut Opened, directory: &Path) -> Result<bool, Error> {
        if Instant::now() < self.retry_at {
            return Ok(false);
        }
        if std::mem::take(&mut opened.is_stale) {
            self.upkeep = Reprocess::of_other_days(opened);
        }
        let Some(mut upkeep) = self.upkeep.take() else { return Ok(false) };
        match upkeep.slice(opened, directory) {
            Ok(Step::Done(_) | Step::DoneBut { .. }) => return Ok(false),
            Ok(Step::More { .. } | Step::Wait) => {}
            Err(error) => {
                tracing::error!(error = %error.chain(), "roll-ups could not be made anew; the old ones stay for now");
                upkeep.put_off();
                self.retry_at = Instant::now() + RETRY;
            }
        }
        self.upkeep = Some(upkeep);
        Ok(Instant::now() >= self.retry_at)
    }
}

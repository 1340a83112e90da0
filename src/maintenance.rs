use std::{
    fmt,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;

pub use crate::store::{Forgotten, Reset, Vacuumed, VacuumedFile};
pub(crate) use crate::store::{PutAway, Restored};
use crate::{
    aging::RetentionRules,
    counters::State,
    error::{Error, ErrorKind},
    import::{Asked, Report, Setting},
    recorder::Recorder,
    store::{JobState, Jobs, Kind, PutAwayOrder, RestoreOrder},
};

/// Work on what is stored, done by whichever process records in the directory, while it records. From
/// [`Analytics::maintenance`](crate::Analytics::maintenance). Every call blocks until the work is done: not for async threads.
pub struct Maintenance {
    jobs: Jobs,
    recorder: Recorder,
    importing: (PathBuf, Setting),
}

#[derive(Deserialize)]
struct Reprocessed {
    hits: u64,
}

/// So long a job waits for somebody to begin it.
const PATIENCE: Duration = Duration::from_secs(60);

impl Maintenance {
    pub(crate) fn new(directory: PathBuf, recorder: Recorder, setting: Setting) -> Self {
        Self { jobs: Jobs::new(directory.clone()), recorder, importing: (directory, setting) }
    }

    /// Makes all roll-ups anew from the raw hits, a month after the other. Questions are answered from the old ones until a
    /// month's new ones take their place at once. Gives the number of hits that were read, from time to time, with
    /// how many there are.
    ///
    /// # Errors
    ///
    /// If a raw file cannot be read, the store refuses, or nobody records in the directory.
    ///
    /// ```
    /// # fn main() -> Result<(), tower_analytics::Error> {
    /// use tower_analytics::{Analytics, Hit};
    ///
    /// let (analytics, _clock) = Analytics::testing();
    /// analytics.record(&Hit::new("GET", "/items"));
    /// analytics.maintenance().reprocess(|done, total| println!("{done} of {total} hits"))?;
    /// # Ok(()) }
    /// ```
    pub fn reprocess(&self, progress: impl FnMut(u64, u64)) -> Result<(), Error> {
        self.reprocess_months(&[], progress).map(drop)
    }

    /// Makes the roll-ups of some months anew, such as `["202611"]`, or of all if none is named; see [`reprocess`](Self::reprocess). Gives
    /// how many hits were read.
    ///
    /// # Errors
    ///
    /// As [`reprocess`](Self::reprocess), and if nothing was recorded in one of the months or its raw hits are not all there.
    pub fn reprocess_months(&self, months: &[&str], progress: impl FnMut(u64, u64)) -> Result<u64, Error> {
        let months = if months.is_empty() { String::new() } else { json!(months).to_string() };
        let result: Reprocessed = self.ask(Kind::Reprocess, &months, progress)?;
        Ok(result.hits)
    }

    /// Compresses the raw hits of months that ended longer ago than this, such as `90d` or `13 months`, puts them into a directory (`archive`
    /// in the data directory if none is said), reads what was written again, and then deletes the raw files. What was counted of these
    /// months stays; what only their hits could say is refused until [`restore`](Self::restore) brings them back. Hits that come later and
    /// belong to them are dropped and counted ([`DropCause::ClosedMonth`](crate::DropCause)). Gives bytes, from time to time, with how many
    /// there are to be read.
    ///
    /// # Errors
    ///
    /// If that is no length of time of a day or more, the directory cannot be written or has no room, it holds such files of another data
    /// directory, or a month stays in use for five minutes; months before it are put away then, and it stays as it was.
    ///
    /// ```
    /// # fn main() -> Result<(), tower_analytics::Error> {
    /// use std::time::Duration;
    /// use tower_analytics::{Analytics, Hit};
    ///
    /// let (analytics, clock) = Analytics::testing();
    /// analytics.record(&Hit::new("GET", "/items"));
    /// analytics.flush()?;
    /// clock.advance(Duration::from_secs(200 * 86_400));
    /// analytics.flush()?;
    /// let done = analytics.maintenance().archive("90d", None, |_, _| {})?;
    /// assert_eq!(done.parts[0].month, "202601");
    /// analytics.maintenance().restore(&["202601"], true, |_, _| {})?;
    /// # Ok(()) }
    /// ```
    pub fn archive(&self, older_than: &str, to: Option<&Path>, progress: impl FnMut(u64, u64)) -> Result<PutAway, Error> {
        let rules =
            RetentionRules { archive_after: Some(older_than.to_owned()), archive_to: to.map(Path::to_owned), ..RetentionRules::default() };
        self.put_away(Kind::Archive, &rules, progress)
    }

    /// Brings the raw hits of months back that were put away. What was put away is kept, unless it is said to `remove` it: then only once
    /// they are back. Gives bytes, from time to time, with how many there are to be written.
    ///
    /// # Errors
    ///
    /// If a month is not archived, or its archive is missing, damaged or another directory's: then nothing is changed.
    pub fn restore(&self, months: &[&str], remove: bool, progress: impl FnMut(u64, u64)) -> Result<Restored, Error> {
        let order = RestoreOrder { months: months.iter().map(|month| (*month).to_owned()).collect(), remove };
        self.ask(Kind::Restore, &json!(order).to_string(), progress)
    }

    /// Does with old months what these rules say, now, by the clock of whoever records. With the rules of the settings this happens by
    /// itself once a day, see [`RetentionRules`]; [`Reports::expiring`](crate::Reports::expiring) says beforehand what it will be.
    ///
    /// # Errors
    ///
    /// If the rules are wrong, and as [`archive`](Self::archive).
    pub fn retention(&self, rules: &RetentionRules, progress: impl FnMut(u64, u64)) -> Result<PutAway, Error> {
        self.put_away(Kind::Retention, rules, progress)
    }

    fn put_away(&self, kind: Kind, rules: &RetentionRules, progress: impl FnMut(u64, u64)) -> Result<PutAway, Error> {
        // Whoever does it stands elsewhere.
        let rules = rules.absolute()?;
        rules.understood()?;
        self.ask(kind, &json!(PutAwayOrder { rules, by: None }).to_string(), progress)
    }

    /// Counts one user as another from now on, in all that was ever recorded: two ids that turned out to be one person.
    ///
    /// # Errors
    ///
    /// If there is no such user, both count as one already, the store refuses, or nobody records in the directory.
    pub fn merge_users(&self, from: &str, into: &str) -> Result<(), Error> {
        self.run(Kind::Merge, &json!([from, into]).to_string(), |_, _| {}).map(drop)
    }

    /// Stores what the panel recorded that came before us: its JSON files, the SQLite file of its later generation, or directories
    /// with such. Everything is read and checked first; it is seen all at once, at the end. What an earlier import brought is
    /// known again, so that the same files can be imported twice. Gives the bytes that were read, from time to time, with how many
    /// there are.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Import`] with the file, the record and its place if one cannot be read, or what keeps it from being stored;
    /// nothing is there of it then.
    pub fn import_legacy(&self, paths: impl IntoIterator<Item = PathBuf>, progress: impl FnMut(u64, u64)) -> Result<Report, Error> {
        self.import(Asked::Legacy { paths: paths.into_iter().collect() }, progress)
    }

    /// As [`import_legacy`](Self::import_legacy), but nothing is stored: what would be.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Import`] as there.
    pub fn check_legacy(&self, paths: impl IntoIterator<Item = PathBuf>, progress: impl FnMut(u64, u64)) -> Result<Report, Error> {
        let (directory, setting) = &self.importing;
        Asked::Legacy { paths: paths.into_iter().collect() }.absolute()?.check(setting, directory, progress)
    }

    /// Stores the hits of access logs of NGINX or Apache, in the common or the combined format, packed or not, so that there is
    /// history from the first day on. `remote_user` is the user, else address and user agent tell visitors apart, neither of which is
    /// kept. Paths become routes by templates such as `/items/{id}`, those of the settings if none are given; what none covers is
    /// `(unmatched)`. Lines that cannot be read are left out and counted; a log that has grown since an earlier import is read from there on.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Import`] if a file cannot be read or more than half of its lines are of another format, or what keeps it from
    /// being stored; nothing is there of it then.
    pub fn import_access_log(
        &self,
        files: impl IntoIterator<Item = PathBuf>,
        routes: &[&str],
        progress: impl FnMut(u64, u64),
    ) -> Result<Report, Error> {
        let routes = routes.iter().map(|&route| route.to_owned()).collect();
        self.import(Asked::AccessLog { files: files.into_iter().collect(), routes }, progress)
    }

    pub(crate) fn import(&self, asked: Asked, progress: impl FnMut(u64, u64)) -> Result<Report, Error> {
        self.ask(Kind::Import, &asked.absolute()?.to_argument(), progress)
    }

    /// What came of it.
    fn ask<T: DeserializeOwned>(&self, kind: Kind, argument: &str, progress: impl FnMut(u64, u64)) -> Result<T, Error> {
        let result = self.run(kind, argument, progress)?;
        serde_json::from_str(&result).map_err(|error| {
            let message = "the work is done, and the process that did it says in another way what came of it: use one version of tower-analytics for both";
            Error::new(ErrorKind::Job, message).with_source(error)
        })
    }

    /// Takes a person's identity away, for ever: the id with all ids that were merged with it, their names, errors, routes and devices
    /// that hold one of them, the keys of their sessions. What was counted stays true: a number without a name stays in it. What is
    /// recorded under the id from then on, hits in the queue among it, is somebody new.
    ///
    /// The files are written anew, so that nothing of it is left in free pages or in the log. **Not** covered are backups, what plugins
    /// keep, logs of your own, and who may sign in.
    ///
    /// ```
    /// # fn main() -> Result<(), tower_analytics::Error> {
    /// use tower_analytics::{Analytics, Ask, Hit};
    ///
    /// let (analytics, _clock) = Analytics::testing();
    /// let mut hit = Hit::new("GET", "/items");
    /// hit.set_user("ann@example.com");
    /// analytics.record(&hit);
    /// analytics.flush()?;
    /// assert_eq!(analytics.maintenance().forget_user("ann@example.com", |_, _| {})?.ids, 1);
    /// assert!(analytics.reports().user(&Ask::all_time(), "ann@example.com")?.is_none());
    /// assert_eq!(analytics.reports().stats(&Ask::all_time())?.total_users, 1);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// If somebody reads the files for so long that they cannot be written anew, the store refuses, or nobody records in the directory. Say
    /// it again then: what is left of the first time is erased, too. An id that nobody has is no error.
    pub fn forget_user(&self, id: &str, progress: impl FnMut(u64, u64)) -> Result<Forgotten, Error> {
        self.result(Kind::Forget, &serde_json::json!(id).to_string(), progress)
    }

    /// Gives back to the file system what is free in the files, while recording goes on.
    ///
    /// # Errors
    ///
    /// If the disk has no room for a second copy of the largest file (nothing has changed then), somebody reads a file for longer than a
    /// minute, the store refuses, or nobody records in the directory.
    pub fn vacuum(&self, progress: impl FnMut(u64, u64)) -> Result<Vacuumed, Error> {
        self.result(Kind::Vacuum, "", progress)
    }

    /// Deletes everything that was recorded, archived months among it, and begins anew. Who may sign in stays, and what plugins keep. After
    /// a crash nothing or all of it is gone, once the directory is opened again.
    ///
    /// # Errors
    ///
    /// If a file cannot be deleted, the store refuses, or nobody records in the directory.
    pub fn reset(&self) -> Result<Reset, Error> {
        self.result(Kind::Reset, "", |_, _| {})
    }

    fn result<T: serde::de::DeserializeOwned>(&self, kind: Kind, argument: &str, progress: impl FnMut(u64, u64)) -> Result<T, Error> {
        let result = self.run(kind, argument, progress)?;
        serde_json::from_str(&result).map_err(|error| {
            let message = "what came of the work cannot be read: the service that records is of another version than this program";
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
                    self.jobs.withdraw(id)?;
                    return Err(Error::new(ErrorKind::Stopped, "the recorder was shut down before the work was done: ask for it again"));
                }
                JobState::Running { done, total } => {
                    waiting_since = Instant::now();
                    progress(done.unsigned_abs(), total.unsigned_abs());
                }
                JobState::Waiting if waiting_since.elapsed() > PATIENCE => {
                    self.jobs.withdraw(id)?;
                    let message = "nobody took the work up in a minute: start the service that records in the directory, and ask again";
                    return Err(Error::new(ErrorKind::Timeout, message));
                }
                JobState::Waiting => {}
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl fmt::Debug for Maintenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Maintenance").finish_non_exhaustive()
    }
}

use std::{
    fmt,
    io::Write,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    ActiveSessions, Answer, Ask, Back, Check, Cohorts, Comparison, Devices, EndpointRow, Errors, Expiring, Export, ExportFormat, Features,
    Health, InactiveUsers, Interval, JobRows, LatencySteps, LatestHits, Lifecycle, Page, PartRow, PeakHours, Power, PowerUsers, Retention,
    SessionDetail, Sessions, Source, Stats, Stored, Traffic, UserDetail, UserGrowth, UserOrder, Users, Versions, active_sessions,
    base::view::View, check, comparison, devices, endpoints, errors, expiring, export, features, health, inactive_users, jobs, latency,
    latest_hits, lifecycle, parts, peak_hours, power_users, retention, session, sessions, stats, stored, traffic, user, user_growth, users,
    versions,
};
use crate::{
    aging::RetentionRules,
    clock::Clock,
    error::{Error, ErrorKind},
    store::{self, Backup, Cancel, Limits, Readers, Snapshot, Verified},
};

/// Asks questions of a data directory. Cheap to clone.
///
/// What the writer has stored is seen within a few seconds, or at once after a flush. Each question is answered
/// from one snapshot, so its numbers agree. The first question makes a pool of four connections and its one thread. Questions block: on
/// async threads use `tokio::task::spawn_blocking`.
///
/// # Errors
///
/// All questions: if the files cannot be read; [`ErrorKind::Question`] if it was asked wrongly, with a word on what is allowed;
/// [`ErrorKind::NoRaw`] if it needs raw hits that were put away; [`ErrorKind::Timeout`] and [`ErrorKind::Cancelled`].
#[derive(Clone)]
pub struct Reports {
    readers: Arc<Readers>,
    clock: Clock,
    limits: Limits,
}

/// One method is one question.
#[allow(clippy::missing_errors_doc, reason = "said once, at the type")]
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
        Self { readers: Arc::new(Readers::new(directory.to_owned())), clock, limits: Limits::default() }
    }

    /// The same, with another limit for each question. Defaults to 30 seconds.
    #[must_use]
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.limits.time = limit;
        self
    }

    /// The same, with questions that can be ended from elsewhere.
    #[must_use]
    pub fn cancelled_by(mut self, cancel: &Cancel) -> Self {
        self.limits.cancel = Some(cancel.clone());
        self
    }

    /// The moment at which questions are asked now.
    #[cfg(feature = "dashboard")]
    pub(crate) fn now(&self) -> std::time::SystemTime {
        self.clock.now()
    }

    /// The totals.
    pub fn stats(&self, ask: &Ask) -> Result<Answer<Stats>, Error> {
        self.view(ask, stats::ask)
    }

    /// Sessions whose last activity lies within the timeout, newest activity first, at most 1000.
    pub fn active_sessions(&self, ask: &Ask) -> Result<Answer<ActiveSessions>, Error> {
        self.view(ask, active_sessions::ask)
    }

    /// Sessions that began in the range, newest first.
    pub fn sessions(&self, ask: &Ask, page: &Page) -> Result<Answer<Sessions>, Error> {
        self.page(ask, page, |view| sessions::ask(view, page))
    }

    /// One session, by an id such as `202611-42`, with what was done in it; `None` if there is none.
    pub fn session(&self, session_id: &str, page: &Page) -> Result<Answer<Option<SessionDetail>>, Error> {
        self.page(&Ask::all_time(), page, |view| session::ask(view, session_id, page))
    }

    /// Users of the range.
    pub fn users(&self, ask: &Ask, order: UserOrder, page: &Page) -> Result<Answer<Users>, Error> {
        self.page(ask, page, |view| users::ask(view, order, page))
    }

    /// Everything about one person, by the app's own id; `None` if nobody has it.
    pub fn user(&self, ask: &Ask, user_id: &str) -> Result<Answer<Option<UserDetail>>, Error> {
        self.view(ask, |view| user::ask(view, user_id))
    }

    /// Active, new, returning and all users over time. The interval defaults to what suits the range.
    pub fn user_growth(&self, ask: &Ask, interval: Option<Interval>) -> Result<Answer<UserGrowth>, Error> {
        self.view(ask, |view| user_growth::ask(view, interval))
    }

    /// Platforms with their versions, devices, classes of bots.
    pub fn devices(&self, ask: &Ask) -> Result<Answer<Devices>, Error> {
        self.view(ask, devices::ask)
    }

    /// Features and endpoints: who uses them, how they fare, how that has changed.
    pub fn features(&self, ask: &Ask) -> Result<Answer<Features>, Error> {
        self.view(ask, |view| features::ask(view, true))
    }

    /// The same without the users of the period before, in half the time.
    #[cfg(feature = "dashboard")]
    pub(crate) fn top_features(&self, ask: &Ask) -> Result<Answer<Features>, Error> {
        self.view(ask, |view| features::ask(view, false))
    }

    /// Endpoints by hits, most first.
    pub fn endpoints(&self, ask: &Ask) -> Result<Answer<Vec<EndpointRow>>, Error> {
        self.view(ask, endpoints::ask)
    }

    /// Hours of the day and of the week.
    pub fn peak_hours(&self, ask: &Ask) -> Result<Answer<PeakHours>, Error> {
        self.view(ask, peak_hours::ask)
    }

    /// Hits, errors and latencies over time. The interval defaults to what suits the range.
    pub fn traffic(&self, ask: &Ask, interval: Option<Interval>) -> Result<Answer<Traffic>, Error> {
        self.view(ask, |view| traffic::ask(view, interval))
    }

    /// How many hits took how long.
    pub fn latency(&self, ask: &Ask) -> Result<Answer<LatencySteps>, Error> {
        self.view(ask, latency::ask)
    }

    /// What was recorded last, newest first; at most 1000 hits.
    pub fn latest_hits(&self, limit: usize) -> Result<Answer<LatestHits>, Error> {
        self.view(&Ask::all_time(), |view| latest_hits::ask(view, limit))
    }

    /// Users by version over time, platform by platform.
    pub fn versions(&self, ask: &Ask, interval: Option<Interval>) -> Result<Answer<Versions>, Error> {
        self.view(ask, |view| versions::ask(view, interval))
    }

    /// What went wrong, by endpoint and status, and the errors the app attached.
    pub fn errors(&self, ask: &Ask) -> Result<Answer<Errors>, Error> {
        self.view(ask, errors::ask)
    }

    /// Users who were not here in the last so many reporting days. Of the ask its user, platform and version count.
    pub fn inactive_users(&self, ask: &Ask, idle_days: u32, page: &Page) -> Result<Answer<InactiveUsers>, Error> {
        self.page(ask, page, |view| inactive_users::ask(view, idle_days, page))
    }

    /// Users who do most.
    pub fn power_users(&self, ask: &Ask, by: Power, page: &Page) -> Result<Answer<PowerUsers>, Error> {
        self.page(ask, page, |view| power_users::ask(view, by, page))
    }

    /// Features of the range and of another one, per day. Of the other ask only the range counts; without it, it is the period before.
    pub fn comparison(&self, ask: &Ask, other: Option<&Ask>) -> Result<Answer<Comparison>, Error> {
        self.view(ask, |view| comparison::ask(view, other))
    }

    /// How many of those who came in each day, week or month of the range were there again later.
    pub fn retention(&self, ask: &Ask, interval: Interval, cohorts: Cohorts, back: Back) -> Result<Answer<Retention>, Error> {
        self.view(ask, |view| retention::ask(view, interval, cohorts, back))
    }

    /// Who is new, returns, comes back after a pause or stays away; and how often people come.
    pub fn lifecycle(&self, ask: &Ask, interval: Option<Interval>) -> Result<Answer<Lifecycle>, Error> {
        self.view(ask, |view| lifecycle::ask(view, interval))
    }

    /// Writes a whole list, row by row, in as little memory as a page of it takes; gives how many rows there were. The
    /// [time limit](Self::time_limit) is the same as for questions: give a longer one.
    ///
    /// # Errors
    ///
    /// Also [`ErrorKind::Output`] if `out` refuses.
    ///
    /// ```
    /// # fn main() -> Result<(), tower_analytics::Error> {
    /// use tower_analytics::{
    ///     Analytics, Ask, Hit,
    ///     report::{Export, ExportFormat},
    /// };
    ///
    /// let (analytics, _clock) = Analytics::testing();
    /// analytics.record(&Hit::new("GET", "/items"));
    /// analytics.flush()?;
    /// let mut out = Vec::new();
    /// let rows = analytics.reports().export(&Ask::last_days(30), Export::Actions, ExportFormat::Csv, &mut out)?;
    /// assert_eq!((rows, String::from_utf8_lossy(&out).lines().count()), (1, 2));
    /// # Ok(()) }
    /// ```
    pub fn export(&self, ask: &Ask, what: Export, format: ExportFormat, out: &mut dyn Write) -> Result<u64, Error> {
        self.view(ask, |view| export::ask(view, what, format, out)).map(Answer::into_inner)
    }

    /// Writes everything about one person, by the app's own id, as a JSON document: ids and name, when first and last seen, sums, days,
    /// devices, each session with each hit, the texts of errors. `false`, and nothing is written, if nobody has the id.
    ///
    /// # Errors
    ///
    /// Also [`ErrorKind::Output`] if `out` refuses.
    pub fn export_user(&self, user_id: &str, out: &mut dyn Write) -> Result<bool, Error> {
        self.view(&Ask::all_time(), |view| export::person(view, user_id, out)).map(Answer::into_inner)
    }

    /// Whether the roll-ups agree with the raw hits. Counts every hit there is, so it takes a while.
    pub fn check(&self) -> Result<Answer<Check>, Error> {
        self.ask(check::ask)
    }

    /// Looks through all files, a backup's too, without changing a byte: SQLite's integrity check of each; everything that follows from
    /// raw hits against what it would be if it were made anew; what raw hits refer to; sessions against their hits. `progress` is given how
    /// much is done, of how much. Takes about as long as [`reprocess`](crate::Maintenance::reprocess), and no limit of time ends it.
    ///
    /// Beside a service that records it reads each month as of one moment.
    ///
    /// # Errors
    ///
    /// If the directory is of another version of this crate, or somebody began to record meanwhile.
    ///
    /// ```
    /// # fn main() -> Result<(), tower_analytics::Error> {
    /// use tower_analytics::{Analytics, Hit};
    ///
    /// let (analytics, _clock) = Analytics::testing();
    /// analytics.record(&Hit::new("GET", "/items"));
    /// analytics.flush()?;
    /// let verified = analytics.reports().verify(|done, total| println!("{done} of {total}"))?;
    /// assert!(verified.is_sound(), "{:?}", verified.faults);
    /// # Ok(()) }
    /// ```
    pub fn verify(&self, mut progress: impl FnMut(u64, u64)) -> Result<Verified, Error> {
        store::verify(self.readers.directory(), &mut progress)
    }

    /// Copies everything that is stored, as it is at one moment, to a directory that is not there yet: raw hits and all that follows from
    /// them, archived months wherever they lie, who may sign in, what plugins keep. Whoever records goes on. The copy is a data directory that answers as this
    /// one did then; a file `backup.json` in it lists its files. Until it is whole it is called `DIR.partial`. Tells from time to time the
    /// bytes that are copied, and how many there are. The time limit of questions does not hold for it.
    ///
    /// What was put away is read as if it were to come back. A month whose archive is not there or damaged does not keep the others from being
    /// copied: [`Backup::faults`] says what is wrong with it.
    ///
    /// ```
    /// # fn main() -> Result<(), tower_analytics::Error> {
    /// use tower_analytics::{Analytics, Ask, Hit, Reports};
    ///
    /// let (analytics, _clock) = Analytics::testing();
    /// # let place = tempfile::tempdir().unwrap();
    /// analytics.record(&Hit::new("GET", "/items"));
    /// analytics.flush()?;
    /// let to = place.path().join("monday");
    /// let backup = analytics.reports().backup(&to, |done, total| println!("{done} of {total} bytes"))?;
    /// assert!(backup.files.iter().any(|file| file.path == "analytics.db"));
    /// assert_eq!(Reports::open(&to)?.stats(&Ask::all_time())?.total_hits, 1);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if the place is not free, or in the data directory; [`ErrorKind::Storage`] if there is no room for it; and if a
    /// file cannot be read or written. Nothing is left of it then.
    pub fn backup(&self, to: impl AsRef<Path>, progress: impl FnMut(u64, u64)) -> Result<Backup, Error> {
        store::backup(self.readers.directory(), to.as_ref(), true, &self.clock, progress)
    }

    /// As [`backup`](Self::backup), but without what was put away: archives in the data directory and elsewhere are looked after otherwise.
    /// The copy knows them at the places where they are now.
    ///
    /// # Errors
    ///
    /// As [`backup`](Self::backup).
    pub fn backup_without_archives(&self, to: impl AsRef<Path>, progress: impl FnMut(u64, u64)) -> Result<Backup, Error> {
        store::backup(self.readers.directory(), to.as_ref(), false, &self.clock, progress)
    }

    /// Whether somebody records, what was dropped, how big it all is.
    pub fn health(&self) -> Result<Answer<Health>, Error> {
        self.ask(|snapshot| health::ask(snapshot, self.clock.millis()))
    }

    /// What is stored: how much of everything, since when, in how many bytes; and what whoever records says of itself.
    pub fn stored(&self) -> Result<Answer<Stored>, Error> {
        self.ask(|snapshot| stored::ask(snapshot, self.clock.millis()))
    }

    /// The raw files, oldest month first.
    pub fn parts(&self) -> Result<Answer<Vec<PartRow>>, Error> {
        self.ask(|snapshot| parts::ask(snapshot))
    }

    pub(super) fn inspect<T>(&self, look: impl FnOnce(&mut Snapshot<'_>) -> Result<T, Error>) -> Result<T, Error> {
        self.ask(look).map(Answer::into_inner)
    }

    /// What would go now by these rules; without any, by those of the service that records.
    pub fn expiring(&self, rules: Option<&RetentionRules>) -> Result<Answer<Expiring>, Error> {
        self.ask(|snapshot| expiring::ask(snapshot, rules, self.clock.millis()))
    }

    /// Long work that waits, goes on or has ended, newest first; of what has ended, the last hundred.
    pub fn jobs(&self) -> Result<Answer<JobRows>, Error> {
        self.ask(|snapshot| jobs::ask(snapshot))
    }

    fn view<T>(&self, ask: &Ask, question: impl FnOnce(&mut View<'_, '_>) -> Result<T, Error>) -> Result<Answer<T>, Error> {
        self.ask(|snapshot| question(&mut View::open(snapshot, ask, self.clock.millis())?))
    }

    /// A page of a list is answered as of the moment of its first one.
    fn page<T>(&self, ask: &Ask, page: &Page, question: impl FnOnce(&mut View<'_, '_>) -> Result<T, Error>) -> Result<Answer<T>, Error> {
        let now = page.after.map_or_else(|| self.clock.millis(), |after| after.now);
        self.ask(|snapshot| question(&mut View::open(snapshot, ask, now)?))
    }

    fn ask<T>(&self, question: impl FnOnce(&mut Snapshot<'_>) -> Result<T, Error>) -> Result<Answer<T>, Error> {
        let start = Instant::now();
        let (value, source) = self.readers.ask(&self.limits, |snapshot| {
            let value = question(snapshot)?;
            Ok((value, if snapshot.used_raw() { Source::Raw } else { Source::Rollup }))
        })?;
        Ok(Answer::new(value, source, start.elapsed()))
    }
}

impl fmt::Debug for Reports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reports").field("limits", &self.limits).finish_non_exhaustive()
    }
}

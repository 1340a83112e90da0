//! What everybody writes down.

use std::{
    collections::BTreeMap,
    fmt::Write,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, SystemTime},
};

use jiff::Timestamp;
use tower_analytics::{Counters, Error};

use crate::gauge::Sample;

#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) sent: AtomicU64,
    pub(crate) imported: AtomicU64,
    /// Hits of months that were too old to be kept.
    pub(crate) given_up: AtomicU64,
    pub(crate) months: AtomicU64,
    over: AtomicBool,
    noted: Mutex<Noted>,
}

#[derive(Default)]
struct Noted {
    work: BTreeMap<&'static str, u64>,
    questions: u64,
    /// Those that need raw hits of months that are put away.
    refused: u64,
    slowest: (Duration, &'static str),
    /// Each with how often it came.
    failures: BTreeMap<String, u64>,
}

impl Tally {
    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Relaxed)
    }

    pub(crate) fn stop(&self) {
        self.over.store(true, Relaxed);
    }

    /// Counts work that was done, or keeps why it was not.
    pub(crate) fn work<T>(&self, what: &'static str, result: Result<T, Error>) -> Option<T> {
        let failed = result.as_ref().err().map(|error| with_causes(what, error));
        match failed {
            None => *self.noted().work.entry(what).or_default() += 1,
            Some(failure) => self.failed(failure),
        }
        result.ok()
    }

    pub(crate) fn failed(&self, failure: String) {
        let (mut noted, text) = (self.noted(), format!("failed: {failure}"));
        let times = noted.failures.entry(failure).or_default();
        *times += 1;
        // The others are only counted.
        if *times == 1 {
            println!("{text}");
        }
    }

    pub(crate) fn answered(&self, question: &'static str, took: Duration) {
        let mut noted = self.noted();
        noted.questions += 1;
        noted.slowest = noted.slowest.max((took, question));
    }

    pub(crate) fn refused(&self) {
        self.noted().refused += 1;
    }

    /// How often each kind of work was done.
    pub(crate) fn done(&self) -> BTreeMap<&'static str, u64> {
        self.noted().work.clone()
    }

    pub(crate) fn failures(&self) -> Vec<String> {
        self.noted().failures.iter().map(|(failure, times)| format!("{failure} ({times} times)")).collect()
    }

    pub(crate) fn line(&self, after: Duration, now: SystemTime, counters: &Counters, sample: Sample, bytes: u64) -> String {
        let (noted, mut line) = (self.noted(), String::new());
        let today = Timestamp::try_from(now).map(|now| now.strftime("%F").to_string()).unwrap_or_default();
        let _ = write!(
            line,
            "{:>4} s, {today}: {} hits sent, {} stored, {} wait, {} dropped",
            after.as_secs(),
            self.sent.load(Relaxed),
            counters.written,
            counters.queued,
            counters.dropped()
        );
        for (cause, count) in counters.by_cause().iter().filter(|(_, count)| *count > 0) {
            let _ = write!(line, " ({cause} {count})");
        }
        let _ = write!(
            line,
            ", {} imported, {} given up; {} MB of memory, {} handles, {} months in {} MB;",
            self.imported.load(Relaxed),
            self.given_up.load(Relaxed),
            sample.rss >> 20,
            sample.handles,
            self.months.load(Relaxed),
            bytes >> 20
        );
        for (what, count) in &noted.work {
            let _ = write!(line, " {what} {count},");
        }
        let (took, slowest) = noted.slowest;
        let _ = write!(
            line,
            " {} questions, {} of them for want of raw hits refused, slowest {slowest} in {} ms; {} failures",
            noted.questions + noted.refused,
            noted.refused,
            took.as_millis(),
            noted.failures.values().sum::<u64>()
        );
        line
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn with_causes(what: &str, error: &Error) -> String {
    let mut text = format!("{what}: {error}");
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}

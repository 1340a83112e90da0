//! How a directory is, and what is to be done about it: also where nothing can be read.

mod contents;
mod disk;
mod holder;
mod pages;
mod writer;

use std::path::Path;

use serde::Serialize;

use super::{Reports, health, parts};
use crate::{
    clock::{Clock, Millis},
    error::Error,
    store::Snapshot,
};

/// What was found, most serious first, see [`Diagnosis::of`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Diagnosis {
    /// What was found; empty if all is well.
    pub findings: Vec<Finding>,
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// What it is, in a word for programs, such as `disk_space`.
    pub code: &'static str,
    /// What was found.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Severity {
    /// Good to know; nothing is to be done now.
    Note,
    /// Something is to be done, and there is time.
    Warning,
    /// Hits are lost, or numbers cannot be answered.
    Problem,
}

impl Finding {
    pub(crate) fn new(severity: Severity, code: &'static str, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { severity, code, what: what.into(), remedy: remedy.into() }
    }
}

impl Diagnosis {
    /// Looks at a directory, for some two seconds at most at the pages of its files, newest months first; what there was no time for is a
    /// note. [`Reports::verify`] looks into every byte. Whatever keeps it from looking is a finding, not an error.
    ///
    /// ```
    /// use tower_analytics::{Analytics, Hit, report::Diagnosis};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// let analytics = Analytics::open(dir.path())?;
    /// analytics.record(&Hit::new("GET", "/items"));
    /// analytics.flush()?;
    /// let diagnosis = Diagnosis::of(dir.path());
    /// assert!(!diagnosis.needs_action(), "{:?}", diagnosis.findings);
    /// assert!(Diagnosis::of("nowhere").needs_action());
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn of(directory: impl AsRef<Path>) -> Self {
        Self::at(directory.as_ref(), Clock::system())
    }

    pub(crate) fn at(directory: &Path, clock: Clock) -> Self {
        let mut findings = Vec::new();
        let now = clock.millis();
        if disk::is_there(directory, &mut findings) {
            contents::legacy(directory, &mut findings);
            let read = contents::is_recorded(directory, &mut findings);
            let read = read.then(|| Reports::new(directory, clock).inspect(|snapshot| inside(snapshot, now)));
            let inside = read.map(|read| read.unwrap_or_else(|error| vec![unreadable(&error)]));
            let holder = holder::of(directory);
            let is_recording = holder.is_some();
            disk::files(directory, is_recording, &mut findings);
            let is_ours = inside.is_some();
            findings.extend(inside.unwrap_or_default());
            if is_ours {
                pages::check(directory, &mut findings);
            }
            findings.extend(holder.map(|holder| Finding::new(Severity::Note, "recording", holder, "nothing")));
        }
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        Self { findings }
    }

    /// Whether something is to be done.
    #[must_use]
    pub fn needs_action(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity > Severity::Note)
    }
}

/// What analytics.db itself says.
fn inside(snapshot: &mut Snapshot<'_>, now: Millis) -> Result<Vec<Finding>, Error> {
    let (mut findings, health) = (Vec::new(), health::ask(snapshot, now)?);
    let parts = parts::ask(snapshot)?;
    writer::check(snapshot, &health, now, &mut findings)?;
    contents::parts(snapshot, &health, &parts, now, &mut findings);
    disk::space(snapshot.directory(), &parts, &mut findings);
    contents::dictionaries(snapshot, now, &mut findings)?;
    Ok(findings)
}

fn unreadable(error: &Error) -> Finding {
    let remedy = "check who owns the files; restore analytics.db from a backup if it is damaged";
    Finding::new(Severity::Problem, "unreadable", error.chain(), remedy)
}

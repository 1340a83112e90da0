//! Whoever records, or did last: what it said of itself, and the work it was asked to do.

use super::{Finding, Severity};
use crate::{
    clock::Millis,
    counters::Counters,
    error::Error,
    report::{Health, base::buckets::time_text},
    store::{Context, Snapshot, is_free},
};

pub(super) fn check(snapshot: &Snapshot<'_>, health: &Health, now: Millis, findings: &mut Vec<Finding>) -> Result<(), Error> {
    heartbeat(snapshot, health, findings);
    drops(&health.counters, findings);
    jobs(snapshot, now, findings)
}

fn heartbeat(snapshot: &Snapshot<'_>, health: &Health, findings: &mut Vec<Finding>) {
    let last = health.heartbeat.map_or_else(|| "never".to_owned(), |beat| time_text(crate::clock::to_millis(beat)));
    if is_free(snapshot.directory()) {
        let what = format!("nobody records here; a writer last said that it lives: {last}");
        findings.push(Finding::new(Severity::Warning, "not_recording", what, "start the service, unless it is stopped on purpose"));
    } else if !health.recording {
        let what = format!("the lock is held, but its holder last said that it lives: {last}");
        let remedy =
            "read the service's log and restart it: it hangs, was stopped by a signal, or cannot write; or this machine's clock is wrong";
        findings.push(Finding::new(Severity::Problem, "heartbeat", what, remedy));
    }
}

fn drops(counters: &Counters, findings: &mut Vec<Finding>) {
    let remedies = [
        "the disk is too slow or a fault held it up: read the log; recording.queue_bytes makes the queue longer",
        "requests came after the service had shut its recorder down: shut down the recorder last",
        "a panic in the writer or a plugin: the log says which; please report it",
        "the store refused to the end, or they came late for a month whose file is damaged: the log says why; look at disk space and rights",
        "hits came late for a month that was archived or dropped: restore it if they matter",
        "a clock or a caller said a time before 1970 or after 9998: correct it",
    ];
    for ((cause, hits), remedy) in counters.by_cause().into_iter().zip(remedies).filter(|((_, hits), _)| *hits > 0) {
        let what = format!("{hits} hits were dropped since the last writer began: {cause}");
        findings.push(Finding::new(Severity::Problem, "dropped", what, remedy));
    }
    if counters.hooks_removed > 0 {
        let what = format!("{} hooks of plugins panicked and were removed", counters.hooks_removed);
        findings.push(Finding::new(Severity::Warning, "hooks", what, "the log says which; they are back after a restart"));
    }
    if counters.faults > 0 {
        let what = format!("the store refused {} writes since the last writer began; each was tried again", counters.faults);
        findings.push(Finding::new(Severity::Note, "faults", what, "the log says why"));
    }
}

/// What failed longer ago is history.
const LATELY: i64 = 7 * 86_400;

fn jobs(snapshot: &Snapshot<'_>, now: Millis, findings: &mut Vec<Finding>) -> Result<(), Error> {
    let is_free = is_free(snapshot.directory());
    let mut add = || -> rusqlite::Result<()> {
        let mut statement = snapshot.main().prepare_cached("select id, kind, state, message, changed from jobs order by id")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (id, kind, state): (i64, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let (message, changed): (String, i64) = (row.get(3)?, row.get(4)?);
            if state == "failed" && changed >= now / 1000 - LATELY {
                let what = format!("the job {kind} (number {id}) failed: {message}");
                findings.push(Finding::new(Severity::Warning, "job_failed", what, "put right what it says, and ask for it again"));
            }
            if ["waiting", "running"].contains(&&*state) && !message.is_empty() {
                let what = format!("the job {kind} (number {id}) is not done: {message}");
                let remedy =
                    "read the log for what stops or kills the process meanwhile; a job that crashes it is a fault: please report it";
                findings.push(Finding::new(Severity::Problem, "job_interrupted", what, remedy));
            }
            if state == "waiting" && is_free {
                let what = format!("the job {kind} (number {id}) waits, and nobody records who would do it");
                findings.push(Finding::new(Severity::Warning, "job_waiting", what, "start the service"));
            }
        }
        Ok(())
    };
    add().context("read the jobs in analytics.db")
}

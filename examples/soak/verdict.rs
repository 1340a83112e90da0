//! Whether all of it is true in the end.

use std::{path::Path, sync::atomic::Ordering::Relaxed, time::Duration};

use tower_analytics::{Analytics, Ask, Bots, Error, Reports};

use crate::{
    care,
    gauge::{Sample, medians},
    tally::Tally,
};

/// What must have been done.
const WORK: [&str; 10] = ["archive", "backup", "forget", "import", "merge", "reprocess", "restore", "retention", "vacuum", "verify"];
/// So much memory may be more than it was: a fifth of it, and this.
const MEMORY: u64 = 16 << 20;
const HANDLES: u64 = 6;
/// Seconds until as much is given up as comes: before, all of it grows.
const SETTLED: usize = 100;

/// Everything that is wrong.
pub(crate) fn of(analytics: &Analytics, data: &Path, tally: &Tally, samples: &[Sample]) -> Result<Vec<String>, Error> {
    let mut wrong = tally.failures();
    let done = tally.done();
    wrong.extend(WORK.iter().filter(|work| !done.contains_key(*work)).map(|work| format!("{work} was never done: let it run longer")));
    is_flat(samples, &mut wrong);
    analytics.flush()?;
    let total = all_is_there(analytics, tally, &mut wrong)?;
    is_sound(analytics, total, &mut wrong)?;
    analytics.shutdown(Duration::from_secs(60))?;
    let left = hits(&Reports::open(data)?)?;
    same("after a clean stop", left, "before it", total, &mut wrong);
    Ok(wrong)
}

fn is_flat(samples: &[Sample], wrong: &mut Vec<String>) {
    let (before, after) = medians(samples, |sample| sample.rss);
    let (few, many) = medians(samples, |sample| sample.handles);
    let flat = format!("{} MB, then {} MB of memory; {few}, then {many} handles", before >> 20, after >> 20);
    println!("Medians of the second and of the last quarter: {flat}.");
    if samples.len() / 4 < SETTLED {
        println!("The run was too short to say whether they are flat: that takes {} minutes.", (4 * SETTLED).div_ceil(60));
    } else if after > before + before / 5 && after > before + MEMORY || many > few + HANDLES {
        wrong.push(format!("not flat: {flat}"));
    }
}

/// How many hits there are.
fn all_is_there(analytics: &Analytics, tally: &Tally, wrong: &mut Vec<String>) -> Result<u64, Error> {
    let (sent, imported, given_up) = (tally.sent.load(Relaxed), tally.imported.load(Relaxed), tally.given_up.load(Relaxed));
    let counters = analytics.counters();
    let (written, dropped) = (counters.written, counters.dropped());
    let causes: Vec<String> = counters.by_cause().iter().map(|(cause, count)| format!("{cause} {count}")).collect();
    println!("{sent} hits sent: {written} stored and {dropped} dropped ({}).", causes.join(", "));
    same("stored and dropped", written + dropped, "sent", sent, wrong);
    let (total, listed) = (hits(&analytics.reports())?, analytics.reports().stored()?.hits);
    println!("{written} stored and {imported} imported: {total} counted and {given_up} given up; {listed} listed by part.");
    same("counted and given up", total + given_up, "stored and imported", written + imported, wrong);
    same("listed by part", listed, "counted", total, wrong);
    Ok(total)
}

/// All months come back: what is put away cannot be compared.
fn is_sound(analytics: &Analytics, total: u64, wrong: &mut Vec<String>) -> Result<(), Error> {
    let reports = analytics.reports().time_limit(Duration::from_secs(600));
    let months = care::put_away(&reports)?;
    let months: Vec<&str> = months.iter().map(String::as_str).collect();
    if !months.is_empty() {
        analytics.maintenance().restore(&months, false, |_, _| {})?;
    }
    let check = reports.check()?.into_inner();
    let raw: u64 = check.months.iter().map(|month| month.raw).sum();
    same("raw hits, one by one", raw, "counted", total, wrong);
    let disagree = check.months.iter().filter(|month| month.raw != month.daily || month.raw != month.slots);
    wrong.extend(disagree.map(|month| format!("roll-ups and raw hits disagree: {month:?}")));
    let verified = reports.verify(|_, _| {})?;
    wrong.extend(verified.faults.iter().map(|fault| format!("{}, {}, {}: {}", fault.file, fault.table, fault.key, fault.what)));
    println!(
        "{} archived months back; {raw} raw hits of {} parts checked, {} hits in {} files verified: {} faults.",
        months.len(),
        check.months.len(),
        verified.hits,
        verified.files,
        verified.faults.len()
    );
    Ok(())
}

/// Of people and bots.
fn hits(reports: &Reports) -> Result<u64, Error> {
    Ok(reports.stats(&Ask::all_time().bots(Bots::Include))?.total_hits)
}

fn same(what: &str, is: u64, of: &str, should: u64, wrong: &mut Vec<String>) {
    if is != should {
        wrong.push(format!("{is} hits {what}, but {should} {of}"));
    }
}

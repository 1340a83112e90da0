//! All that can be done to what is stored, in turn.

use std::{fs, io, path::Path, sync::atomic::Ordering::Relaxed, thread, time::Duration};

use fastrand::Rng;
use jiff::Timestamp;
use tower_analytics::{Analytics, Ask, Clock, Error, Maintenance, Page, Reports, RetentionRules, report::UserOrder};

use crate::{
    load::USERS,
    tally::{Tally, with_causes},
};

/// Months that ended longer ago than this are put away.
const OLD: &str = "45d";
/// And longer than this, given up altogether: memory and files can only stay flat if there is not ever more to answer from.
const TOO_OLD: &str = "120d";
/// So many lines an access log has.
const LINES: u64 = 500;

pub(crate) fn run(analytics: &Analytics, clock: &Clock, scratch: &Path, tally: &Tally) {
    let (maintenance, reports, mut rng) = (analytics.maintenance(), analytics.reports(), Rng::with_seed(4711));
    for turn in 0.. {
        let done = match turn % 8 {
            0 => archive(&maintenance, tally),
            1 => restore(&maintenance, &reports, &mut rng, tally),
            // Each brings a raw file of its own, and nobody imports every few days.
            2 if turn % 32 == 2 => import(&maintenance, clock, scratch, tally),
            2 | 3 => reprocess(&maintenance, &reports, turn, tally),
            4 => merge(&maintenance, &reports, &mut rng, tally),
            5 => {
                let user = format!("user-{}", rng.u64(..USERS));
                tally.work("forget", maintenance.forget_user(&user, |_, _| {}));
                Ok(())
            }
            6 => retention(&maintenance, tally),
            _ => {
                tally.work("vacuum", maintenance.vacuum(|_, _| {}));
                Ok(())
            }
        };
        if let Err(error) = done {
            tally.failed(with_causes("a look at what is there", &error));
        }
        if tally.is_over() {
            return;
        }
        thread::sleep(Duration::from_millis(500));
    }
}

fn archive(maintenance: &Maintenance, tally: &Tally) -> Result<(), Error> {
    tally.work("archive", maintenance.archive(OLD, None, |_, _| {}));
    Ok(())
}

fn retention(maintenance: &Maintenance, tally: &Tally) -> Result<(), Error> {
    let mut rules = RetentionRules::default();
    rules.drop_all_after = Some(TOO_OLD.to_owned());
    if let Some(done) = tally.work("retention", maintenance.retention(&rules, |_, _| {})) {
        tally.given_up.fetch_add(done.parts.iter().map(|part| part.hits).sum(), Relaxed);
    }
    Ok(())
}

/// One month that was put away comes back, until it is archived again. Every other time its archive is deleted.
fn restore(maintenance: &Maintenance, reports: &Reports, rng: &mut Rng, tally: &Tally) -> Result<(), Error> {
    let months = put_away(reports)?;
    if let Some(month) = rng.choice(&months) {
        tally.work("restore", maintenance.restore(&[month], rng.bool(), |_, _| {}));
    }
    Ok(())
}

/// Months of which raw hits are put away.
pub(crate) fn put_away(reports: &Reports) -> Result<Vec<String>, Error> {
    let parts = reports.parts()?.into_inner();
    let mut months: Vec<String> = parts.into_iter().filter(|part| part.state == "archived").map(|part| part.month).collect();
    months.sort_unstable();
    months.dedup();
    Ok(months)
}

/// The last month, or everything that has raw hits.
fn reprocess(maintenance: &Maintenance, reports: &Reports, turn: u64, tally: &Tally) -> Result<(), Error> {
    let parts = reports.parts()?.into_inner();
    let last = parts.iter().filter(|part| part.state == "open" || part.state == "sealed").map(|part| &*part.month).max();
    let month: Vec<&str> = last.into_iter().filter(|_| turn.is_multiple_of(2)).collect();
    tally.work("reprocess", maintenance.reprocess_months(&month, |_, _| {}));
    let mut months: Vec<&str> = parts.iter().filter(|part| part.state != "dropped").map(|part| &*part.month).collect();
    months.sort_unstable();
    months.dedup();
    tally.months.store(months.len() as u64, Relaxed);
    Ok(())
}

/// The access log of the last few days, of another server.
fn import(maintenance: &Maintenance, clock: &Clock, scratch: &Path, tally: &Tally) -> Result<(), Error> {
    let log = scratch.join("access.log");
    if let Err(error) = write(&log, clock) {
        tally.failed(format!("{}: {error}", log.display()));
        return Ok(());
    }
    if let Some(report) = tally.work("import", maintenance.import_access_log([log], &["/items/{id}"], |_, _| {})) {
        tally.imported.fetch_add(report.hits, Relaxed);
        if report.hits != LINES {
            tally.failed(format!("an import stored {} of {LINES} hits", report.hits));
        }
    }
    Ok(())
}

fn write(log: &Path, clock: &Clock) -> io::Result<()> {
    let mut text = String::new();
    for line in 0..LINES {
        let at = clock.now() - Duration::from_secs(600 * (LINES - line));
        let at = Timestamp::try_from(at).map_err(io::Error::other)?.strftime("%d/%b/%Y:%H:%M:%S +0000");
        let (user, item) = (line % 50, line % 7);
        text += &format!("203.0.113.{user} - user-{user} [{at}] \"GET /items/{item} HTTP/1.1\" 200 512 \"-\" \"curl/8.5.0\"\n");
    }
    fs::write(log, text)
}

/// Two of those who do most turn out to be one person.
fn merge(maintenance: &Maintenance, reports: &Reports, rng: &mut Rng, tally: &Tally) -> Result<(), Error> {
    let users = reports.users(&Ask::last_days(30), UserOrder::Actions, &Page::first(100))?.into_inner().users;
    let (from, into) = (rng.choice(&users), rng.choice(&users));
    if let (Some(from), Some(into)) = (from, into)
        && from.user_id != into.user_id
    {
        tally.work("merge", maintenance.merge_users(&from.user_id, &into.user_id));
    }
    Ok(())
}

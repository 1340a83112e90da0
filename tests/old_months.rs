//! A month that is over, and whose file is damaged: nobody records into it, so it keeps nobody from recording, nor from a clean stop.

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, UNIX_EPOCH},
};

use common::{
    damage::{DAMAGES, overwritten},
    parts, until,
};
use rusqlite::Connection;
use tower_analytics::{Analytics, Ask, Clock, Hit, State, report::Diagnosis};

const JANUARY: u64 = 1_767_225_600;
const DAY: u64 = 86_400;

fn at(day: u64) -> Clock {
    Clock::manual(UNIX_EPOCH + Duration::from_secs(JANUARY + day * DAY))
}

fn open(directory: &Path, clock: &Clock) -> Analytics {
    Analytics::builder(directory).clock(clock.clone()).build().unwrap()
}

fn record(analytics: &Analytics, hits: usize) {
    for n in 0..hits {
        let mut hit = Hit::new("GET", ["/items", "/orders"][n % 2]);
        hit.set_user(&format!("user {}", n % 7));
        analytics.recorder().send(&hit, Duration::from_secs(10)).unwrap();
    }
}

fn late(analytics: &Analytics, user: &str) {
    let mut hit = Hit::new("GET", "/items");
    hit.set_user(user);
    hit.set_at(UNIX_EPOCH + Duration::from_secs(JANUARY + 5 * DAY));
    analytics.recorder().send(&hit, Duration::from_secs(10)).unwrap();
}

fn hits(analytics: &Analytics) -> u64 {
    analytics.reports().stats(&Ask::all_time()).unwrap().total_hits
}

fn state_of_january(analytics: &Analytics) -> &'static str {
    analytics.reports().health().unwrap().parts[0].state
}

/// It records, counts and stops as if there were no January.
fn is_well(analytics: &Analytics, clock: &Clock, all: u64) {
    for _ in 0..5 {
        analytics.flush().unwrap();
        assert_eq!(analytics.state(), State::Recording, "{:?}", analytics.recorder().fault());
        clock.advance(Duration::from_secs(700));
    }
    assert_eq!((hits(analytics), analytics.counters().faults, analytics.counters().dropped()), (all, 0, 0));
}

/// January with 500 hits, complete, in March.
fn sealed() -> (tempfile::TempDir, Clock) {
    let directory = tempfile::tempdir().unwrap();
    let clock = at(0);
    let analytics = open(directory.path(), &clock);
    record(&analytics, 500);
    analytics.flush().unwrap();
    clock.advance(Duration::from_secs(70 * DAY));
    (0..4).for_each(|_| analytics.flush().unwrap());
    analytics.shutdown(Duration::from_secs(30)).unwrap();
    (directory, clock)
}

#[test]
fn a_month_that_is_damaged_before_it_is_sealed_is_said_and_sealed_once_its_file_is_back() {
    for (what, damage) in DAMAGES {
        let directory = tempfile::tempdir().unwrap();
        let clock = at(0);
        let analytics = open(directory.path(), &clock);
        record(&analytics, 500);
        analytics.flush().unwrap();
        clock.advance(Duration::from_secs(70 * DAY));
        record(&analytics, 100);
        // The first completes what analytics.db says of the month, the next would make its file a plain one.
        analytics.flush().unwrap();
        let file = parts(directory.path()).remove(0).1;
        let log = Connection::open(&file).unwrap();
        log.query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(())).unwrap();
        drop(log);
        let good = fs::read(&file).unwrap();
        damage(&file);
        is_well(&analytics, &clock, 600);
        if !what.starts_with("flipped") {
            assert_eq!(state_of_january(&analytics), "damaged", "{what}");
        }
        fs::write(&file, good).unwrap();
        is_well(&analytics, &clock, 600);
        assert_eq!(state_of_january(&analytics), "sealed", "{what}");
        let mode: String = Connection::open(&file).unwrap().query_row("pragma journal_mode", [], |row| row.get(0)).unwrap();
        assert_eq!(mode, "delete", "{what}");
        analytics.shutdown(Duration::from_secs(30)).unwrap();
        assert!(analytics.reports().verify(|_, _| {}).unwrap().is_sound(), "{what}");
    }
}

#[test]
fn a_start_goes_on_without_a_sealed_month_that_is_damaged_and_has_it_again_at_the_next_one() {
    for (what, damage) in DAMAGES {
        let (directory, clock) = sealed();
        let file = parts(directory.path()).remove(0).1;
        let good = fs::read(&file).unwrap();
        damage(&file);
        let analytics = open(directory.path(), &clock);
        record(&analytics, 100);
        is_well(&analytics, &clock, 600);
        analytics.shutdown(Duration::from_secs(30)).unwrap();
        fs::write(&file, good).unwrap();
        let analytics = open(directory.path(), &clock);
        is_well(&analytics, &clock, 600);
        assert_eq!(state_of_january(&analytics), "sealed", "{what}");
        analytics.maintenance().reprocess(|_, _| {}).unwrap();
        analytics.shutdown(Duration::from_secs(30)).unwrap();
        assert!(analytics.reports().verify(|_, _| {}).unwrap().is_sound(), "{what}");
    }
}

#[test]
fn a_damaged_month_is_named_by_the_diagnosis() {
    let (directory, _) = sealed();
    overwritten(&parts(directory.path()).remove(0).1);
    let findings = Diagnosis::of(directory.path()).findings;
    assert!(findings.iter().any(|finding| finding.code == "part_damaged" && finding.what.contains("analytics-202601.db")), "{findings:?}");
}

/// Its sessions end with it, and cannot be put away: they and their hits wait for the file.
#[test]
fn a_month_whose_file_is_damaged_when_it_ends_waits_for_it_while_the_next_one_is_counted() {
    for (what, damage) in DAMAGES {
        let directory = tempfile::tempdir().unwrap();
        let clock = at(30);
        let analytics = open(directory.path(), &clock);
        record(&analytics, 2000);
        analytics.flush().unwrap();
        // Of these nothing was counted yet.
        record(&analytics, 500);
        until("they are written", || analytics.counters().written == 2500);
        let file = parts(directory.path()).remove(0).1;
        let settle = || {
            let log = Connection::open(&file).unwrap();
            log.query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(())).unwrap();
        };
        settle();
        let good = fs::read(&file).unwrap();
        damage(&file);
        clock.advance(Duration::from_secs(DAY + 60));
        record(&analytics, 100);
        late(&analytics, "late");
        let counted = |least: u64| {
            analytics.flush().unwrap();
            assert_eq!(analytics.state(), State::Recording, "{what}: {:?}", analytics.recorder().fault());
            let counters = analytics.counters();
            assert_eq!((counters.written + counters.dropped_storage, counters.dropped() - counters.dropped_storage), (2601, 0), "{what}");
            assert!(hits(&analytics) >= least, "{what}: {}", hits(&analytics));
        };
        (0..3).for_each(|_| counted(2100));
        // With what is left of the others it may do all that it has to.
        let is_unusable = what.starts_with("overwritten");
        if is_unusable {
            assert_eq!(
                (hits(&analytics), state_of_january(&analytics), analytics.counters().dropped_storage),
                (2100, "damaged", 1),
                "{what}"
            );
            fs::write(&file, good).unwrap();
        }
        let all = 2601 - analytics.counters().dropped_storage;
        (0..3).for_each(|_| counted(all));
        if !is_unusable {
            continue;
        }
        clock.advance(Duration::from_secs(3 * DAY));
        until("it is sealed", || analytics.flush().is_ok() && state_of_january(&analytics) == "sealed");
        analytics.shutdown(Duration::from_secs(30)).unwrap();
        let verified = analytics.reports().verify(|_, _| {}).unwrap();
        assert!(verified.is_sound(), "{what}: {:?}", verified.faults);
    }
}

/// January with 2000 hits that are counted and 500 that wait for its file, which is damaged; and 100 of February.
struct Held {
    directory: tempfile::TempDir,
    clock: Clock,
    analytics: Analytics,
    file: PathBuf,
    good: Vec<u8>,
}

fn held() -> Held {
    let directory = tempfile::tempdir().unwrap();
    let clock = at(30);
    let analytics = open(directory.path(), &clock);
    record(&analytics, 2000);
    analytics.flush().unwrap();
    record(&analytics, 500);
    until("they are written", || analytics.counters().written == 2500);
    let file = parts(directory.path()).remove(0).1;
    Connection::open(&file).unwrap().query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(())).unwrap();
    let good = fs::read(&file).unwrap();
    overwritten(&file);
    clock.advance(Duration::from_secs(DAY + 60));
    record(&analytics, 100);
    analytics.flush().unwrap();
    assert_eq!(hits(&analytics), 2100, "what waits is held back");
    Held { directory, clock, analytics, file, good }
}

/// Nobody waits for it, and nothing of it is counted twice: what a stop leaves is what a start finds.
#[test]
fn what_waits_for_a_damaged_file_when_the_service_stops_is_counted_once_the_file_is_back() {
    let Held { directory, clock, analytics, file, good } = held();
    analytics.shutdown(Duration::from_secs(30)).unwrap();
    fs::write(&file, good).unwrap();
    let analytics = open(directory.path(), &clock);
    analytics.flush().unwrap();
    assert_eq!(hits(&analytics), 2600);
    clock.advance(Duration::from_secs(3 * DAY));
    until("it is sealed", || analytics.flush().is_ok() && state_of_january(&analytics) == "sealed");
    analytics.shutdown(Duration::from_secs(30)).unwrap();
    let verified = analytics.reports().verify(|_, _| {}).unwrap();
    assert!(verified.is_sound(), "{:?}", verified.faults);
}

/// As the fault says: what it held is gone, what was counted of it is not.
#[test]
fn what_waits_for_a_damaged_file_is_counted_and_stays_so_once_the_file_is_moved_away() {
    let Held { directory, clock, analytics, file, .. } = held();
    fs::rename(&file, directory.path().join("damaged")).unwrap();
    until("it is counted", || analytics.flush().is_ok() && hits(&analytics) == 2600);
    analytics.shutdown(Duration::from_secs(30)).unwrap();
    let analytics = open(directory.path(), &clock);
    analytics.flush().unwrap();
    assert_eq!(hits(&analytics), 2600, "after a restart, too");
    analytics.shutdown(Duration::from_secs(30)).unwrap();
}

/// They can never be stored, and all that comes after them can.
#[test]
fn late_hits_of_a_sealed_month_that_is_damaged_are_dropped_and_counted_and_what_is_recorded_beside_them_is_not() {
    let (directory, clock) = sealed();
    let file = parts(directory.path()).remove(0).1;
    let good = fs::read(&file).unwrap();
    overwritten(&file);
    let analytics = open(directory.path(), &clock);
    late(&analytics, "late");
    record(&analytics, 100);
    late(&analytics, "later");
    analytics.flush().unwrap();
    clock.advance(Duration::from_secs(3 * DAY));
    analytics.flush().unwrap();
    let counters = analytics.counters();
    assert_eq!((counters.written, counters.dropped_storage, counters.dropped(), counters.faults), (100, 2, 2, 0), "{counters:?}");
    assert_eq!((analytics.state(), hits(&analytics)), (State::Recording, 600));
    fs::write(&file, good).unwrap();
    late(&analytics, "after all");
    analytics.flush().unwrap();
    assert_eq!((analytics.counters().dropped(), hits(&analytics)), (2, 601));
    clock.advance(Duration::from_secs(3 * DAY));
    until("it is sealed again", || analytics.flush().is_ok() && state_of_january(&analytics) == "sealed");
    analytics.shutdown(Duration::from_secs(30)).unwrap();
    let verified = analytics.reports().verify(|_, _| {}).unwrap();
    assert!(verified.is_sound(), "{:?}", verified.faults);
}

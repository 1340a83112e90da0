//! A clock that steps and is set right again, while rules say what becomes of old months: nothing is taken away by a time that never was.

mod common;

use std::{
    path::Path,
    time::{Duration, SystemTime},
};

use common::{oracle, parts, until};
use jiff::Timestamp;
use rusqlite::Connection;
use tower_analytics::{Analytics, Ask, Clock, Hit};

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

fn at(text: &str) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(text.parse::<Timestamp>().unwrap().as_millisecond() as u64)
}

struct Service {
    analytics: Analytics,
    clock: Clock,
    directory: tempfile::TempDir,
    sent: u64,
}

impl Service {
    /// Has recorded a hit every few days since August, so that there are months for each of the rules soon.
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let clock = Clock::manual(at("2026-08-10T10:00:00Z"));
        let mut service = Self { analytics: open(directory.path(), &clock), clock, directory, sent: 0 };
        while service.clock.now() < at("2026-10-30T10:00:00Z") {
            service.hit();
            service.analytics.flush().unwrap();
            service.clock.advance(4 * DAY);
        }
        service.clock.set(at("2026-10-30T10:00:00Z"));
        service.analytics.flush().unwrap();
        service
    }

    fn hit(&mut self) {
        let mut hit = Hit::new("GET", "/items");
        hit.set_user(&format!("user {}", self.sent % 7));
        self.analytics.record(&hit);
        self.sent += 1;
    }

    /// Some traffic over a minute, with everything that the writer does now and then.
    fn minute(&mut self) {
        for _ in 0..4 {
            self.hit();
            self.clock.advance(Duration::from_secs(15));
            self.analytics.flush().unwrap();
        }
    }

    fn restart(&mut self) {
        self.analytics.shutdown(Duration::from_secs(30)).unwrap();
        self.analytics = open(self.directory.path(), &self.clock);
        self.analytics.flush().unwrap();
    }

    /// Nothing was asked for, every month has its raw hits, and each hit is there once.
    fn has_all(&self, what: &str) {
        let reports = self.analytics.reports();
        assert!(reports.jobs().unwrap().jobs.is_empty(), "{what}: {:?}", reports.jobs());
        let counters = self.analytics.counters();
        assert_eq!((counters.dropped(), counters.faults, counters.panics), (0, 0, 0), "{what}: {counters:?}");
        assert_eq!(reports.stats(&Ask::all_time()).unwrap().total_hits, self.sent, "{what}");
        assert!(reports.check().unwrap().is_sound() && reports.verify(|_, _| {}).unwrap().is_sound(), "{what}");
        let raw: i64 = parts(self.directory.path()).iter().map(|(month, file)| rows(*month, file)).sum();
        assert_eq!(raw as u64, self.sent, "{what}: in the raw files");
    }

    fn states(&self) -> Vec<(String, &'static str)> {
        let health = self.analytics.reports().health().unwrap();
        health.parts.iter().map(|part| (part.month.clone(), part.state)).collect()
    }
}

fn open(directory: &Path, clock: &Clock) -> Analytics {
    let builder = Analytics::builder(directory).clock(clock.clone()).batch_age(Duration::from_millis(1));
    builder.archive_after("4 months").drop_raw_after("6 months").drop_all_after("1 year").build().unwrap()
}

fn rows(month: i64, file: &Path) -> i64 {
    let count = format!("select count(*) from session_actions_{month}");
    Connection::open(file).unwrap().query_row(&count, [], |row| row.get(0)).unwrap()
}

#[test]
fn no_step_of_the_clock_that_is_taken_back_puts_away_or_drops_anything() {
    let forwards = [HOUR, DAY, 3 * DAY, 31 * DAY, 200 * DAY, 366 * DAY, 3660 * DAY];
    for step in forwards {
        for restarts in [false, true] {
            let mut service = Service::new();
            let right = service.clock.now();
            service.clock.set(right + step);
            if restarts {
                service.restart();
            }
            service.minute();
            service.has_all(&format!("{step:?} ahead"));
            service.clock.set(right + Duration::from_secs(60));
            if restarts {
                service.restart();
            }
            service.minute();
            service.has_all(&format!("{step:?} ahead and back"));
            // The look that comes with the next day does not go by what the clock said in between.
            for _ in 0..2 {
                service.clock.advance(DAY);
                service.minute();
            }
            service.has_all(&format!("days after {step:?} ahead and back"));
            service.analytics.shutdown(Duration::from_secs(30)).unwrap();
            assert_eq!(oracle::check(service.directory.path()) as u64, service.sent);
        }
    }
}

#[test]
fn a_step_back_and_forth_again_loses_nothing_either() {
    // Into no month that the rules would take anyway.
    for step in [HOUR, DAY, 31 * DAY, 100 * DAY] {
        let mut service = Service::new();
        let right = service.clock.now();
        service.clock.set(right - step);
        service.minute();
        service.has_all(&format!("{step:?} back"));
        service.clock.set(right + Duration::from_secs(60));
        service.minute();
        service.has_all(&format!("{step:?} back and right again"));
        service.clock.advance(DAY);
        service.minute();
        service.has_all(&format!("a day after {step:?} back"));
    }
}

/// Its totals would stand for more than they hold.
#[test]
fn a_month_that_was_sealed_too_early_goes_on_once_the_clock_is_right() {
    let mut service = Service::new();
    let right = service.clock.now();
    service.clock.set(right + 31 * DAY);
    service.minute();
    service.analytics.flush().unwrap();
    assert!(service.states().contains(&("202610".to_owned(), "sealed")), "{:?}", service.states());
    service.clock.set(right + Duration::from_secs(60));
    service.minute();
    service.has_all("back in a month that was sealed");
    assert!(service.states().contains(&("202610".to_owned(), "open")), "{:?}", service.states());
}

/// What the doubt costs: a day.
#[test]
fn what_is_old_enough_goes_a_day_later_by_a_clock_that_goes_on() {
    let mut service = Service::new();
    let mut seen = Vec::new();
    // August is to be put away four months after its end, on the 1st of January.
    service.clock.set(at("2026-12-29T12:00:00Z"));
    while service.clock.now() < at("2027-01-04T00:00:00Z") {
        service.minute();
        until("the work of the day is done", || service.analytics.reports().jobs().unwrap().jobs.iter().all(|job| job.state == "done"));
        let days = service.clock.now().duration_since(at("2026-12-29T00:00:00Z")).unwrap().as_secs() / DAY.as_secs();
        seen.push((days, service.states()[0].1));
        service.clock.advance(DAY);
    }
    let first = seen.iter().find(|(_, state)| *state == "archived").map(|(day, _)| *day);
    // Looks are at noon: that of the 1st is the first by which it is due, that of the 2nd goes by it.
    assert_eq!((first, seen[0].1), (Some(4), "sealed"), "{seen:?}");
    assert_eq!(service.analytics.reports().stats(&Ask::all_time()).unwrap().total_hits, service.sent);
}

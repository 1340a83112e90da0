//! Time is a parameter: edges of months and years, clocks that step and jump.

mod common;

use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use common::{parts, tried::number};
use jiff::Timestamp;
use rusqlite::Connection;
use tower_analytics::{Analytics, Ask, Clock, Hit, State, report::Stats};

fn at(text: &str) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(text.parse::<Timestamp>().unwrap().as_millisecond() as u64)
}

struct Recording {
    analytics: Analytics,
    clock: Clock,
    directory: tempfile::TempDir,
    sent: BTreeMap<i64, u64>,
}

impl Recording {
    fn starts(when: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let clock = Clock::manual(at(when));
        Self { analytics: open(directory.path(), &clock), clock, directory, sent: BTreeMap::new() }
    }

    /// At this time, a hit of ann and one of a visitor.
    fn hits(&mut self, when: &str) {
        self.clock.set(at(when));
        let mut ann = Hit::new("GET", "/items");
        ann.set_user("ann");
        self.analytics.record(&ann);
        self.analytics.record(&Hit::new("GET", "/items"));
        let month = when[..7].replace('-', "").parse().unwrap();
        *self.sent.entry(month).or_default() += 2;
    }

    /// Every row lies in the part of its month, and a restart changes nothing; gives the totals.
    fn is_right(&mut self) -> Stats {
        self.analytics.flush().unwrap();
        let counters = self.analytics.counters();
        assert_eq!((counters.faults, counters.panics), (0, 0), "{counters:?}");
        let stats = self.analytics.reports().stats(&Ask::all_time()).unwrap();
        self.analytics.shutdown(Duration::from_secs(30)).unwrap();
        assert_eq!(rows_by_month(self.directory.path()), self.sent);
        assert_eq!(stats.total_hits, self.sent.values().sum::<u64>());
        self.analytics = open(self.directory.path(), &self.clock);
        assert_eq!(self.analytics.reports().stats(&Ask::all_time()).unwrap(), stats, "after a restart");
        stats.into_inner()
    }
}

fn open(directory: &Path, clock: &Clock) -> Analytics {
    Analytics::builder(directory).clock(clock.clone()).build().unwrap()
}

/// Counts the rows of each file; none of them lies outside its month, and the list of parts knows their ends.
fn rows_by_month(directory: &Path) -> BTreeMap<i64, u64> {
    let start = |month: i64| {
        let first = format!("{:04}-{:02}-01T00:00:00Z", month / 100, month % 100);
        first.parse::<Timestamp>().unwrap().as_millisecond()
    };
    let count = |(month, part): (i64, std::path::PathBuf)| {
        let sql = format!("select count(*), min(at), max(at) from session_actions_{month}");
        let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?));
        let (rows, least, greatest) = Connection::open(part).unwrap().query_row(&sql, [], row).unwrap();
        let (begin, end) = (start(month), start(if month % 100 == 12 { month + 89 } else { month + 1 }));
        assert!(least >= 0 && greatest < end - begin, "{month}: {least} to {greatest}");
        let listed = format!(
            "select count(*) from parts where month = {month} and hits = {rows} and least = {} and greatest = {}",
            begin + least,
            begin + greatest
        );
        assert_eq!(number(directory, &listed), 1, "{month}");
        (month, rows as u64)
    };
    parts(directory).into_iter().map(count).collect()
}

/// One batch across the edge, or two batches, or one for each hit.
#[test]
fn traffic_goes_over_edges_of_months_and_years_into_two_parts_and_no_session_does() {
    let edges = [
        ("2026-11-30T23:59:59.999Z", "2026-12-01T00:00:00Z"),
        ("2026-12-31T23:59:59.999Z", "2027-01-01T00:00:00Z"),
        ("2028-02-29T23:59:59.999Z", "2028-03-01T00:00:00Z"),
        ("2100-02-28T23:59:59.999Z", "2100-03-01T00:00:00Z"),
    ];
    for (before, after) in edges {
        for flush_each in [false, true] {
            let mut recording = Recording::starts(before);
            for when in [before, before, after, after] {
                recording.hits(when);
                if flush_each {
                    recording.analytics.flush().unwrap();
                }
            }
            let stats = recording.is_right();
            assert_eq!(recording.sent.values().collect::<Vec<_>>(), [&4, &4]);
            assert_eq!((stats.total_users, stats.visitors, stats.total_sessions, stats.active_sessions), (1, 2, 4, 4), "{before}");
        }
    }
}

/// The day itself, from midnight to midnight.
#[test]
fn the_leap_day_is_a_day_of_february() {
    let mut recording = Recording::starts("2028-02-28T12:00:00Z");
    for when in ["2028-02-28T23:59:59.999Z", "2028-02-29T00:00:00Z", "2028-02-29T12:00:00Z", "2028-02-29T23:59:59.999Z"] {
        recording.hits(when);
    }
    let stats = recording.is_right();
    assert_eq!(recording.sent, BTreeMap::from([(202802, 8)]));
    assert_eq!((stats.visitors, stats.total_sessions), (2, 6), "midnight ends no session, twelve hours do");
}

#[test]
fn a_clock_that_steps_back_loses_nothing() {
    let mut recording = Recording::starts("2026-11-24T10:00:00Z");
    recording.hits("2026-11-24T10:00:00Z");
    recording.hits("2026-11-24T09:00:00Z");
    recording.hits("2026-11-24T09:10:00Z");
    let stats = recording.is_right();
    assert_eq!((stats.total_sessions, stats.active_sessions), (4, 2));
    // By two months, into a part that is not there yet, and back.
    recording.hits("2026-09-24T09:10:00Z");
    recording.hits("2026-09-24T09:20:00Z");
    let stats = recording.is_right();
    assert_eq!((stats.total_sessions, stats.active_sessions), (6, 2));
    recording.hits("2026-11-24T09:20:00Z");
    recording.hits("2026-09-30T23:59:59Z");
    recording.hits("2026-11-24T09:25:00Z");
    recording.is_right();
    assert_eq!(recording.sent, BTreeMap::from([(202609, 6), (202611, 10)]));
}

#[test]
fn a_clock_that_jumps_ahead_by_years_and_comes_back_leaves_nothing_behind() {
    let mut recording = Recording::starts("2026-06-10T10:00:00Z");
    for when in ["2026-06-10T10:00:00Z", "2031-01-31T23:59:59Z", "2099-12-31T23:59:59Z", "2026-06-10T10:01:00Z", "2026-06-10T10:02:00Z"] {
        recording.hits(when);
        recording.analytics.flush().unwrap();
    }
    let stats = recording.is_right();
    assert_eq!(recording.sent, BTreeMap::from([(202606, 6), (203101, 2), (209912, 2)]));
    assert_eq!((stats.total_users, stats.active_sessions), (1, 2));
    // Salts of days that will not come for long would keep a visitor known until then.
    recording.hits("2026-06-10T10:03:00Z");
    recording.is_right();
    let today = at("2026-06-10T00:00:00Z").duration_since(UNIX_EPOCH).unwrap().as_secs() / 86_400;
    for table in ["salts", "visitors"] {
        let others = format!("select count(*) from {table} where day not between {} and {}", today - 1, today + 1);
        assert_eq!(number(recording.directory.path(), &others), 0, "{table}");
    }
}

#[test]
fn impossible_times_are_counted_and_stop_nothing() {
    let mut recording = Recording::starts("2026-06-10T10:00:00Z");
    let impossible = [
        UNIX_EPOCH - Duration::from_millis(1),
        UNIX_EPOCH - Duration::from_secs(1 << 40),
        at("9998-12-31T23:59:59.999Z") + Duration::from_millis(1),
        UNIX_EPOCH + Duration::from_secs(1 << 60),
    ];
    for time in impossible {
        recording.hits("2026-06-10T10:00:00Z");
        let mut hit = Hit::new("GET", "/items");
        hit.set_at(time);
        recording.analytics.record(&hit);
        // And now the clock itself says so.
        recording.clock.set(time);
        recording.analytics.record(&Hit::new("GET", "/items"));
        recording.analytics.flush().unwrap();
    }
    recording.hits("2026-06-10T10:00:01Z");
    recording.analytics.flush().unwrap();
    let counters = recording.analytics.counters();
    assert_eq!((counters.dropped_bad_time, counters.dropped(), counters.written), (8, 8, 10), "{counters:?}");
    assert_eq!(recording.analytics.state(), State::Recording);
    recording.is_right();
    // The first and the last times that have a month.
    recording.hits("1970-01-01T00:00:00Z");
    recording.hits("9998-12-31T23:59:59.999Z");
    recording.is_right();
}

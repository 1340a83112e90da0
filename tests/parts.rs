//! The life of a month: open, sealed, opened again by a late hit, closed, cut short; and reprocessed while hits come in.

mod common;

use std::{
    path::Path,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
    time::{Duration, SystemTime},
};

use common::{oracle, tables, until};
use rusqlite::Connection;
use tower_analytics::{Analytics, Ask, Clock, Hit};

const DAY: Duration = Duration::from_secs(86_400);
/// 2026-10-31T12:00:00Z
const LAST_OF_OCTOBER: Duration = Duration::from_secs(1_793_448_000);

struct Months {
    directory: tempfile::TempDir,
    clock: Clock,
    analytics: Analytics,
}

impl Months {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let clock = Clock::manual(SystemTime::UNIX_EPOCH + LAST_OF_OCTOBER);
        let analytics = open(directory.path(), &clock);
        Self { directory, clock, analytics }
    }

    fn record(&self, user: &str) {
        let mut hit = Hit::new("GET", "/items");
        hit.set_user(user);
        self.analytics.record(&hit);
    }

    fn reopen(&mut self) {
        self.analytics.shutdown(Duration::from_secs(10)).unwrap();
        self.analytics = open(self.directory.path(), &self.clock);
    }

    fn main(&self) -> Connection {
        Connection::open(self.directory.path().join("analytics.db")).unwrap()
    }

    fn part(&self, month: u32) -> Connection {
        Connection::open(self.directory.path().join(format!("analytics-{month}.db"))).unwrap()
    }

    fn states(&self) -> Vec<(i64, String)> {
        oracle::parts(&self.main()).into_iter().map(|(_, month, state)| (month, state)).collect()
    }

    fn check(&self) -> usize {
        self.analytics.flush().unwrap();
        oracle::check(self.directory.path())
    }

    fn users(&self, ask: &Ask) -> u64 {
        self.analytics.reports().stats(ask).unwrap().total_users
    }

    /// October with three users, sealed; it is the 10th of November.
    fn sealed() -> Self {
        let months = Self::new();
        ["ann", "bob", "cyd"].iter().for_each(|user| months.record(user));
        months.analytics.flush().unwrap();
        months.clock.advance(10 * DAY);
        // First the totals, then the file.
        (0..3).for_each(|_| months.analytics.flush().unwrap());
        assert_eq!(months.states(), [(202_610, "sealed".to_owned())]);
        months
    }
}

fn open(directory: &Path, clock: &Clock) -> Analytics {
    Analytics::builder(directory).clock(clock.clone()).batch_age(Duration::from_millis(1)).build().unwrap()
}

#[test]
fn a_month_is_sealed_a_day_after_its_end_and_is_a_plain_file_then() {
    let mut months = Months::new();
    months.record("ann");
    months.clock.advance(DAY + DAY / 4);
    months.analytics.flush().unwrap();
    assert_eq!(months.states(), [(202_610, "open".to_owned())], "it ended eighteen hours ago");
    months.clock.advance(DAY / 2);
    (0..3).for_each(|_| months.analytics.flush().unwrap());
    assert_eq!(months.states(), [(202_610, "sealed".to_owned())]);
    let file = months.directory.path().join("analytics-202610.db");
    assert!(!file.with_extension("db-wal").exists());
    assert_eq!(months.part(202_610).query_row("pragma journal_mode", [], |row| row.get::<_, String>(0)).unwrap(), "delete");
    months.check();
    // A start leaves it as it is.
    let before = std::fs::read(&file).unwrap();
    months.reopen();
    months.record("bob");
    assert_eq!(months.check(), 2);
    assert_eq!(std::fs::read(&file).unwrap(), before);
}

#[test]
fn a_late_hit_opens_a_sealed_month_again_and_its_totals_wait_until_it_is_quiet() {
    let months = Months::sealed();
    let totals = |months: &Months| months.main().query_row("select count(*) from part_totals", [], |row| row.get::<_, i64>(0)).unwrap();
    assert!(totals(&months) > 0);
    let mut late = Hit::new("GET", "/items");
    late.set_user("dan");
    late.set_at(SystemTime::UNIX_EPOCH + LAST_OF_OCTOBER);
    months.analytics.record(&late);
    assert_eq!(months.check(), 4);
    assert_eq!((months.states(), totals(&months)), (vec![(202_610, "open".to_owned())], 0));
    assert_eq!(months.users(&Ask::all_time()), 4);
    months.clock.advance(DAY);
    (0..3).for_each(|_| months.analytics.flush().unwrap());
    assert_eq!(months.states(), [(202_610, "sealed".to_owned())]);
    months.check();
    assert_eq!(months.users(&Ask::all_time()), 4);
}

#[test]
fn ranges_read_totals_inside_and_days_at_their_edges() {
    let months = Months::sealed();
    for (user, wait) in [("ann", 0), ("dan", 1), ("eve", 1)] {
        months.clock.advance(wait * DAY);
        months.record(user);
    }
    months.analytics.flush().unwrap();
    // It is the 12th of November; the 31st of October is twelve days ago.
    let users = |days| months.users(&Ask::last_days(days));
    assert_eq!([users(1), users(2), users(3), users(12), users(13), users(400)], [1, 2, 3, 3, 5, 5]);
    assert_eq!(months.users(&Ask::all_time()), 5);
}

#[test]
fn hits_of_a_closed_month_are_dropped_and_counted() {
    let mut months = Months::sealed();
    months.analytics.maintenance().archive("1d", None, |_, _| {}).unwrap();
    months.reopen();
    let mut late = Hit::new("GET", "/items");
    late.set_at(SystemTime::UNIX_EPOCH + LAST_OF_OCTOBER);
    months.analytics.record(&late);
    months.record("ann");
    months.analytics.flush().unwrap();
    let counters = months.analytics.counters();
    assert_eq!((counters.dropped_closed_month, counters.written, counters.dropped()), (1, 1, 1));
    // What was counted of it stays.
    assert_eq!(months.users(&Ask::all_time()), 3);
    assert_eq!(months.analytics.reports().stats(&Ask::all_time()).unwrap().total_hits, 4);
    assert!(!months.directory.path().join("analytics-202610.db").exists());
}

#[test]
fn roll_ups_of_a_file_that_was_cut_short_are_made_from_what_is_left() {
    let mut months = Months::new();
    ["ann", "bob", "cyd", "dan"].iter().for_each(|user| months.record(user));
    months.check();
    months.analytics.shutdown(Duration::from_secs(10)).unwrap();
    months.part(202_610).execute("delete from session_actions_202610 where id > 2", []).unwrap();
    months.analytics = open(months.directory.path(), &months.clock);
    assert_eq!(months.check(), 2);
    assert_eq!(months.users(&Ask::all_time()), 2);
    // Row numbers are not given twice.
    months.record("eve");
    assert_eq!(months.check(), 3);
    let last: i64 = months.part(202_610).query_row("select max(id) from session_actions_202610", [], |row| row.get(0)).unwrap();
    assert_eq!(last, 5);
}

#[test]
fn a_reprocess_goes_on_while_hits_come_in_over_the_edge_of_a_month() {
    let months = Months::new();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let load = scope.spawn(|| {
            let mut n = 0_u64;
            while !over.load(Relaxed) {
                months.clock.advance(Duration::from_secs(40));
                let mut hit = Hit::new("GET", ["/items", "/orders", "/pay"][n as usize % 3]);
                hit.set_user(&format!("user {}", n * n % 97));
                months.analytics.recorder().send(&hit, Duration::from_secs(10)).unwrap();
                n += 1;
                // A load, and not as much as the queue takes: a month would last a second.
                if n.is_multiple_of(50) {
                    thread::sleep(Duration::from_millis(1));
                }
            }
            n
        });
        until("ten thousand hits are there", || months.analytics.counters().written > 10_000);
        for _ in 0..4 {
            months.analytics.maintenance().reprocess(|done, total| assert!(done <= total * 10)).unwrap();
            // In this very moment, whatever the writer is at, roll-ups and raw hits agree.
            assert!(months.analytics.reports().check().unwrap().is_sound());
        }
        over.store(true, Relaxed);
        let sent = load.join().unwrap();
        assert_eq!(months.check() as u64, sent);
    });
    assert!(months.states().len() > 1, "{:?}", months.states());
    (0..4).for_each(|_| months.analytics.flush().unwrap());
    let before = tables::derived(months.directory.path());
    months.analytics.maintenance().reprocess(|_, _| {}).unwrap();
    tables::assert_same(&before, &tables::derived(months.directory.path()));
}

#[test]
fn visitors_and_their_salts_are_forgotten_after_two_days_and_their_number_stays() {
    let months = Months::new();
    for day in 0..5_u8 {
        for n in 0..=day {
            let mut hit = Hit::new("GET", "/items");
            hit.set_address([10, n, 0, 1].into());
            months.analytics.record(&hit);
            months.analytics.record(&hit);
        }
        months.analytics.flush().unwrap();
        months.clock.advance(DAY);
    }
    let count = |sql: &str| months.main().query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(count("select count(distinct day) from visitors"), 2);
    assert_eq!(count("select count(*) from salts"), 2);
    assert_eq!(count("select count(*) from visitor_days"), 5);
    months.check();
    assert_eq!(months.analytics.reports().stats(&Ask::all_time()).unwrap().visitors, 1 + 2 + 3 + 4 + 5);
}

#[test]
fn what_was_counted_of_a_file_that_is_gone_stays_whatever_comes_after_it() {
    let mut months = Months::new();
    ["ann", "bob", "cyd"].iter().for_each(|user| months.record(user));
    months.check();
    months.analytics.shutdown(Duration::from_secs(10)).unwrap();
    std::fs::remove_file(months.directory.path().join("analytics-202610.db")).unwrap();
    months.analytics = open(months.directory.path(), &months.clock);
    let stats = |months: &Months| {
        let stats = months.analytics.reports().stats(&Ask::all_time()).unwrap();
        (stats.total_hits, stats.total_users, stats.total_sessions)
    };
    assert_eq!(stats(&months), (3, 3, 3));
    // Ann's session goes on, in another quarter of an hour than it began in; Dan's is new.
    months.clock.advance(Duration::from_secs(20 * 60));
    ["ann", "dan"].iter().for_each(|user| months.record(user));
    months.analytics.flush().unwrap();
    assert_eq!(stats(&months), (5, 4, 4));
    assert_eq!(months.analytics.reports().stats(&Ask::all_time()).unwrap().avg_session_duration, Duration::from_secs(5 * 60));
    months.reopen();
    assert_eq!(stats(&months), (5, 4, 4));
    months.analytics.maintenance().reprocess(|_, _| {}).unwrap();
    assert_eq!(stats(&months), (5, 4, 4));
    assert!(months.analytics.reports().check().unwrap().is_sound());
    // Sessions that end make no file either.
    months.analytics.shutdown(Duration::from_secs(10)).unwrap();
    std::fs::remove_file(months.directory.path().join("analytics-202610.db")).unwrap();
    months.analytics = open(months.directory.path(), &months.clock);
    months.clock.advance(DAY / 12);
    months.reopen();
    months.reopen();
    assert_eq!(stats(&months), (5, 4, 4));
    assert_eq!(months.states(), [(202_610, "missing".to_owned())]);
}

#[test]
fn what_was_counted_of_a_file_that_is_gone_stays_after_its_month_is_sealed_and_reprocessed() {
    let mut months = Months::new();
    ["ann", "bob", "cyd"].iter().for_each(|user| months.record(user));
    months.check();
    months.analytics.shutdown(Duration::from_secs(10)).unwrap();
    std::fs::remove_file(months.directory.path().join("analytics-202610.db")).unwrap();
    months.analytics = open(months.directory.path(), &months.clock);
    months.record("dan");
    months.analytics.flush().unwrap();
    months.clock.advance(10 * DAY);
    (0..3).for_each(|_| months.analytics.flush().unwrap());
    assert_eq!(months.states(), [(202_610, "sealed".to_owned())]);
    months.reopen();
    months.analytics.maintenance().reprocess(|_, _| {}).unwrap();
    assert_eq!(months.analytics.reports().stats(&Ask::all_time()).unwrap().total_hits, 4);
    // Nor is that forgotten while it is put away.
    months.analytics.maintenance().archive("1d", None, |_, _| {}).unwrap();
    months.reopen();
    months.analytics.maintenance().restore(&["202610"], false, |_, _| {}).unwrap();
    months.analytics.maintenance().reprocess(|_, _| {}).unwrap();
    assert_eq!(months.analytics.reports().stats(&Ask::all_time()).unwrap().total_hits, 4);
}

#[test]
fn an_older_analytics_db_is_refused_rather_than_raw_hits_given_up() {
    let mut months = Months::new();
    months.record("ann");
    months.analytics.flush().unwrap();
    months.analytics.shutdown(Duration::from_secs(10)).unwrap();
    let main = months.directory.path().join("analytics.db");
    let older = std::fs::read(&main).unwrap();
    months.analytics = open(months.directory.path(), &months.clock);
    months.clock.advance(DAY / 4);
    for user in ["bob", "cyd"] {
        months.record(user);
        months.check();
    }
    months.analytics.shutdown(Duration::from_secs(10)).unwrap();
    std::fs::write(&main, older).unwrap();
    let error = Analytics::open(months.directory.path()).unwrap_err();
    assert!(format!("{error:?}").contains("restore both from one backup"), "{error:?}");
    assert_eq!(oracle::raw(months.directory.path(), 202_610).len(), 3);
}

#[test]
fn a_change_of_zone_that_is_taken_back_halfway_leaves_no_days_of_the_other() {
    let mut months = Months::new();
    let with_zone = |months: &mut Months, zone: &str| {
        months.analytics.shutdown(Duration::from_secs(10)).unwrap();
        let builder = Analytics::builder(months.directory.path()).time_zone(zone).clock(months.clock.clone());
        months.analytics = builder.batch_age(Duration::from_millis(1)).build().unwrap();
    };
    months.clock.advance(DAY / 4);
    months.record("ann");
    months.analytics.flush().unwrap();
    for zone in ["Asia/Kathmandu", "UTC", "America/St_Johns", "UTC"] {
        with_zone(&mut months, zone);
        months.record("bob");
        months.analytics.flush().unwrap();
    }
    until("the roll-ups are made anew", || {
        months.main().query_row("select count(*) from parts where zone = 'UTC'", [], |row| row.get::<_, i64>(0)).unwrap() == 1
    });
    assert_eq!(months.check(), 5);
}

//! `Reports::verify`: a sound directory is called sound, whatever was recorded in it; each damage is found, and named.

mod common;

#[allow(dead_code, reason = "what follows is not asked here")]
#[path = "common/brute/mod.rs"]
mod brute;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use brute::traffic::{PLACES, Traffic, op};
use proptest::prelude::*;
use rusqlite::Connection;
use tower_analytics::{
    Analytics, Clock, ErrorKind, Hit, Reports,
    report::{Fault, Verified},
};

const DAY: Duration = Duration::from_secs(86_400);
/// 2026-10-31T12:00:00Z
const LAST_OF_OCTOBER: Duration = Duration::from_secs(1_793_448_000);

fn verify(directory: &Path) -> Verified {
    Reports::open(directory).unwrap().verify(|_, _| {}).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, max_shrink_iters: 60, ..ProptestConfig::default() })]

    #[test]
    fn whatever_was_recorded_is_sound_beside_its_recorder_and_without_it(
        place in 0..PLACES.len(),
        ops in prop::collection::vec(op(), 1..30),
    ) {
        let mut traffic = Traffic::new(PLACES[place].0, PLACES[place].1);
        for op in &ops {
            traffic.run(op);
        }
        traffic.settle();
        let beside = verify(traffic.directory());
        prop_assert!(beside.is_sound(), "{beside:#?}");
        traffic.analytics.shutdown(Duration::from_secs(30)).unwrap();
        let before = bytes(traffic.directory());
        let without = verify(traffic.directory());
        prop_assert!(without.is_sound(), "{without:#?}");
        prop_assert_eq!(without.hits as usize, brute::World::read(traffic.directory(), traffic.now()).hits.len());
        prop_assert!(before == bytes(traffic.directory()), "a byte has changed");
    }
}

/// Every file and all that is in it.
fn bytes(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    files.map(|file| (file.clone(), fs::read(&file).unwrap())).collect()
}

/// October, sealed, and two days of November, in a directory that nobody records in.
fn months() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let clock = Clock::manual(SystemTime::UNIX_EPOCH + LAST_OF_OCTOBER);
    let analytics = Analytics::builder(directory.path()).clock(clock.clone()).batch_age(Duration::from_millis(1)).build().unwrap();
    let record = |user: &str, status: u16| {
        let mut hit = Hit::new("GET", "/items");
        hit.set_user(user);
        hit.set_status(status);
        hit.set_client("ios", "2.0", "iPhone", "");
        if status == 500 {
            hit.set_error("Lost", "item 7 is lost");
        }
        analytics.record(&hit);
        clock.advance(Duration::from_secs(2));
    };
    for n in 0..30 {
        record(&format!("user {}", n % 5), if n % 7 == 0 { 500 } else { 200 });
    }
    analytics.flush().unwrap();
    clock.advance(10 * DAY);
    for n in 0..30 {
        record(&format!("user {}", n % 4), 200);
    }
    (0..4).for_each(|_| analytics.flush().unwrap());
    clock.advance(DAY / 12);
    record("user 9", 404);
    analytics.shutdown(Duration::from_secs(30)).unwrap();
    directory
}

fn main(directory: &Path) -> Connection {
    Connection::open(directory.join("analytics.db")).unwrap()
}

fn part(directory: &Path, month: u32) -> Connection {
    Connection::open(directory.join(format!("analytics-{month}.db"))).unwrap()
}

fn run(connection: &Connection, sql: impl AsRef<str>) {
    connection.execute(sql.as_ref(), []).unwrap();
}

/// What is found after a damage was done.
fn after(damage: impl FnOnce(&Path)) -> Vec<Fault> {
    let directory = months();
    assert_eq!(verify(directory.path()).faults, []);
    damage(directory.path());
    verify(directory.path()).faults
}

/// Some fault is of this file and table, and says all of this.
#[track_caller]
fn names(faults: &[Fault], file: &str, table: &str, words: &[&str]) {
    let text = |fault: &Fault| format!("{}: {} ({})", fault.key, fault.what, fault.remedy);
    let is_it = |fault: &&Fault| fault.file == file && fault.table == table && words.iter().all(|word| text(fault).contains(word));
    assert!(faults.iter().any(|fault| is_it(&fault)), "no {words:?} of {file} {table} in {faults:#?}");
}

#[test]
fn a_wrong_cell_of_each_roll_up_is_named_with_what_it_should_be() {
    let cells = [
        (
            "aggregated_metrics",
            "hits = hits + 1",
            "slot > 0 and audience = 0",
            "people, 2026-10-31T12:00:00Z: hits is 31, from raw hits it is 30",
        ),
        (
            "daily_metrics",
            "errors = 77",
            "dimension = 3 and day = 20757",
            "people, platform, 2026-10-31, value \"iOS\": errors is 77, from raw hits it is 5",
        ),
        ("daily_metrics", "latency = x'ff'", "dimension = 0", "latency cannot be read"),
        ("part_totals", "sessions = 0", "dimension = 0", "people, all, value 0: sessions is 0, from raw hits it is 5"),
        ("user_totals", "time = 5", "user = 2 and part = 1", "part 1, user 2: time is 5, from raw hits it is 50000"),
        (
            "daily_metrics",
            "users = (select users from daily_metrics where part = 2 and dimension = 0)",
            "part = 1 and dimension = 1",
            "users has",
        ),
    ];
    for (table, set, only, words) in cells {
        let faults = after(|at| {
            let sql =
                format!("update {table} set {set} where id in (select id from {table} where part = 1 and {only} order by slot limit 1)");
            let sql = match table {
                "user_totals" => format!("update {table} set {set} where {only}"),
                "aggregated_metrics" => sql,
                _ => sql.replace(" order by slot", ""),
            };
            assert_eq!(main(at).execute(&sql, []).unwrap(), 1, "{sql}");
        });
        names(&faults, "analytics.db", table, &[words, "reprocess"]);
    }
}

#[test]
fn rows_of_roll_ups_that_are_lost_or_made_up_are_named() {
    for table in ["aggregated_metrics", "daily_metrics", "part_totals", "user_totals"] {
        let faults = after(|at| run(&main(at), format!("delete from {table} where part = 1")));
        names(&faults, "analytics.db", table, &["part 1", "the row is missing"]);
    }
    let faults = after(|at| run(&main(at), "update daily_metrics set day = day - 400 where part = 2 and dimension = 0"));
    names(&faults, "analytics.db", "daily_metrics", &["people, all, 2025-10-06", "no raw hit makes this row"]);
    let faults = after(|at| run(&main(at), "update user_totals set part = 9 where part = 2"));
    names(&faults, "analytics.db", "user_totals", &["part 9", "not listed"]);
}

#[test]
fn raw_rows_that_are_deleted_changed_or_made_up_are_named() {
    let table = "session_actions";
    let faults = after(|at| run(&part(at, 202_610), "delete from session_actions_202610 where id = 7"));
    names(&faults, "analytics.db", "parts", &["analytics-202610.db", "hits is 30, in the raw rows it is 29", "restore this file"]);
    names(&faults, "analytics.db", "aggregated_metrics", &["hits is 30, from raw hits it is 29"]);
    let faults = after(|at| run(&part(at, 202_611), "delete from session_actions_202611 where id > 20"));
    names(&faults, "analytics-202611.db", table, &["rows up to 20", "up to 31"]);
    let faults = after(|at| run(&part(at, 202_611), "update session_actions_202611 set user = 3 where id = 1"));
    names(&faults, "analytics.db", "user_totals", &["user 2"]);
    for (column, number) in [("user", 999), ("endpoint", 998), ("device", 997), ("error", 996)] {
        let faults = after(|at| {
            let sql = format!("update session_actions_202611 set {column} = {number} where id in (3, 4)");
            part(at, 202_611).execute(&sql, []).unwrap();
        });
        names(&faults, "analytics-202611.db", table, &["row 3", &format!("2 hits refer to {column} {number}"), "from one backup"]);
    }
    let faults = after(|at| run(&part(at, 202_611), "update session_actions_202611 set session = 4000000000 where id = 2"));
    names(&faults, "analytics-202611.db", table, &["row 2", "session 4000000000 was never given"]);
    let faults = after(|at| run(&part(at, 202_611), "update session_actions_202611 set at = -5 where id = 2"));
    names(&faults, "analytics-202611.db", table, &["row 2", "does not lie in 202611"]);
}

#[test]
fn what_a_dictionary_has_lost_is_named_with_the_hits_that_refer_to_it() {
    for (table, what) in [("users", "user"), ("endpoints", "endpoint"), ("devices", "device"), ("errors", "error")] {
        let faults = after(|at| run(&main(at), format!("delete from {table} where number = (select max(number) from {table})")));
        assert!(faults.iter().any(|fault| fault.what.contains(&format!("hits refer to {what} "))), "{table}: {faults:#?}");
    }
    let faults = after(|at| run(&main(at), "insert into aliases values (2, 500)"));
    names(&faults, "analytics.db", "aliases", &["into_user 500"]);
}

#[test]
fn sessions_that_are_not_their_hits_are_named() {
    let table = "sessions_202610";
    for (set, words) in [
        ("time = 1", "time is 1, from raw hits it is 50000"),
        ("hits = 9", "hits is 9, from raw hits it is 6"),
        ("rows = x'01'", "its list of raw rows"),
        ("device = 77", "device is 77"),
        ("last_endpoint = 0", "last_endpoint is 0"),
    ] {
        let faults = after(|at| run(&part(at, 202_610), format!("update {table} set {set} where number = 2")));
        names(&faults, "analytics-202610.db", table, &["session 202610-2", words]);
        assert_eq!(faults.len(), 1, "{faults:#?}");
    }
    let faults = after(|at| run(&part(at, 202_610), "delete from sessions_202610 where number = 2"));
    names(&faults, "analytics-202610.db", table, &["session 202610-2", "6 hits"]);
    let faults = after(|at| run(&part(at, 202_610), "update sessions_202610 set number = 60 where number = 2"));
    names(&faults, "analytics-202610.db", table, &["session 202610-60", "no raw hit"]);
    let faults = after(|at| run(&main(at), "update active_sessions set actions = 5"));
    names(&faults, "analytics.db", "active_sessions", &["actions is 5"]);
}

#[test]
fn files_that_are_cut_short_flipped_swapped_or_gone_are_named() {
    let file = "analytics-202610.db";
    let faults = after(|at| fs::remove_file(at.join(file)).unwrap());
    names(&faults, file, "", &["missing", "30 hits", "restore this file from a backup"]);
    let faults = after(|at| fs::OpenOptions::new().write(true).open(at.join(file)).unwrap().set_len(9000).unwrap());
    names(&faults, file, "", &["restore this file from a backup"]);
    let faults = after(|at| fs::write(at.join(file), "no database, but long enough to be looked at as one".repeat(100)).unwrap());
    names(&faults, file, "", &["not a database"]);
    let faults = after(|at| {
        // Every page but the first one is overwritten.
        let mut bytes = fs::read(at.join(file)).unwrap();
        bytes[4096..].fill(0xa5);
        fs::write(at.join(file), bytes).unwrap();
    });
    names(&faults, file, "", &["restore this file from a backup"]);
    let faults = after(|at| run(&part(at, 202_610), "update part set file_id = randomblob(16)"));
    names(&faults, file, "part", &["another file", "from one backup"]);
    let faults = after(|at| {
        fs::copy(at.join("analytics-202611.db"), at.join(file)).unwrap();
    });
    names(&faults, file, "part", &["holds the month 202611, and is listed for 202610"]);
    let faults = after(|at| {
        let mut bytes = fs::read(at.join("analytics.db")).unwrap();
        bytes[4096..].fill(0xa5);
        fs::write(at.join("analytics.db"), bytes).unwrap();
    });
    assert!(faults.iter().all(|fault| fault.file == "analytics.db") && !faults.is_empty(), "{faults:#?}");
}

#[test]
fn of_many_faults_of_a_table_the_first_are_named_and_the_rest_counted() {
    let faults = after(|at| run(&main(at), "update daily_metrics set hits = hits + 1, bytes_in = 5, bytes_out = 6"));
    let of_days: Vec<_> = faults.iter().filter(|fault| fault.table == "daily_metrics").collect();
    assert_eq!(of_days.len(), 21);
    assert!(of_days[20].what.ends_with(" more"), "{of_days:#?}");
}

#[test]
fn what_a_kill_left_in_the_log_is_read_and_left_there() {
    let (live, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let analytics = Analytics::builder(live.path()).batch_age(Duration::from_millis(1)).build().unwrap();
    for _ in 0..50 {
        analytics.record(&Hit::new("GET", "/items"));
    }
    analytics.flush().unwrap();
    // As the files lie there after a kill.
    for (file, content) in bytes(live.path()) {
        fs::write(copy.path().join(file.file_name().unwrap()), content).unwrap();
    }
    let is_shared = |file: &Path| file.to_string_lossy().ends_with("-shm");
    let without_shared = |directory: &Path| bytes(directory).into_iter().filter(|(file, _)| !is_shared(file)).collect::<Vec<_>>();
    let before = without_shared(copy.path());
    assert!(before.iter().any(|(file, content)| file.to_string_lossy().ends_with("-wal") && !content.is_empty()));
    let verified = verify(copy.path());
    assert_eq!((verified.hits, verified.faults), (50, vec![]));
    assert!(before == without_shared(copy.path()), "a byte has changed");
}

#[test]
fn totals_of_a_month_whose_raw_hits_were_put_away_are_compared_with_its_days() {
    let put_away = |at: &Path| {
        let clock = Clock::manual(SystemTime::UNIX_EPOCH + LAST_OF_OCTOBER + 35 * DAY);
        let analytics = Analytics::builder(at).clock(clock).build().unwrap();
        let done = analytics.maintenance().archive("30d", None, |_, _| {}).unwrap();
        assert_eq!((done.parts.len(), done.parts[0].month.as_str()), (1, "202610"));
        analytics.shutdown(Duration::from_secs(30)).unwrap();
    };
    assert_eq!(after(put_away), []);
    let faults = after(|at| {
        put_away(at);
        main(at).execute("update parts set archive = ''", []).unwrap();
    });
    names(&faults, "analytics.db", "parts", &["it does not say where the raw file was put"]);
    let faults = after(|at| {
        put_away(at);
        fs::write(at.join("archive/analytics-202610.db.zst"), "no archive").unwrap();
    });
    names(&faults, "archive/analytics-202610.db.zst", "", &["is damaged: bring it back from a backup"]);
    let faults = after(|at| {
        put_away(at);
        main(at).execute("update part_totals set visitors = 4 where dimension = 0", []).unwrap();
    });
    names(&faults, "analytics.db", "part_totals", &["people, all, value 0: visitors is 4, from raw hits it is 0"]);
}

#[test]
fn progress_grows_to_its_end_and_other_versions_are_refused_with_a_word() {
    let directory = months();
    let mut told = Vec::new();
    Reports::open(directory.path()).unwrap().verify(|done, total| told.push((done, total))).unwrap();
    assert!(told.is_sorted(), "{told:?}");
    let (done, total) = told[told.len() - 1];
    assert!(done == total && total >= 61, "{done} of {total}");
    for (version, kind, words) in
        [(99, ErrorKind::NewerSchema, "update this program"), (0, ErrorKind::Config, "start a service on it once")]
    {
        main(directory.path()).pragma_update(None, "user_version", version).unwrap();
        let error = Reports::open(directory.path()).unwrap().verify(|_, _| {}).unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(error.to_string().contains(words), "{error}");
    }
}

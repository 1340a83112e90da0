//! Files that are deleted, moved or replaced while we record: it is said, and what comes afterwards is all there.

mod common;

use std::{fs, time::Duration};

use common::{parts, recording::Recording, stored, total, until};
use rusqlite::Connection;
use tower_analytics::{Analytics, Ask, Config, ErrorKind, report::Diagnosis};

/// What was in the directory went with it; what comes afterwards is all in the new one.
#[test]
fn a_directory_that_is_deleted_or_moved_is_said_and_begun_anew() {
    for moved in [false, true] {
        let above = tempfile::tempdir().unwrap();
        let (directory, away) = (above.path().join("data"), above.path().join("away"));
        let mut recording = Recording::new(&directory);
        assert_eq!(recording.analytics.reports().health().unwrap().parts[0].hits, 100);
        match moved {
            true => fs::rename(&directory, &away).unwrap(),
            false => fs::remove_dir_all(&directory).unwrap(),
        }
        recording.sent = 0;
        recording.send(500);
        until("it is noticed", || recording.analytics.counters().faults > 0);
        until("it records again", || recording.analytics.flush().is_ok());
        assert_eq!(recording.analytics.reports().health().unwrap().parts[0].hits, 500, "readers see the new one");
        assert_eq!(recording.analytics.counters().written, 600);
        if moved {
            assert_eq!(total(&stored(&away)), 100);
        }
        let counters = recording.analytics.counters();
        assert_eq!((counters.dropped(), counters.panics), (0, 0), "{counters:?}");
        recording.analytics.shutdown(Duration::from_secs(30)).unwrap();
        assert_eq!(total(&stored(&directory)), 500);
    }
}

#[test]
fn a_part_that_is_deleted_is_begun_anew_and_what_was_counted_of_it_stays() {
    let directory = tempfile::tempdir().unwrap();
    let mut recording = Recording::new(directory.path());
    fs::remove_file(&parts(directory.path())[0].1).unwrap();
    recording.send(500);
    until("it is noticed", || recording.analytics.counters().faults > 0);
    until("it records again", || recording.analytics.flush().is_ok());
    assert_eq!(recording.analytics.reports().health().unwrap().parts[0].hits, 600);
    recording.analytics.shutdown(Duration::from_secs(30)).unwrap();
    let again = Analytics::open(directory.path()).unwrap();
    assert_eq!(again.reports().stats(&Ask::all_time()).unwrap().total_hits, 600);
    assert_eq!(total(&stored(directory.path())), 500);
}

/// What was written and stands in no roll-up yet is not lost with the file: also where the roll-ups cannot be written just then.
#[test]
fn hits_that_were_not_yet_counted_when_their_part_was_deleted_are_counted_all_the_same() {
    for held in [false, true] {
        let directory = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.recording.checkpoint_age_ms = 60_000;
        let mut recording = Recording::with(directory.path(), config);
        let main = Connection::open(directory.path().join("analytics.db")).unwrap();
        recording.send(300);
        until("they are written", || recording.analytics.counters().written == 400);
        assert_eq!(recording.analytics.reports().health().unwrap().parts[0].hits, 100, "and not counted");
        if held {
            main.execute_batch("begin immediate").unwrap();
        }
        fs::remove_file(&parts(directory.path())[0].1).unwrap();
        recording.send(50);
        if held {
            let fault = || recording.analytics.recorder().fault().unwrap_or_default();
            until("the roll-ups cannot be written", || fault().contains("another program holds the file"));
            main.execute_batch("rollback").unwrap();
        }
        until("it records again", || recording.analytics.flush().is_ok());
        let is_all_there = |analytics: &Analytics| {
            let stats = analytics.reports().stats(&Ask::all_time()).unwrap();
            assert_eq!((stats.total_hits, stats.total_users, stats.total_sessions), (450, 450, 450));
        };
        is_all_there(&recording.analytics);
        let counters = recording.analytics.counters();
        assert_eq!((counters.written, counters.dropped(), counters.panics), (450, 0, 0), "{counters:?}");
        assert_eq!(total(&stored(directory.path())), 50);
        let findings = Diagnosis::of(directory.path()).findings;
        let said = "took the place of a file that is gone: 400 hits of its month are in the roll-ups alone";
        assert!(findings.iter().any(|finding| finding.what.contains(said)), "{findings:?}");
        recording.analytics.shutdown(Duration::from_secs(30)).unwrap();
        is_all_there(&Analytics::open(directory.path()).unwrap());
    }
}

/// To close a file by other means than SQLite's takes all of its locks away: whoever closes it next would believe to be the last, and
/// delete the log in which the writer goes on.
#[test]
#[cfg(target_os = "linux")]
fn looking_at_its_health_leaves_the_locks_of_a_part_alone() {
    let directory = tempfile::tempdir().unwrap();
    let mut recording = Recording::new(directory.path());
    let part = parts(directory.path()).remove(0).1;
    // Reads what is said of the locks, and opens nothing.
    let locks = || {
        let inode = std::os::unix::fs::MetadataExt::ino(&fs::metadata(&part).unwrap());
        let of_part = format!(":{inode} ");
        fs::read_to_string("/proc/locks").unwrap().lines().filter(|line| line.contains(&of_part)).count()
    };
    assert!(locks() > 0, "the writer has it open");
    let before = locks();
    recording.analytics.reports().health().unwrap();
    assert_eq!(locks(), before);
    recording.send(100);
    recording.analytics.flush().unwrap();
    assert_eq!(total(&stored(directory.path())), 200);
}

/// Rows without their dictionaries would get other people's names.
#[test]
fn a_lost_analytics_db_is_a_fault_until_its_parts_are_moved_away() {
    let directory = tempfile::tempdir().unwrap();
    let mut recording = Recording::new(directory.path());
    let part = parts(directory.path()).remove(0).1;
    fs::remove_file(directory.path().join("analytics.db")).unwrap();
    recording.sent = 0;
    recording.send(500);
    let fault = || recording.analytics.recorder().fault().unwrap_or_default();
    until("it says what to do", || fault().contains("restore it, or move these files away"));
    fs::rename(&part, part.with_extension("old")).unwrap();
    until("it records again", || recording.analytics.flush().is_ok());
    assert_eq!(recording.analytics.counters().written, 600);
    assert_eq!(total(&stored(directory.path())), 500);
}

#[test]
fn a_part_that_is_replaced_by_something_else_is_a_fault_until_it_is_back() {
    let directory = tempfile::tempdir().unwrap();
    let mut recording = Recording::new(directory.path());
    let part = parts(directory.path()).remove(0).1;
    // As a checkpoint would: all of it in the file itself, so that the file alone can be put aside and back.
    let checkpoint = Connection::open(&part).unwrap();
    checkpoint.query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(())).unwrap();
    drop(checkpoint);
    fs::rename(&part, part.with_extension("good")).unwrap();
    fs::write(&part, "this is no database ".repeat(1000)).unwrap();
    recording.send_until_refused("the file is damaged, restore it from a backup");
    fs::rename(part.with_extension("good"), &part).unwrap();
    recording.goes_on();
}

/// Else another process could take it, and two would write.
#[test]
fn a_lock_that_is_deleted_is_taken_anew() {
    let directory = tempfile::tempdir().unwrap();
    let mut recording = Recording::new(directory.path());
    fs::remove_file(directory.path().join("lock")).unwrap();
    recording.send(500);
    until("it is noticed", || recording.analytics.counters().faults > 0);
    until("it records again", || recording.analytics.flush().is_ok());
    let second = Analytics::builder(directory.path()).require_writer().build();
    assert_eq!(second.map(drop).unwrap_err().kind(), ErrorKind::Locked);
    recording.goes_on();
}

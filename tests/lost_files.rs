//! Files that are deleted, moved or replaced while we record: it is said, and what comes afterwards is all there.

mod common;

use std::{fs, time::Duration};

use common::{parts, recording::Recording, stored, total, until};
use tower_analytics::{Analytics, Ask, ErrorKind};

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
    let checkpoint = rusqlite::Connection::open(&part).unwrap();
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

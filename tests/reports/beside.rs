//! Readers beside the writer: other handles, another process, a lock held; questions that are ended.

use std::{
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime},
};

use tower_analytics::{Ask, Cancel, ErrorKind, Reports};

use crate::{
    brute::{World, answers, question::Question, traffic::Traffic},
    common::{as_child, child, until},
};

/// Long ago, so that the clock on the wall does not matter.
fn long_ago() -> Traffic {
    let traffic = Traffic::new("Europe/Berlin", "2020-10-24T09:00:00Z");
    for n in 0..40 {
        let (user, day) = (format!("u{}", n % 7), 1 + n % 28);
        let month = if n < 20 { 10 } else { 11 };
        traffic.hit(&user, ("GET", "/items"), &format!("2020-{month}-{day:02}T{:02}:{:02}:00Z", n % 24, n));
    }
    traffic.settle();
    traffic
}

fn answers_are_right(directory: &Path) {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as i64;
    let (world, reports) = (World::read(directory, now), Reports::open(directory).unwrap());
    for (from, to) in [("2020-10-01", "2020-12-01"), ("2020-10-11T07:03:12Z", "2020-11-15T22:51:00Z")] {
        let question = Question { from: Some(from.to_owned()), to: Some(to.to_owned()), ..Question::default() };
        answers::check(&world, &reports, &question);
    }
    answers::check_each_session(&world, &reports);
}

#[test]
fn another_process_answers_the_same() {
    if let Some(directory) = as_child() {
        return answers_are_right(&directory);
    }
    let traffic = long_ago();
    answers_are_right(traffic.directory());
    let exe = std::env::current_exe().unwrap();
    let output = child(&["env"], &exe, "beside::another_process_answers_the_same", traffic.directory()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // The writer goes on, and so does whoever reads beside it.
    let reader = Reports::open(traffic.directory()).unwrap();
    let hits = || reader.stats(&Ask::all_time()).unwrap().total_hits;
    assert_eq!(hits(), 40);
    traffic.hit("late", ("GET", "/items"), "2020-12-01T00:00:00Z");
    traffic.analytics.flush().unwrap();
    assert_eq!(hits(), 41);
}

#[test]
fn a_directory_in_which_nothing_was_recorded_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(Reports::open(directory.path()).unwrap_err().kind(), ErrorKind::Directory);
}

#[test]
fn reading_waits_for_no_writer() {
    let traffic = long_ago();
    let reports = traffic.analytics.reports().time_limit(Duration::from_secs(10));
    let (ask, crossing) = (Ask::all_time(), Ask::all_time().platform("iOS").endpoint("GET /items"));
    let before = (reports.stats(&ask).unwrap(), reports.stats(&crossing).unwrap());
    let held: Vec<_> = ["analytics.db", "analytics-202010.db", "analytics-202011.db"]
        .iter()
        .map(|file| {
            let file = rusqlite::Connection::open(traffic.directory().join(file)).unwrap();
            // A sealed part has no journal of its own that could be read beside a writer; nobody writes there.
            let mode: String = file.query_row("pragma journal_mode", [], |row| row.get(0)).unwrap();
            file.execute_batch(if mode == "wal" { "begin immediate" } else { "begin" }).unwrap();
            if mode == "wal" {
                file.execute_batch("create table half_done (number integer)").unwrap();
            }
            file
        })
        .collect();
    assert_eq!((reports.stats(&ask).unwrap(), reports.stats(&crossing).unwrap()), before);
    held.iter().for_each(|file| file.execute_batch("rollback").unwrap());
}

#[test]
fn a_question_is_ended_by_whoever_no_longer_waits() {
    let traffic = long_ago();
    let (cancel, answered) = (Cancel::new(), AtomicU64::new(0));
    let reports = traffic.analytics.reports().cancelled_by(&cancel);
    let ended = std::thread::scope(|scope| {
        let asking = scope.spawn(|| {
            loop {
                match reports.stats(&Ask::all_time().user("u1")) {
                    Ok(_) => answered.fetch_add(1, Ordering::SeqCst),
                    Err(error) => return error.kind(),
                };
            }
        });
        until("some were answered", || answered.load(Ordering::SeqCst) > 2);
        cancel.cancel();
        asking.join().unwrap()
    });
    assert_eq!(ended, ErrorKind::Cancelled);
    // Others are still answered.
    assert_eq!(traffic.analytics.reports().stats(&Ask::all_time()).unwrap().total_hits, 40);
}

#[test]
fn a_question_that_takes_too_long_is_ended() {
    let traffic = long_ago();
    let hasty = traffic.analytics.reports().time_limit(Duration::ZERO);
    // Whoever looks at the time may come a moment late, and the answer is there.
    until("one took too long", || match hasty.stats(&Ask::all_time()) {
        Ok(_) => false,
        Err(error) => error.kind() == ErrorKind::Timeout,
    });
    assert_eq!(hasty.time_limit(Duration::from_secs(30)).stats(&Ask::all_time()).unwrap().total_hits, 40);
}

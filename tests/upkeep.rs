//! `vacuum` and `reset`, beside traffic, in other people's way, and killed in the middle.

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
    time::Duration,
};

use common::{as_child, child, oracle, recording::Recording, until};
use rusqlite::Connection;
use tower_analytics::{Analytics, Ask, Hit, Maintenance, Reports, State, Vacuumed};

fn hit(n: u64) -> Hit {
    let mut hit = Hit::new("GET", &format!("/items/{}", n % 30));
    hit.set_user(&format!("user {n}"));
    hit
}

/// A directory with free pages in it, as deleted roll-ups leave them.
fn with_free_pages(directory: &Path) -> Analytics {
    let analytics = Analytics::builder(directory).batch_age(Duration::from_millis(10)).build().unwrap();
    (0..3000).for_each(|n| analytics.record(&hit(n)));
    analytics.flush().unwrap();
    let main = Connection::open(directory.join("analytics.db")).unwrap();
    main.busy_timeout(Duration::from_secs(10)).unwrap();
    main.execute_batch(
        "create table filler (x blob); with recursive n (n) as (select 1 union all select n + 1 from n where n < 2000)
         insert into filler select randomblob(1000) from n; drop table filler;",
    )
    .unwrap();
    analytics
}

fn free_pages(file: &Path) -> i64 {
    Connection::open(file).unwrap().query_row("pragma freelist_count", [], |row| row.get(0)).unwrap()
}

fn main_of(vacuumed: &Vacuumed) -> (u64, u64) {
    let file = vacuumed.files.iter().find(|file| file.name == "analytics.db").unwrap();
    (file.before, file.after)
}

#[test]
fn free_pages_and_logs_go_back_to_the_file_system_while_hits_come_in() {
    let directory = tempfile::tempdir().unwrap();
    let analytics = with_free_pages(directory.path());
    let over = AtomicBool::new(false);
    let mut sent = 3000;
    thread::scope(|scope| {
        let vacuuming = scope.spawn(|| {
            let mut told = Vec::new();
            let result = analytics.maintenance().vacuum(|done, total| told.push((done, total)));
            over.store(true, Relaxed);
            result
        });
        while !over.load(Relaxed) {
            analytics.record(&hit(sent));
            sent += 1;
            thread::sleep(Duration::from_micros(300));
        }
        let vacuumed = vacuuming.join().unwrap().unwrap();
        let (before, after) = main_of(&vacuumed);
        assert!(before > after + 1_500_000, "{vacuumed:?}");
        assert!(vacuumed.files.iter().any(|file| file.name.starts_with("analytics-")), "{vacuumed:?}");
    });
    assert_eq!(free_pages(&directory.path().join("analytics.db")), 0);
    analytics.flush().unwrap();
    let counters = analytics.counters();
    assert_eq!((counters.written, counters.dropped(), counters.faults), (sent, 0, 0), "{counters:?}");
    assert!(analytics.reports().check().unwrap().is_sound());
    analytics.shutdown(Duration::from_secs(30)).unwrap();
    assert_eq!(oracle::check(directory.path()) as u64, sent);
}

#[test]
fn a_reader_delays_a_vacuum_and_keeps_its_moment() {
    let directory = tempfile::tempdir().unwrap();
    let analytics = with_free_pages(directory.path());
    let reader = Connection::open(directory.path().join("analytics.db")).unwrap();
    reader.execute_batch("begin").unwrap();
    let users = |reader: &Connection| reader.query_row("select count(*) from users", [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(users(&reader), 3000);
    thread::scope(|scope| {
        let vacuuming = scope.spawn(|| analytics.maintenance().vacuum(|_, _| {}));
        // Beside it the writer goes on.
        for n in 3000..3100 {
            analytics.record(&hit(n));
            analytics.flush().unwrap();
        }
        assert_eq!((users(&reader), vacuuming.is_finished()), (3000, false));
        reader.execute_batch("commit").unwrap();
        let (before, after) = main_of(&vacuuming.join().unwrap().unwrap());
        assert!(before > after + 1_000_000, "{before} {after}");
    });
    assert_eq!(users(&reader), 3100);
    assert_eq!(analytics.counters().faults, 0);
}

/// As a service that is deployed anew again and again.
#[test]
fn work_under_which_its_process_is_stopped_is_gone_on_with_however_often_that_is() {
    let directory = tempfile::tempdir().unwrap();
    let mut analytics = with_free_pages(directory.path());
    let reader = Connection::open(directory.path().join("analytics.db")).unwrap();
    reader.execute_batch("begin; select * from users").unwrap();
    let state = || {
        let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?));
        reader_of(directory.path()).query_row("select state, interrupted from jobs where kind = 'vacuum'", [], read)
    };
    for round in 0..4 {
        thread::scope(|scope| {
            if round == 0 {
                scope.spawn(|| analytics.maintenance().vacuum(|_, _| {}).unwrap_err());
            }
            until("it is begun, and waits for the reader", || {
                drop(analytics.flush());
                state().is_ok_and(|(state, _)| state == "running")
            });
            analytics.shutdown(Duration::from_secs(30)).unwrap();
        });
        assert_eq!(state().unwrap(), ("waiting".to_owned(), 0));
        analytics = Analytics::builder(directory.path()).batch_age(Duration::from_millis(10)).build().unwrap();
    }
    reader.execute_batch("commit").unwrap();
    until("it is done", || state().is_ok_and(|(state, _)| state == "done"));
    analytics.shutdown(Duration::from_secs(30)).unwrap();
}

fn reader_of(directory: &Path) -> Connection {
    let main = Connection::open(directory.join("analytics.db")).unwrap();
    main.busy_timeout(Duration::from_secs(10)).unwrap();
    main
}

#[test]
fn whoever_may_sign_in_is_kept_small_too() {
    let directory = tempfile::tempdir().unwrap();
    let analytics = with_free_pages(directory.path());
    let access = directory.path().join("access.db");
    Connection::open(&access).unwrap().execute_batch("create table t (x); insert into t values (zeroblob(900000)); drop table t").unwrap();
    let vacuumed = analytics.maintenance().vacuum(|_, _| {}).unwrap();
    let file = vacuumed.files.iter().find(|file| file.name == "access.db").unwrap();
    assert!(file.before > 900_000 && file.after < 10_000, "{file:?}");
}

#[test]
#[cfg(target_os = "linux")]
#[ignore = "needs root to mount"]
fn a_vacuum_without_room_changes_nothing_and_says_so() {
    let test = "a_vacuum_without_room_changes_nothing_and_says_so";
    let Some(directory) = as_child() else {
        let directory = tempfile::tempdir().unwrap();
        let mounted = ["unshare", "-m", "sh", "-c", "mount -t tmpfs -o size=64m none \"$TEST_CHILD\" && exec \"$0\" \"$@\""];
        let output = child(&mounted, &std::env::current_exe().unwrap(), test, directory.path()).output().unwrap();
        assert!(output.status.success(), "{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        return;
    };
    let mut recording = Recording::new(&directory);
    recording.send(8000);
    recording.analytics.flush().unwrap();
    let size = |file: &Path| fs::metadata(file).unwrap().len();
    let main = directory.join("analytics.db");
    recording.analytics.maintenance().vacuum(|_, _| {}).unwrap();
    // Room for half of it.
    let free = size(&main) / 2;
    let used: u64 = fs::read_dir(&directory).unwrap().map(|entry| size(&entry.unwrap().path())).sum();
    fs::write(directory.join("filler"), vec![1; ((64 << 20) - used - free - (256 << 10)) as usize]).unwrap();
    let error = recording.analytics.maintenance().vacuum(|_, _| {}).unwrap_err();
    assert!(error.to_string().contains("cannot make analytics.db small (it is as it was), the disk is full, make room"), "{error}");
    fs::remove_file(directory.join("filler")).unwrap();
    assert!(recording.analytics.reports().check().unwrap().is_sound());
    recording.send(100);
    recording.analytics.flush().unwrap();
    recording.analytics.maintenance().vacuum(|_, _| {}).unwrap();
    recording.analytics.shutdown(Duration::from_secs(30)).unwrap();
    assert_eq!(oracle::check(&directory) as u64, recording.sent);
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_reset_deletes_what_was_recorded_and_recording_begins_anew_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    let analytics = with_free_pages(at);
    fs::create_dir_all(at.join("archive")).unwrap();
    fs::write(at.join("archive/analytics-202401.db.zst"), "put away").unwrap();
    fs::create_dir_all(at.join("plugins/tenants")).unwrap();
    fs::write(at.join("plugins/tenants/kept"), "").unwrap();
    fs::write(at.join("access.db"), "").unwrap();
    let reset = analytics.maintenance().reset().unwrap();
    assert_eq!(reset.files, 2, "a month and an archived one");
    assert!(reset.bytes > 1_000_000, "{reset:?}");
    assert!(!names(at).iter().any(|name| name.starts_with("analytics-")), "{:?}", names(at));
    assert!(at.join("access.db").exists() && at.join("plugins/tenants/kept").exists() && names(&at.join("archive")).is_empty());
    let reports = analytics.reports();
    assert_eq!(reports.stats(&Ask::all_time()).unwrap().total_hits, 0);
    assert_eq!(reports.stats(&Ask::all_time()).unwrap().total_users, 0);
    assert!(reports.health().unwrap().parts.is_empty());

    // Whoever was here before is new, in a session that is new.
    analytics.record(&hit(7));
    analytics.flush().unwrap();
    let user = reports.user(&Ask::all_time(), "user 7").unwrap().into_inner().unwrap().user;
    assert_eq!((user.hits, user.sessions), (1, 1));
    let counters = analytics.counters();
    assert_eq!((counters.dropped(), counters.faults, analytics.state()), (0, 0, State::Recording), "{counters:?}");
    analytics.shutdown(Duration::from_secs(30)).unwrap();
    assert_eq!(oracle::check(at), 1);
}

#[test]
fn a_reset_beside_traffic_loses_nothing_of_what_comes_after_it() {
    let directory = tempfile::tempdir().unwrap();
    let analytics = with_free_pages(directory.path());
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let resetting = scope.spawn(|| {
            for _ in 0..3 {
                analytics.maintenance().reset().unwrap();
            }
            over.store(true, Relaxed);
        });
        let mut n = 3000;
        while !over.load(Relaxed) && !resetting.is_finished() {
            analytics.record(&hit(n));
            n += 1;
            thread::sleep(Duration::from_micros(300));
        }
        resetting.join().unwrap();
    });
    (0..500).for_each(|n| analytics.record(&hit(1_000_000 + n)));
    analytics.flush().unwrap();
    let counters = analytics.counters();
    assert_eq!((counters.dropped(), counters.faults), (0, 0), "{counters:?}");
    let reports = analytics.reports();
    assert!(reports.check().unwrap().is_sound());
    for n in [1_000_000, 1_000_499] {
        assert!(reports.user(&Ask::all_time(), &format!("user {n}")).unwrap().is_some());
    }
    analytics.shutdown(Duration::from_secs(30)).unwrap();
    oracle::check(directory.path());
}

/// Starts a process that does this work on a copy of a directory, kills it after a while, and gives the copy and whether it was done.
fn killed(test: &str, round: u64, original: &Path) -> (tempfile::TempDir, bool) {
    let directory = tempfile::tempdir().unwrap();
    for name in names(original) {
        fs::copy(original.join(&name), directory.path().join(&name)).unwrap();
    }
    let mut command = child(&["env"], &std::env::current_exe().unwrap(), test, directory.path());
    let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
    let out = std::io::BufReader::new(process.stdout.take().unwrap());
    let mut lines = std::io::BufRead::lines(out).map(Result::unwrap);
    assert!(lines.any(|line| line.contains("ready")));
    thread::sleep(Duration::from_millis(round * 3));
    process.kill().unwrap();
    process.wait().unwrap();
    let done = lines.any(|line| line.contains("done"));
    (directory, done)
}

fn work(directory: &Path, work: impl FnOnce(&Maintenance)) {
    let analytics = Analytics::open(directory).unwrap();
    println!("ready");
    work(&analytics.maintenance());
    println!("done");
    thread::sleep(Duration::from_secs(60));
}

fn original() -> (tempfile::TempDir, u64) {
    let directory = tempfile::tempdir().unwrap();
    let analytics = with_free_pages(directory.path());
    analytics.shutdown(Duration::from_secs(30)).unwrap();
    (directory, 3000)
}

/// Whether no job waits or runs any more.
fn idle(directory: &Path) -> bool {
    let main = Connection::open(directory.join("analytics.db")).unwrap();
    let open: i64 = main.query_row("select count(*) from jobs where state in ('waiting', 'running')", [], |row| row.get(0)).unwrap();
    open == 0
}

#[test]
fn a_vacuum_that_is_killed_leaves_everything_as_it_was() {
    let test = "a_vacuum_that_is_killed_leaves_everything_as_it_was";
    if let Some(directory) = as_child() {
        return work(&directory, |maintenance| drop(maintenance.vacuum(|_, _| {})));
    }
    let (original, hits) = original();
    let mut unfinished = 0;
    for round in 0..12 {
        let (directory, done) = killed(test, round, original.path());
        unfinished += u64::from(!done);
        let analytics = Analytics::open(directory.path()).unwrap();
        analytics.flush().unwrap();
        assert!(analytics.reports().check().unwrap().is_sound());
        until("the job is over", || idle(directory.path()));
        analytics.shutdown(Duration::from_secs(30)).unwrap();
        assert_eq!(oracle::check(directory.path()) as u64, hits);
    }
    assert!(unfinished > 0, "no kill came in time");
}

#[test]
fn a_reset_that_is_killed_leaves_all_or_nothing_and_nothing_comes_back() {
    let test = "a_reset_that_is_killed_leaves_all_or_nothing_and_nothing_comes_back";
    if let Some(directory) = as_child() {
        return work(&directory, |maintenance| drop(maintenance.reset()));
    }
    let (original, hits) = original();
    let (mut all, mut nothing, mut halfway) = (0, 0, 0);
    for round in 0..16 {
        let (directory, done) = killed(test, round, original.path());
        // Before anybody opens it to record: what is there to be read is all or nothing.
        let seen = Reports::open(directory.path()).unwrap().stats(&Ask::all_time()).unwrap().total_hits;
        assert!(seen == hits || seen == 0, "{seen}");
        let raw: Vec<PathBuf> = common::parts(directory.path()).into_iter().map(|(_, file)| file).filter(|file| file.exists()).collect();
        assert!(seen == 0 || !raw.is_empty());
        let left = names(directory.path()).iter().any(|name| name.starts_with("analytics-2"));
        halfway += u64::from(seen == 0 && left);
        let analytics = Analytics::open(directory.path()).unwrap();
        analytics.flush().unwrap();
        let asked = !idle(directory.path());
        until("the job is over", || idle(directory.path()));
        let stats = analytics.reports().stats(&Ask::all_time()).unwrap().total_hits;
        if done || seen == 0 || asked {
            nothing += 1;
            assert_eq!(stats, 0);
            assert!(!names(directory.path()).iter().any(|name| name.starts_with("analytics-2")));
        } else {
            all += u64::from(stats == hits);
            assert!(stats == hits || stats == 0);
        }
        let before = stats;
        analytics.record(&hit(1));
        analytics.flush().unwrap();
        assert_eq!(analytics.reports().stats(&Ask::all_time()).unwrap().total_hits, before + 1);
        assert!(analytics.reports().check().unwrap().is_sound());
        analytics.shutdown(Duration::from_secs(30)).unwrap();
        oracle::check(directory.path());
    }
    println!("{all} as before, {nothing} empty, {halfway} killed between the two");
    assert!(nothing > 0);
}

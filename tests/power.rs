//! A loss of power at every commit: each file is what its own newest forced write, or any commit after it, has left.

mod common;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use common::oracle;
use rusqlite::Connection;
use tower_analytics::{Analytics, Clock, Config, Hit};

/// Files of one database at one moment.
type Files = BTreeMap<PathBuf, Vec<u8>>;

/// What was on the disk, or on its way there, after each commit since the last fold.
struct Window {
    /// Of analytics.db, oldest first.
    main: Vec<Files>,
    /// Of the parts.
    parts: Vec<Files>,
}

#[test]
fn whatever_of_the_files_a_loss_of_power_leaves_opens_and_agrees() {
    let directory = tempfile::tempdir().unwrap();
    // Shortly before a month's edge, which one of the windows crosses.
    let clock = Clock::manual(SystemTime::UNIX_EPOCH + Duration::from_secs(1_793_490_000));
    let analytics = open(directory.path(), &clock);
    let (mut sent, mut tried) = (0, 0);
    let mut window = Window { main: vec![main_files(directory.path())], parts: vec![part_files(directory.path())] };
    for round in 0..5 {
        for batch in 0..3 {
            for n in 0..40 {
                clock.advance(Duration::from_secs(if round == 2 { 300 } else { 9 }));
                analytics.record(&hit(round * 3 + batch, n));
                sent += 1;
            }
            while analytics.counters().written < sent {
                std::thread::yield_now();
            }
            window.main.push(main_files(directory.path()));
            window.parts.push(part_files(directory.path()));
        }
        // During the fold the parts are forced first.
        analytics.flush().unwrap();
        window.parts.push(part_files(directory.path()));
        tried += try_all(&window, &clock);
        window = Window { main: vec![main_files(directory.path())], parts: vec![part_files(directory.path())] };
    }
    analytics.shutdown(Duration::from_secs(10)).unwrap();
    println!("{tried} states of the files opened");
    assert!(tried >= 90);
}

#[test]
fn whoever_was_here_before_a_kill_goes_on_with_the_same_session() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Clock::manual(SystemTime::UNIX_EPOCH + Duration::from_secs(1_793_490_000));
    let analytics = open(directory.path(), &clock);
    let everybody = |analytics: &Analytics| {
        for n in 0..9 {
            let mut hit = hit(0, n);
            // Two of each, told apart by the key alone.
            for key in ["phone", "desk"] {
                hit.set_session_key(key);
                analytics.record(&hit);
            }
        }
    };
    let sessions = |directory: &Path| {
        let part = Connection::open(directory.join("analytics-202610.db")).unwrap();
        part.query_row("select count(distinct session) from session_actions_202610", [], |row| row.get::<_, i64>(0)).unwrap()
    };
    everybody(&analytics);
    while analytics.counters().written < 18 {
        std::thread::yield_now();
    }
    let copy = tempfile::tempdir().unwrap();
    for (name, bytes) in files(directory.path(), |_| true) {
        fs::write(copy.path().join(name), bytes).unwrap();
    }
    let before = sessions(copy.path());
    assert!(before >= 12, "{before} sessions");
    let after = open(copy.path(), &clock);
    everybody(&after);
    after.shutdown(Duration::from_secs(10)).unwrap();
    assert_eq!(sessions(copy.path()), before);
    analytics.shutdown(Duration::from_secs(10)).unwrap();
}

fn try_all(window: &Window, clock: &Clock) -> usize {
    for main in &window.main {
        for parts in &window.parts {
            let copy = tempfile::tempdir().unwrap();
            for (name, bytes) in main.iter().chain(parts) {
                fs::write(copy.path().join(name), bytes).unwrap();
            }
            let analytics = open(copy.path(), &Clock::manual(clock.now()));
            analytics.flush().unwrap();
            let before = oracle::check(copy.path());
            nothing_dangles(copy.path());
            // Life goes on, with users that were there and with new ones.
            for n in 0..50 {
                analytics.record(&hit(n % 20, n * 7));
            }
            analytics.flush().unwrap();
            assert_eq!(oracle::check(copy.path()), before + 50);
            nothing_dangles(copy.path());
            analytics.shutdown(Duration::from_secs(10)).unwrap();
        }
    }
    window.main.len() * window.parts.len()
}

/// Every number on a raw row is one that its dictionary gave.
fn nothing_dangles(directory: &Path) {
    let main = Connection::open(directory.join("analytics.db")).unwrap();
    let numbers = |table: &str| -> Vec<i64> {
        let mut statement = main.prepare(&format!("select number from {table}")).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let [users, endpoints, devices, errors] = ["users", "endpoints", "devices", "errors"].map(numbers);
    let visitor_days: BTreeMap<i64, i64> = {
        let mut statement = main.prepare("select day, next from visitor_days").unwrap();
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
    };
    for (_, month, _) in oracle::parts(&main) {
        for row in oracle::raw(directory, month) {
            let visitor = row.user >= 1 << 31;
            let known = if visitor { row.user < visitor_days[&row.at.div_euclid(86_400_000)] } else { users.contains(&row.user) };
            assert!(known, "user {}", row.user);
            assert!(endpoints.contains(&row.endpoint) && devices.contains(&row.device), "{row:?}");
            assert!(row.error == 0 || errors.contains(&row.error), "{row:?}");
        }
    }
}

/// In each batch some of everything is new.
fn hit(batch: u64, n: u64) -> Hit {
    let mut hit = Hit::new("GET", &format!("/{}", (batch * 5 + n % 7) % 60));
    if n.is_multiple_of(3) {
        hit.set_address([10, batch as u8, n as u8, 1].into());
    } else {
        hit.set_user(&format!("user {}", batch * 11 + n % 13));
    }
    hit.set_client("android", &format!("1.{}", batch + n % 2), "Pixel 9", "");
    if n % 10 == 9 {
        hit.set_status(500);
        hit.set_error(&format!("kind {batch}"), "it broke");
    }
    hit
}

/// Folds when it is told to, and not by itself.
fn open(directory: &Path, clock: &Clock) -> Analytics {
    let mut config = Config::default();
    config.data = directory.to_owned();
    config.recording.checkpoint_age_ms = 60_000;
    config.recording.batch_age_ms = 1;
    Analytics::builder(directory).config(config).clock(clock.clone()).build().unwrap()
}

fn main_files(directory: &Path) -> Files {
    files(directory, |name| name.starts_with("analytics.db"))
}

fn part_files(directory: &Path) -> Files {
    files(directory, |name| name.starts_with("analytics-"))
}

fn files(directory: &Path, wanted: impl Fn(&str) -> bool) -> Files {
    let entries = fs::read_dir(directory).unwrap().map(|entry| PathBuf::from(entry.unwrap().file_name()));
    // The shared memory does not outlive the machine.
    let kept = entries.filter(|name| wanted(name.to_str().unwrap()) && !name.to_str().unwrap().ends_with("-shm"));
    kept.map(|name| (name.clone(), fs::read(directory.join(&name)).unwrap())).collect()
}

//! What goes wrong below while requests come in: it is said, nothing is lost meanwhile, and it goes on by itself.

mod common;

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use axum::{Router, body::Body, http::Request, routing::get};
use common::{as_child, child, parts, stored, total, until};
use http_body_util::BodyExt;
use rusqlite::Connection;
use tower::ServiceExt;
use tower_analytics::{Analytics, Ask, Head, State, User};

struct Recording {
    analytics: Analytics,
    app: Router,
    runtime: tokio::runtime::Runtime,
    directory: PathBuf,
    sent: u64,
}

impl Recording {
    fn new(directory: &Path) -> Self {
        let user = |head: &Head<'_>| head.header("x-user-id").map(User::new);
        let analytics = Analytics::builder(directory).batch_age(Duration::from_millis(10)).user(user).build().unwrap();
        let app = Router::new().route("/items/{id}", get(|| async { "an item" })).layer(analytics.layer());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut recording = Self { analytics, app, runtime, directory: directory.to_owned(), sent: 0 };
        recording.send(100);
        recording.analytics.flush().unwrap();
        recording
    }

    /// Each of a user of its own, so that both files are needed; each is answered.
    fn send(&mut self, requests: u64) {
        for _ in 0..requests {
            let request = Request::get("/items/7").header("x-user-id", format!("{:0>200}", self.sent)).body(Body::empty()).unwrap();
            let app = self.app.clone();
            let answer = async { app.oneshot(request).await.unwrap().into_body().collect().await.unwrap().to_bytes() };
            assert_eq!(self.runtime.block_on(answer), "an item");
            self.sent += 1;
        }
    }

    /// Sends until the store refuses, and then some more; the fault says why.
    fn send_until_refused(&mut self, why: &str) {
        let mut sent = 0;
        until("the store refuses", || {
            if sent < 20_000 {
                self.send(200);
                sent += 200;
            }
            self.analytics.state() == State::Faulted
        });
        let fault = self.analytics.recorder().fault().unwrap();
        assert!(fault.contains(why), "{fault}");
        self.send(1000);
    }

    /// Once the cause is gone, all that was sent is there, once.
    fn goes_on(self) {
        until("it records again", || self.analytics.flush().is_ok());
        assert_eq!(self.analytics.state(), State::Recording);
        let counters = self.analytics.counters();
        assert!(counters.faults > 0, "{counters:?}");
        assert_eq!((counters.written, counters.dropped(), counters.panics), (self.sent, 0, 0), "{counters:?}");
        self.analytics.shutdown(Duration::from_secs(30)).unwrap();
        assert_eq!(total(&stored(&self.directory)), self.sent);
        let users: i64 = Connection::open(self.directory.join("analytics.db"))
            .unwrap()
            .query_row("select count(*) from users where number > 1", [], |row| row.get(0))
            .unwrap();
        assert_eq!(users as u64, self.sent);
    }
}

fn run(mut command: Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
}

#[test]
#[cfg(target_os = "linux")]
fn files_that_may_not_grow_lose_nothing() {
    let test = "files_that_may_not_grow_lose_nothing";
    let Some(directory) = as_child() else {
        let directory = tempfile::tempdir().unwrap();
        let limited = ["sh", "-c", "trap '' XFSZ; ulimit -S -f 2048; exec \"$0\" \"$@\""];
        return run(child(&limited, &std::env::current_exe().unwrap(), test, directory.path()));
    };
    let mut recording = Recording::new(&directory);
    recording.send_until_refused("a limit on file sizes");
    let mut lift = Command::new("prlimit");
    lift.args(["--fsize=unlimited:", "--pid", &std::process::id().to_string()]);
    run(lift);
    recording.goes_on();
}

#[test]
#[cfg(target_os = "linux")]
#[ignore = "needs root to mount"]
fn a_full_disk_loses_nothing() {
    let Some(directory) = as_child() else {
        let directory = tempfile::tempdir().unwrap();
        let mounted = ["unshare", "-m", "sh", "-c", "mount -t tmpfs -o size=4m none \"$TEST_CHILD\" && exec \"$0\" \"$@\""];
        return run(child(&mounted, &std::env::current_exe().unwrap(), "a_full_disk_loses_nothing", directory.path()));
    };
    let mut recording = Recording::new(&directory);
    recording.send_until_refused("the disk is full, make room");
    let mut enlarge = Command::new("mount");
    enlarge.args(["-o", "remount,size=256m"]).arg(&directory);
    run(enlarge);
    recording.goes_on();
}

#[test]
fn a_file_that_another_process_holds_loses_nothing() {
    let test = "a_file_that_another_process_holds_loses_nothing";
    if let Some(file) = as_child() {
        let connection = Connection::open(file).unwrap();
        connection.execute_batch("begin exclusive").unwrap();
        println!("held");
        std::io::stdin().read_line(&mut String::new()).unwrap();
        return;
    }
    for part in [false, true] {
        let directory = tempfile::tempdir().unwrap();
        let mut recording = Recording::new(directory.path());
        let main = directory.path().join("analytics.db");
        let file = if part { parts(directory.path()).remove(0).1 } else { main };
        let mut holder = child(&["env"], &std::env::current_exe().unwrap(), test, &file);
        let mut holder = holder.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(holder.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("held")));
        recording.send_until_refused("another program holds the file");
        drop(holder.stdin.take());
        assert!(holder.wait().unwrap().success());
        recording.goes_on();
    }
}

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
fn a_part_that_is_deleted_is_begun_anew_and_the_rest_stays() {
    let directory = tempfile::tempdir().unwrap();
    let mut recording = Recording::new(directory.path());
    fs::remove_file(&parts(directory.path())[0].1).unwrap();
    recording.send(500);
    until("it is noticed", || recording.analytics.counters().faults > 0);
    until("it records again", || recording.analytics.flush().is_ok());
    assert_eq!(recording.analytics.reports().health().unwrap().parts[0].hits, 500);
    recording.analytics.shutdown(Duration::from_secs(30)).unwrap();
    let again = Analytics::open(directory.path()).unwrap();
    assert_eq!(again.reports().stats(&Ask::all_time()).unwrap().total_hits, 500);
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

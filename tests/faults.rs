//! What goes wrong below while requests come in: it is said, nothing is lost meanwhile, and it goes on by itself.

mod common;

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use common::{as_child, child, parts, recording::Recording, stored, total};
use rusqlite::Connection;
use tower_analytics::{ErrorKind, State};

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

/// Another process takes the file, and gives it back when its input ends.
fn hold(test: &str, file: &Path) -> Child {
    let mut holder = child(&["env"], &std::env::current_exe().unwrap(), test, file);
    let mut holder = holder.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(holder.stdout.as_mut().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("held")));
    holder
}

fn held(file: &Path) {
    let connection = Connection::open(file).unwrap();
    connection.execute_batch("begin exclusive").unwrap();
    println!("held");
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

#[test]
fn a_file_that_another_process_holds_loses_nothing() {
    let test = "a_file_that_another_process_holds_loses_nothing";
    if let Some(file) = as_child() {
        return held(&file);
    }
    for part in [false, true] {
        let directory = tempfile::tempdir().unwrap();
        let mut recording = Recording::new(directory.path());
        let main = directory.path().join("analytics.db");
        let file = if part { parts(directory.path()).remove(0).1 } else { main };
        let mut holder = hold(test, &file);
        recording.send_until_refused("another program holds the file");
        drop(holder.stdin.take());
        assert!(holder.wait().unwrap().success());
        recording.goes_on();
    }
}

#[test]
fn a_stop_while_the_store_refuses_counts_what_is_lost() {
    let test = "a_stop_while_the_store_refuses_counts_what_is_lost";
    if let Some(file) = as_child() {
        return held(&file);
    }
    let directory = tempfile::tempdir().unwrap();
    let mut recording = Recording::new(directory.path());
    let mut holder = hold(test, &parts(directory.path()).remove(0).1);
    recording.send_until_refused("another program holds the file");
    let error = recording.analytics.shutdown(Duration::from_secs(30)).unwrap_err();
    assert_eq!((error.kind(), recording.analytics.state()), (ErrorKind::Storage, State::Stopped));
    recording.send(10);
    drop(holder.stdin.take());
    assert!(holder.wait().unwrap().success());
    let counters = recording.analytics.counters();
    assert_eq!((counters.written, counters.dropped_stopped, counters.dropped_storage), (100, 10, recording.sent - 110));
    assert_eq!(total(&stored(directory.path())), 100);
}

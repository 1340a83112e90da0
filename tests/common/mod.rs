//! What several test files share.
#![allow(dead_code, reason = "each file uses a part of it")]

pub(crate) mod counting;
pub(crate) mod damage;
pub(crate) mod host;
pub(crate) mod oracle;
pub(crate) mod recording;
pub(crate) mod signing;
pub(crate) mod tables;
pub(crate) mod tried;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use rusqlite::Connection;

/// Hits by endpoint and status.
pub(crate) type Counts = BTreeMap<(String, u16), u64>;

/// Waits until it is so; fails if that takes longer than anything healthy does.
#[track_caller]
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(60), "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Says to a test that it runs in a process of its own, and what for.
const CHILD: &str = "TEST_CHILD";

/// The same test in a process of its own, started through another program.
pub(crate) fn child(through: &[&str], exe: &Path, test: &str, what: &Path) -> Command {
    let mut command = Command::new(through[0]);
    command.args(&through[1..]).arg(exe).args(["--exact", test, "--include-ignored", "--nocapture"]).env(CHILD, what);
    command
}

/// What the parent said, if this is the child.
pub(crate) fn as_child() -> Option<PathBuf> {
    std::env::var_os(CHILD).map(PathBuf::from)
}

/// The raw files that analytics.db knows, by month.
pub(crate) fn parts(directory: &Path) -> Vec<(i64, PathBuf)> {
    let main = Connection::open(directory.join("analytics.db")).unwrap();
    let mut months = main.prepare("select month from parts order by month").unwrap();
    let months = months.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap);
    months.map(|month: i64| (month, directory.join(format!("analytics-{month}.db")))).collect()
}

/// What lies on disk, asked of the files and not of the crate.
pub(crate) fn stored(directory: &Path) -> Counts {
    let mut counts = Counts::new();
    for (month, part) in parts(directory) {
        let main = Connection::open(directory.join("analytics.db")).unwrap();
        main.execute("attach ? as part", [part.to_str().unwrap()]).unwrap();
        let sql = format!(
            "select trim(e.method || ' ' || e.route), a.outcome & 1023, count(*)
             from part.session_actions_{month} a join endpoints e on e.number = a.endpoint group by 1, 2"
        );
        let row = |row: &rusqlite::Row<'_>| Ok(((row.get(0)?, row.get(1)?), row.get::<_, i64>(2)? as u64));
        for row in main.prepare(&sql).unwrap().query_map([], row).unwrap() {
            let (key, hits) = row.unwrap();
            *counts.entry(key).or_default() += hits;
        }
    }
    counts
}

pub(crate) fn total(counts: &Counts) -> u64 {
    counts.values().sum()
}

/// Files that hold one of these texts, in whatever state their pages are. Another process looks: one that closes a file of SQLite's
/// loses all locks that SQLite has on it in the same process.
pub(crate) fn holding(directory: &Path, texts: &[&str]) -> Vec<PathBuf> {
    let mut grep = Command::new("grep");
    grep.args(["-r", "-l", "-a", "-i", "-F"]).args(texts.iter().flat_map(|text| ["-e", text])).arg(directory);
    let output = grep.output().unwrap();
    // Files come and go while it looks; the error is then about one that went.
    assert!(!output.status.success() || !output.stdout.is_empty());
    String::from_utf8(output.stdout).unwrap().lines().map(PathBuf::from).collect()
}

/// The example of this name, as a program.
pub(crate) fn axum_app() -> PathBuf {
    let mut place = std::env::current_exe().unwrap();
    place.pop();
    place.pop();
    place = place.join("examples").join("axum_app");
    // `cargo test` builds the examples; `cargo test --test ..` does not.
    if !place.exists() {
        assert!(Command::new(env!("CARGO")).args(["build", "--example", "axum_app"]).status().unwrap().success());
    }
    place
}

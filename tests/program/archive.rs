//! `archive`, `restore` and `retention`: where nobody records, where somebody does, and when they are killed.

use std::{
    path::Path,
    process::Stdio,
    thread,
    time::{Duration, Instant, SystemTime},
};

use rusqlite::Connection;
use serde_json::Value;
use tower_analytics::{Analytics, Ask, Clock, Hit, Reports};

use crate::{
    common::{oracle, tables},
    running::{file, files, program, run, run_with},
};

/// 2024-01-10
const LONG_AGO: Duration = Duration::from_secs(1_704_844_800);
const RAW: &str = "analytics-202401.db";
const ARCHIVE: &str = "archive/analytics-202401.db.zst";

/// January 2024 with so many hits.
fn record(directory: &Path, hits: u64) -> Analytics {
    let clock = Clock::manual(SystemTime::UNIX_EPOCH + LONG_AGO);
    let analytics = Analytics::builder(directory).clock(clock.clone()).build().unwrap();
    for n in 0..hits {
        let mut hit = Hit::new("GET", ["/items", "/orders"][n as usize % 2]);
        hit.set_user(&format!("user {}", n * n % 997));
        hit.set_bytes(n * 7919 % 100_003, n * 104_729 % 1_000_003);
        analytics.recorder().send(&hit, Duration::from_secs(10)).unwrap();
        if n % 100 == 0 {
            clock.advance(Duration::from_secs(60));
        }
    }
    analytics.flush().unwrap();
    clock.set(SystemTime::now());
    analytics.flush().unwrap();
    analytics
}

fn recorded(place: &Path, hits: u64) {
    record(place, hits).shutdown(Duration::from_secs(30)).unwrap();
}

fn state(directory: &Path) -> String {
    Connection::open(directory.join("analytics.db")).unwrap().query_row("select state from parts", [], |row| row.get(0)).unwrap()
}

fn total(directory: &Path) -> u64 {
    Reports::open(directory).unwrap().stats(&Ask::all_time()).unwrap().total_hits
}

#[test]
fn a_month_goes_and_comes_back_where_nobody_records() {
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("data");
    recorded(&data, 2000);
    let out = run(place.path(), &["archive", "--older-than", "90d", "--data", "data"]).good();
    assert!(out.starts_with(&format!("{RAW}  2 000 hits: archived, ")) && out.contains(ARCHIVE), "{out}");
    assert_eq!((state(&data).as_str(), data.join(RAW).exists(), data.join(ARCHIVE).exists()), ("archived", false, true));
    assert_eq!(total(&data), 2000);
    let out = run(place.path(), &["archive", "--older-than", "90d", "--data", "data"]).good();
    assert!(out.contains("nothing was done"), "{out}");
    let out = run(place.path(), &["restore", "202401", "--data", "data", "--remove", "--json"]).good();
    let done: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&done["parts"][0]["month"], &done["parts"][0]["hits"]), (&Value::from("202401"), &Value::from(2000)));
    assert_eq!((data.join(RAW).exists(), data.join(ARCHIVE).exists()), (true, false));
    assert_eq!(oracle::check(&data), 2000);
    // Elsewhere, and the data directory moves.
    run(place.path(), &["archive", "--older-than", "1 year", "--data", "data", "--to", "cold"]).good();
    assert_eq!(files(&place.path().join("cold")).len(), 1);
    std::fs::rename(&data, place.path().join("moved")).unwrap();
    run(place.path(), &["restore", "202401", "--data", "moved"]).good();
    assert_eq!(oracle::check(&place.path().join("moved")), 2000);
}

#[test]
fn a_service_that_records_does_it_and_what_goes_wrong_is_said_by_the_command() {
    let place = tempfile::tempdir().unwrap();
    let analytics = record(place.path(), 500);
    let json = run(place.path(), &["archive", "--older-than", "90d", "--data", ".", "--json"]).good();
    let done: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&done["parts"][0]["what"], &done["parts"][0]["hits"]), (&Value::from("archived"), &Value::from(500)), "{json}");
    analytics.record(&Hit::new("GET", "/items"));
    analytics.flush().unwrap();
    assert_eq!(analytics.reports().stats(&Ask::all_time()).unwrap().total_hits, 501);
    std::fs::write(place.path().join(ARCHIVE), "no archive").unwrap();
    let error = run(place.path(), &["restore", "202401", "--data", "."]).bad();
    assert!(error.contains("is damaged: bring it back from a backup"), "{error}");
    let error = run(place.path(), &["archive", "--older-than", "soon", "--data", "."]).bad();
    assert!(error.contains("\"13 months\""), "{error}");
    let error = run(place.path(), &["restore", "--data", "."]);
    assert_eq!(error.code, 2, "{error:?}");
}

#[test]
fn a_backup_takes_along_what_was_put_away_elsewhere_unless_it_is_told_not_to() {
    let place = tempfile::tempdir().unwrap();
    recorded(&place.path().join("data"), 300);
    run(place.path(), &["archive", "--older-than", "90d", "--data", "data", "--to", "cold"]).good();
    let out = run(place.path(), &["backup", "small", "--data", "data", "--without-archives"]);
    assert!(out.code == 0 && out.err.contains("the raw hits of 202401 are not there to be copied"), "{out:?}");
    let out = run(place.path(), &["backup", "copy", "--data", "data"]);
    assert!(out.code == 0 && out.out.starts_with("Copied 2 files") && !out.err.contains("note"), "{out:?}");
    std::fs::remove_dir_all(place.path().join("cold")).unwrap();
    let out = run(place.path(), &["backup", "late", "--data", "data", "--json"]);
    let said: Value = serde_json::from_str(&out.out).unwrap();
    assert!(out.code == 1 && said["faults"][0].as_str().unwrap().contains("cold/analytics-202401.db.zst is not there"), "{out:?}");
    assert!(out.err.contains("error: not all archives are in the copy: 202401: "), "{out:?}");
    assert!(place.path().join("late/analytics.db").exists());
    let out = run(place.path(), &["verify", "copy"]).good();
    assert!(out.ends_with("0 hits in 2 files: all is sound.\n"), "{out}");
    run(place.path(), &["restore", "202401", "--data", "copy"]).good();
    assert_eq!(oracle::check(&place.path().join("copy")), 300);
}

const RULES: &str = "data = \"data\"\n[retention]\ndrop_raw_after = \"1 year\"\n";

#[test]
fn retention_shows_asks_and_only_then_removes() {
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("data");
    recorded(&data, 300);
    let settings = file(place.path(), "settings.toml", RULES);
    let args = |more: &[&'static str]| [&["retention", "--config", "settings.toml"], more].concat();
    assert_eq!(settings, "settings.toml");
    let error = run(place.path(), &["retention", "--data", "data"]).bad();
    assert!(error.contains("no rule says what becomes of old months: add [retention]"), "{error}");
    let out = run(place.path(), &args(&["--dry-run"])).good();
    assert!(
        out.contains(&format!("{RAW}  300 hits, ")) && out.contains("to be raw hits dropped") && out.contains("All in all 300 hits"),
        "{out}"
    );
    let json: Value = serde_json::from_str(&run(place.path(), &args(&["--dry-run", "--json"])).good()).unwrap();
    assert_eq!((&json["parts"][0]["hits"], &json["rules"]["drop_raw_after"]), (&Value::from(300), &Value::from("1 year")));
    for answer in ["", "no\n", "y\n", "Yes please\n"] {
        let error = run_with(place.path(), &args(&[]), answer).bad_after_asking();
        assert!(error.contains("nothing was done") && error.contains("300 hits"), "{error}");
        assert!(data.join(RAW).exists());
    }
    let done = run_with(place.path(), &args(&[]), "yes\n");
    assert!(done.code == 0 && done.out.contains("raw hits dropped"), "{done:?}");
    assert_eq!((state(&data).as_str(), data.join(RAW).exists(), total(&data)), ("dropped", false, 300));
    let out = run(place.path(), &args(&["--yes"])).good();
    assert!(out.contains("nothing was done"), "{out}");
    file(place.path(), "settings.toml", "data = \"data\"\n[retention]\ndrop_raw_after = \"soon\"\narchiv_after = \"1d\"\n");
    let error = run(place.path(), &args(&["--yes"])).bad();
    assert!(error.contains("retention.drop_raw_after: \"soon\"") && error.contains("archiv_after: unknown field"), "{error}");
}

impl crate::running::Done {
    /// What a run that asked first and then failed had to say.
    fn bad_after_asking(self) -> String {
        assert_eq!((self.code, self.out.as_str()), (1, ""), "{self:?}");
        self.err
    }
}

#[test]
fn a_kill_at_any_moment_leaves_the_old_state_or_the_new_one() {
    kills(14);
}

#[test]
#[cfg(not(debug_assertions))]
#[ignore = "takes minutes"]
fn a_hundred_kills_leave_the_old_state_or_the_new_one() {
    kills(100);
}

fn kills(rounds: u32) {
    let place = tempfile::tempdir().unwrap();
    let (data, hits) = (place.path(), 60_000);
    recorded(data, hits);
    let derived = tables::derived(data);
    let archive = ["archive", "--older-than", "90d", "--data", "."];
    let restore = ["restore", "202401", "--data", "."];
    let start = Instant::now();
    run(data, &archive).good();
    let long = start.elapsed();
    run(data, &restore).good();
    let mut found = [0, 0];
    for round in 0..rounds {
        for command in [&archive[..], &restore] {
            let mut child = program(data).args(command).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            // Over the whole of it, in no order.
            thread::sleep(long * (round * 37 % rounds) / rounds);
            drop(child.kill());
            child.wait().unwrap();
            let is_away = state(data) == "archived";
            found[usize::from(is_away)] += 1;
            // Before anybody tidies up: what the state says is there, whole.
            assert!(data.join(if is_away { ARCHIVE } else { RAW }).exists());
            assert!(Reports::open(data).unwrap().check().unwrap().is_sound());
            assert_eq!(total(data), hits);
            // Whoever comes next ends what was begun.
            drop(run(data, command));
            let is_away = state(data) == "archived";
            assert_eq!(is_away, command[0] == "archive", "round {round}");
            assert_eq!(data.join(RAW).exists(), !is_away);
            let left: Vec<_> = [files(data), files(&data.join("archive"))].concat();
            assert!(left.iter().all(|file| file.extension().is_none_or(|extension| extension != "part")), "{left:?}");
        }
        assert_eq!(oracle::check(data) as u64, hits);
    }
    assert!(found[0] > 0 && found[1] > 0, "{found:?}");
    tables::assert_same(&derived, &tables::derived(data));
}

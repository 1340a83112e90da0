//! Work on several months of which one is damaged: the others are done, and the command says which was not.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use serde_json::Value;
use tower_analytics::{Analytics, Ask, Clock, ErrorKind, Hit};

use crate::{
    common::{
        damage::{Damage, overwrite, overwritten},
        oracle,
    },
    running::{Done, file, run},
};

/// January to March 2024, 100 hits each, all complete.
fn three_months() -> (tempfile::TempDir, PathBuf) {
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("data");
    let clock = Clock::manual(SystemTime::UNIX_EPOCH + Duration::from_secs(1_704_844_800));
    let analytics = Analytics::builder(&data).clock(clock.clone()).build().unwrap();
    for _ in 0..3 {
        for n in 0..100 {
            let mut hit = Hit::new("GET", "/items");
            hit.set_user(&format!("user {n}"));
            analytics.record(&hit);
        }
        analytics.flush().unwrap();
        clock.advance(Duration::from_secs(30 * 86_400));
    }
    clock.set(SystemTime::now());
    (0..10).for_each(|_| analytics.flush().unwrap());
    analytics.shutdown(Duration::from_secs(30)).unwrap();
    (place, data)
}

const FEBRUARY: &str = "analytics-202402.db";
const OTHERS: [&str; 2] = ["analytics-202401.db", "analytics-202403.db"];

fn command(place: &Path, args: &[&str]) -> Done {
    run(place, &[args, &["--data", "data"]].concat())
}

/// It says what it did, and then for what it could not be done, and why.
#[track_caller]
fn is_half_done(done: &Done, why: &str) {
    assert_eq!(done.code, 1, "{done:?}");
    assert!(done.err.contains(&format!("error: it could not be done for 1 file: {FEBRUARY}: ")), "{done:?}");
    assert!(done.err.contains(why) && !done.err.contains(OTHERS[0]) && !done.err.contains(OTHERS[1]), "{done:?}");
}

/// As JSON: the files that were done, by this name, and the one that was not.
#[track_caller]
fn is_half_done_as_json(done: &Done, list: &str, name: &str) {
    is_half_done(done, "damaged");
    let json: Value = serde_json::from_str(&done.out).unwrap();
    let names: Vec<_> = json[list].as_array().unwrap().iter().map(|file| file[name].as_str().unwrap()).collect();
    assert!(OTHERS.iter().all(|other| names.contains(other)) && !names.contains(&FEBRUARY), "{json}");
    assert!(json["failed"][0]["file"] == FEBRUARY && json["failed"].as_array().unwrap().len() == 1, "{json}");
}

fn states(data: &Path) -> Vec<String> {
    let main = rusqlite::Connection::open(data.join("analytics.db")).unwrap();
    let mut states = main.prepare("select state from parts order by month").unwrap();
    states.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

fn damage(file: &Path) -> Vec<u8> {
    let good = fs::read(file).unwrap();
    overwritten(file);
    good
}

/// The first page of a table or an index.
fn overwrite_root(file: &Path, name: &str) {
    let raw = rusqlite::Connection::open(file).unwrap();
    let root: i64 = raw.query_row("select rootpage from sqlite_schema where name = ?", [name], |row| row.get(0)).unwrap();
    drop(raw);
    overwrite(file, 4096 * (root as u64 - 1), &[0xa5; 4096]);
}

#[test]
fn a_damaged_month_is_left_where_it_is_while_the_others_are_archived_and_brought_back() {
    let (place, data) = three_months();
    let good = damage(&data.join(FEBRUARY));
    let done = command(place.path(), &["archive", "--older-than", "90d"]);
    is_half_done(&done, "cannot seal analytics-202402.db, the file is damaged, restore it from a backup");
    assert!(OTHERS.iter().all(|other| done.out.contains(&format!("{other}  100 hits: archived"))), "{done:?}");
    assert_eq!(states(&data), ["archived", "sealed", "archived"]);
    // Alone it is an error as ever, and nothing else.
    let error = command(place.path(), &["archive", "--older-than", "90d"]).bad();
    assert!(error.starts_with("error: cannot seal analytics-202402.db, the file is damaged"), "{error}");
    let doctor = command(place.path(), &["doctor"]);
    assert!(doctor.out.contains("the job archive (number 1) failed: it could not be done for 1 file"), "{doctor:?}");

    fs::write(data.join(FEBRUARY), good).unwrap();
    command(place.path(), &["archive", "--older-than", "90d"]).good();
    let archive = data.join("archive").join(format!("{FEBRUARY}.zst"));
    let good = fs::read(&archive).unwrap();
    // Its head alone is looked at before anything is done; the rest is read when its turn comes.
    for at in [0, good.len() - 20] {
        let mut bad = good.clone();
        bad[at] ^= 0x55;
        fs::write(&archive, bad).unwrap();
        let done = command(place.path(), &["restore", "202401", "202402", "202403", "--json"]);
        is_half_done_as_json(&done, "parts", "file");
        assert_eq!(states(&data), ["sealed", "archived", "sealed"]);
        assert!(!data.join(FEBRUARY).exists() && !data.join(format!("{FEBRUARY}.part")).exists());
        command(place.path(), &["archive", "--older-than", "90d"]).good();
    }
    fs::write(&archive, good).unwrap();
    command(place.path(), &["restore", "202401", "202402", "202403"]).good();
    assert_eq!(oracle::check(&data), 300);
}

/// What is packed would be all that is left of it.
#[test]
fn a_month_that_is_not_whole_is_not_put_away_though_it_opens() {
    let damages: [(&str, Damage); 2] = [
        // What nobody looks at before the month is packed.
        ("is damaged and stays where it is", |file| overwrite_root(file, "sessions_user_202402")),
        ("it holds 99 hits, and 100 were counted", |file| {
            let raw = rusqlite::Connection::open(file).unwrap();
            assert_eq!(raw.execute("delete from session_actions_202402 where id = 50", []).unwrap(), 1);
        }),
    ];
    for (why, damage) in damages {
        let (place, data) = three_months();
        let good = fs::read(data.join(FEBRUARY)).unwrap();
        damage(&data.join(FEBRUARY));
        is_half_done(&command(place.path(), &["archive", "--older-than", "90d"]), why);
        assert_eq!(states(&data), ["archived", "sealed", "archived"]);
        assert!(data.join(FEBRUARY).exists() && !data.join("archive").join(format!("{FEBRUARY}.zst")).exists());
        fs::write(data.join(FEBRUARY), good).unwrap();
        command(place.path(), &["archive", "--older-than", "90d"]).good();
        assert_eq!(states(&data), ["archived"; 3]);
    }
}

#[test]
fn retention_goes_on_after_a_month_that_cannot_be_put_away() {
    let (place, data) = three_months();
    file(place.path(), "settings.toml", "data = \"data\"\n[retention]\narchive_after = \"90d\"\n");
    let good = damage(&data.join(FEBRUARY));
    let retention = || run(place.path(), &["retention", "--config", "settings.toml", "--yes", "--json"]);
    is_half_done_as_json(&retention(), "parts", "file");
    assert_eq!(states(&data), ["archived", "sealed", "archived"]);
    fs::write(data.join(FEBRUARY), good).unwrap();
    retention().good();
    assert_eq!(states(&data), ["archived"; 3]);
}

#[test]
fn counts_of_the_other_months_are_made_anew_and_files_of_the_other_months_made_small() {
    let (place, data) = three_months();
    let good = damage(&data.join(FEBRUARY));
    let main = rusqlite::Connection::open(data.join("analytics.db")).unwrap();
    main.execute("delete from daily_metrics where part <> 2", []).unwrap();
    drop(main);
    let done = command(place.path(), &["reprocess"]);
    is_half_done(&done, "cannot read analytics-202402.db, the file is damaged, restore it from a backup");
    assert_eq!(done.out, "Counted 200 hits anew.\n");
    let reports = tower_analytics::Reports::open(&data).unwrap();
    assert_eq!(reports.stats(&Ask::all_time()).unwrap().total_hits, 300);
    is_half_done_as_json(&command(place.path(), &["vacuum", "--json"]), "files", "name");
    is_half_done(&command(place.path(), &["vacuum"]), "cannot make analytics-202402.db small (it is as it was)");
    fs::write(data.join(FEBRUARY), good).unwrap();
    for args in [&["reprocess"][..], &["vacuum"], &["verify"]] {
        command(place.path(), args).good();
    }
    assert_eq!(oracle::check(&data), 300);
}

/// What reads it says so when it comes there, after others were done.
#[test]
fn a_month_that_cannot_be_read_keeps_its_counts_and_is_counted_anew_once_its_file_is_back() {
    let (_place, data) = three_months();
    let february = data.join(FEBRUARY);
    let analytics = Analytics::open(&data).unwrap();
    let good = fs::read(&february).unwrap();
    overwrite_root(&february, "session_actions_202402");
    let done = analytics.maintenance().reprocess_months(&[], |_, _| {}).unwrap();
    assert_eq!((done.hits, done.failed.len(), &*done.failed[0].file), (200, 1, FEBRUARY), "{done:?}");
    let error = analytics.maintenance().reprocess(|_, _| {}).unwrap_err();
    assert!(error.kind() == ErrorKind::Job && error.to_string().contains(FEBRUARY), "{error}");
    assert_eq!(analytics.reports().stats(&Ask::all_time()).unwrap().total_hits, 300);
    let job = analytics.reports().jobs().unwrap().jobs[0].clone();
    assert!(job.state == "failed" && job.message.contains(FEBRUARY), "{job:?}");
    fs::write(&february, good).unwrap();
    assert_eq!(analytics.maintenance().reprocess_months(&["202402"], |_, _| {}).unwrap().hits, 100);
    analytics.shutdown(Duration::from_secs(30)).unwrap();
    assert_eq!(oracle::check(&data), 300);
}

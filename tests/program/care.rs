//! `backup`, `vacuum`, `reset`, `user forget` and `user merge`, where nobody records and where somebody does.

use std::{fs, path::Path, time::Duration};

use serde_json::Value;
use tower_analytics::{Analytics, Ask, Hit, Reports};

use crate::{
    common::holding,
    running::{Server, fed, mode, program, run, run_with},
};

const ID: &str = "4f1c0a7e55d94b6f8f5c2a91b3d7e608";

fn recording(directory: &Path) -> Analytics {
    let analytics = Analytics::open(directory).unwrap();
    for n in 0..200 {
        let mut hit = Hit::new("GET", "/items");
        hit.set_user(&format!("user {}", n % 7));
        analytics.record(&hit);
    }
    let mut hit = Hit::new("GET", "/items");
    hit.set_user(ID);
    hit.set_error("refused", &format!("{ID} may not"));
    analytics.record(&hit);
    analytics.flush().unwrap();
    analytics
}

fn recorded(directory: &Path) {
    recording(directory).shutdown(Duration::from_secs(30)).unwrap();
}

fn hits(directory: &Path) -> u64 {
    Reports::open(directory).unwrap().stats(&Ask::all_time()).unwrap().total_hits
}

fn json(out: &str) -> Value {
    serde_json::from_str(out).unwrap()
}

fn holds(directory: &Path, text: &str) -> bool {
    !holding(directory, &[text]).is_empty()
}

#[test]
fn a_backup_is_made_where_nobody_records_and_where_somebody_does() {
    let place = tempfile::tempdir().unwrap();
    recorded(&place.path().join("data"));
    let out = run(place.path(), &["backup", "one", "--data", "data"]).good();
    assert!(out.starts_with("Copied 2 files, ") && out.contains("/one: all that was stored at "), "{out}");
    let analytics = recording(&place.path().join("data"));
    let done = run(place.path(), &["backup", "two", "--data", "data", "--json"]).good();
    assert_eq!((json(&done)["replaced"].clone(), json(&done)["files"].as_array().unwrap().len()), (Value::Bool(false), 2));
    assert_eq!((hits(&place.path().join("one")), hits(&place.path().join("two"))), (201, 402));
    drop(analytics);
    let error = run(place.path(), &["backup", "two", "--data", "data"]).bad();
    assert!(error.contains("two is there already and not empty: name a directory that is not there yet"), "{error}");
    let error = run(place.path(), &["backup", "three", "--data", "misspelt"]).bad();
    assert!(error.contains("nothing has been recorded in misspelt"), "{error}");
    assert!(!place.path().join("three").exists() && !place.path().join("misspelt").exists());
}

#[test]
#[cfg(unix)]
fn a_backup_holds_who_may_sign_in_and_nobody_else_may_read_it() {
    let place = tempfile::tempdir().unwrap();
    recorded(&place.path().join("data"));
    run_with(place.path(), &["user", "add", "ann", "--data", "data"], "correct horse battery\n").good();
    run(place.path(), &["backup", "copy", "--data", "data"]).good();
    for file in ["access.db", "analytics.db"] {
        assert_eq!(mode(&place.path().join("copy").join(file)), 0o600);
    }
    assert_eq!(mode(&place.path().join("copy")), 0o700);
    assert!(run(place.path(), &["user", "list", "--data", "copy"]).good().contains("ann"));
    // What it is for.
    let server = Server::start(place.path(), &["--data", "copy"]);
    assert_eq!(server.get("/analytics/login", None).status, 200);
    assert!(server.post("/analytics/login", "username=ann&password=correct+horse+battery").cookie.is_some());
}

#[test]
fn what_an_earlier_run_left_is_replaced_with_a_word() {
    let place = tempfile::tempdir().unwrap();
    recorded(&place.path().join("data"));
    fs::create_dir(place.path().join("copy.partial")).unwrap();
    fs::write(place.path().join("copy.partial/backup.json"), "").unwrap();
    fs::write(place.path().join("copy.partial/analytics.db"), "half").unwrap();
    let done = run(place.path(), &["backup", "copy", "--data", "data"]);
    assert!(done.err.contains("an earlier backup to this place that was broken off is deleted"), "{done:?}");
    done.good();
    assert_eq!(hits(&place.path().join("copy")), 201);
}

#[test]
fn a_vacuum_says_what_each_file_took_before_and_after() {
    let place = tempfile::tempdir().unwrap();
    recorded(&place.path().join("data"));
    let main = rusqlite::Connection::open(place.path().join("data/analytics.db")).unwrap();
    main.execute_batch("create table t (x); insert into t values (zeroblob(3000000)); drop table t").unwrap();
    drop(main);
    let done = json(&run(place.path(), &["vacuum", "--data", "data", "--json"]).good());
    assert!(done["before"].as_u64().unwrap() > done["after"].as_u64().unwrap() + 2_900_000, "{done}");
    assert_eq!(done["files"][0]["name"], "analytics.db");
    let analytics = recording(&place.path().join("data"));
    let out = run(place.path(), &["vacuum", "--data", "data"]).good();
    assert!(out.contains("analytics.db") && out.lines().last().is_some_and(|line| line.ends_with(" now.")), "{out}");
    assert_eq!(analytics.counters().faults, 0);
}

#[test]
fn a_reset_wants_the_directorys_name_and_leaves_all_where_it_is_not_typed() {
    let place = tempfile::tempdir().unwrap();
    recorded(&place.path().join("data"));
    run_with(place.path(), &["user", "add", "ann", "--data", "data"], "correct horse battery\n").good();
    for typed in ["", "yes\n", "Data\n", "data.\n"] {
        let done = fed(program(place.path()).args(["reset", "--data", "data"]), typed);
        assert_eq!((done.code, done.out.as_str()), (1, ""), "{done:?}");
        assert!(done.err.contains("To go on, type data: ") && done.err.contains("nothing was deleted"), "{done:?}");
    }
    assert_eq!(hits(&place.path().join("data")), 201);
    let out = run_with(place.path(), &["reset", "--data", "data"], "data\n").good();
    assert!(out.starts_with("Deleted 1 files of raw hits"), "{out}");
    assert_eq!(hits(&place.path().join("data")), 0);
    assert!(run(place.path(), &["user", "list", "--data", "data"]).good().contains("ann"));

    let analytics = recording(&place.path().join("data"));
    let done = json(&run(place.path(), &["reset", "--data", "data", "--yes", "--sign-in-too", "--json"]).good());
    assert_eq!(done["files"], 1);
    assert_eq!(analytics.reports().stats(&Ask::all_time()).unwrap().total_hits, 0);
    assert!(!run(place.path(), &["user", "list", "--data", "data"]).good().contains("ann"));
    assert!(!holds(&place.path().join("data"), "ann"));
    let error = run(place.path(), &["reset", "--data", "misspelt", "--yes"]).bad();
    assert!(error.contains("nothing has been recorded in misspelt"), "{error}");
}

#[test]
fn forgetting_somebody_says_what_was_found_and_what_is_not_covered() {
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("data");
    let analytics = recording(&data);
    run(place.path(), &["backup", "copies/monday", "--data", "data"]).good();
    let done = run(place.path(), &["user", "forget", ID, "--data", "data"]);
    assert!(done.err.contains("not covered are backups") && done.err.contains("copies/monday"), "{done:?}");
    assert_eq!(done.good(), "Forgotten: 1 id, 2 texts that held one, keys of 0 sessions.\n");
    assert!(!holds(&data, ID) && holds(&place.path().join("copies/monday"), ID));
    assert!(analytics.reports().user(&Ask::all_time(), ID).unwrap().is_none());
    assert_eq!(analytics.reports().stats(&Ask::all_time()).unwrap().total_users, 8);
    let error = run(place.path(), &["user", "forget", ID, "--data", "data"]).bad();
    assert!(error.contains("nobody has this id, and no text holds it"), "{error}");
    assert!(!holds(&data, ID), "that it was asked for again is not kept either");
}

#[test]
fn a_sign_in_of_the_same_name_goes_only_if_that_is_said() {
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("data");
    recorded(&data);
    run_with(place.path(), &["user", "add", ID, "--data", "data"], "correct horse battery\n").good();
    let done = run(place.path(), &["user", "forget", ID, "--data", "data"]);
    assert!(done.err.contains("somebody signs in by this name, which stays: --sign-in removes that"), "{done:?}");
    assert!(run(place.path(), &["user", "list", "--data", "data"]).good().contains(ID));
    let done = json(&run(place.path(), &["user", "forget", ID, "--data", "data", "--sign-in", "--json"]).good());
    assert_eq!((done["sign_in_removed"].clone(), done["ids"].clone()), (Value::Bool(true), Value::from(0)));
    assert!(!holds(&data, ID));
}

#[test]
fn two_ids_become_one_person_and_what_cannot_be_is_said() {
    let place = tempfile::tempdir().unwrap();
    recorded(&place.path().join("data"));
    let merge = |from: &str, into: &str| run(place.path(), &["user", "merge", from, into, "--data", "data"]);
    assert_eq!(merge(ID, "user 1").good(), format!("{ID} counts as user 1 from now on.\n"));
    let reports = Reports::open(place.path().join("data")).unwrap();
    assert_eq!(reports.stats(&Ask::all_time()).unwrap().total_users, 7);
    assert_eq!(reports.user(&Ask::all_time(), ID).unwrap().into_inner().unwrap().user.user_id, "user 1");
    assert!(merge(ID, "user 1").bad().contains("count as one already"));
    assert!(merge("user 2", "nobody").bad().contains("there is no user \"nobody\""));
    assert!(merge("user 2", "user 2").bad().contains("count as one already"));
    let out = run(place.path(), &["user", "merge", "user 2", "user 3", "--data", "data", "--json"]).good();
    assert_eq!(json(&out)["into"], "user 3");
}

#[test]
fn each_of_them_shows_how_it_is_used() {
    let place = tempfile::tempdir().unwrap();
    for command in [&["backup"][..], &["vacuum"], &["reset"], &["user", "forget"], &["user", "merge"]] {
        let out = run(place.path(), &[command, &["--help"]].concat()).good();
        assert!(out.contains("Examples:") && out.contains(&format!("tower-analytics {} ", command.join(" "))), "{out}");
        assert!(out.contains("--data") && out.contains("--config") && out.contains("--json"), "{out}");
    }
}

#[test]
fn an_access_log_is_imported_with_the_durations_that_its_last_field_says() {
    let place = tempfile::tempdir().unwrap();
    let line = |n: u64| format!("192.0.2.1 - ann [10/Mar/2025:03:00:0{n} +0000] \"GET /items HTTP/1.1\" 200 5 \"-\" \"curl/8\" 250000\n");
    // The last one is still being written.
    fs::write(place.path().join("access.log"), (0..4).map(line).collect::<String>() + &line(4)[..80]).unwrap();
    let import = ["import", "access-log", "access.log", "--data", "data", "--routes", "/items"];
    let done = run(place.path(), &[&import[..], &["--duration", "micros"]].concat());
    assert!(done.code == 0 && done.out.contains("left for the next import"), "{done:?}");
    let endpoints = Reports::open(place.path().join("data")).unwrap().endpoints(&Ask::all_time()).unwrap().into_inner();
    assert_eq!(endpoints[0].hits, 4);
    assert!(endpoints[0].p50.abs_diff(Duration::from_millis(250)) < Duration::from_millis(10), "{:?}", endpoints[0].p50);
    let done = run(place.path(), &[&import[..], &["--duration", "hours"]].concat());
    assert!(done.code == 2 && done.err.contains("seconds, millis, micros"), "{done:?}");
}

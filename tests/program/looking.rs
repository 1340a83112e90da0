//! `stats`, `parts`, `doctor`, `verify`, `export` and `user export`: they look, beside a service that records and without one.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::Path,
    process::Stdio,
    time::{Duration, SystemTime},
};

use rusqlite::Connection;
use serde_json::{Value, json};
use tower_analytics::{Analytics, Clock, Config, Hit};

use crate::{
    common::damage::{flipped, overwrite},
    running::{Done, file, mode, program, run},
};

const DATA: &str = "analytics-data";

fn record(analytics: &Analytics, hits: u64) {
    for n in 0..hits {
        let mut hit = Hit::new("GET", ["/items", "/orders"][n as usize % 2]);
        hit.set_user(&format!("user {}", n % 10));
        hit.set_client("ios", "2.0", "iPhone", "");
        hit.set_status(if n % 5 == 0 { 500 } else { 200 });
        analytics.recorder().send(&hit, Duration::from_secs(30)).unwrap();
    }
    analytics.flush().unwrap();
}

/// A service that records in the directory, in this process.
fn service(at: &Path) -> Analytics {
    let analytics = Analytics::builder(at.join(DATA)).time_zone("Europe/Berlin").build().unwrap();
    record(&analytics, 100);
    analytics
}

/// The same after it ended.
fn recorded(at: &Path) {
    service(at).shutdown(Duration::from_secs(30)).unwrap();
}

fn json(done: &Done) -> Value {
    serde_json::from_str(&done.out).unwrap_or_else(|error| panic!("{error}: {done:?}"))
}

fn main(at: &Path) -> Connection {
    Connection::open(at.join(DATA).join("analytics.db")).unwrap()
}

/// The one part's file.
fn part(at: &Path) -> String {
    main(at).query_row("select file from parts", [], |row| row.get(0)).unwrap()
}

#[test]
fn stats_say_what_is_there_beside_a_service_and_without_it() {
    let place = tempfile::tempdir().unwrap();
    let at = place.path();
    let analytics = service(at);
    for is_beside in [true, false] {
        let stats = json(&run(at, &["stats", "--json"]));
        let counts = ["users", "visitors", "hits", "errors", "months", "parts"].map(|name| stats[name].as_u64().unwrap());
        assert_eq!(counts, [10, 0, 100, 20, 1, 1], "{stats}");
        assert_eq!((&stats["time_zone"], &stats["sessions"]), (&json!("Europe/Berlin"), &json!(10)));
        assert_eq!((&stats["counters"]["written"], stats["recording"].as_bool()), (&json!(100), Some(true)), "{stats}");
        if !is_beside {
            let sizes = fs::read_dir(at.join(DATA)).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len());
            assert_eq!(stats["bytes"].as_u64().unwrap(), sizes.sum::<u64>());
        }
        let endpoints = &stats["dictionaries"][1];
        assert_eq!(endpoints, &json!({"name": "endpoints", "entries": 2, "other_hits": 0, "cap": 5000}));
        let text = run(at, &["stats"]).good();
        for line in ["Hits       100", "Users      10", "Recording  yes", "Zone       Europe/Berlin", "Dropped    none", "analytics.db"] {
            assert!(text.contains(line), "{line:?} in {text}");
        }
        analytics.shutdown(Duration::from_secs(30)).unwrap();
    }
    main(at).execute("update meta set value = 0 where key = 'heartbeat'", []).unwrap();
    assert_eq!(json(&run(at, &["stats", "--json"]))["recording"], false);
}

#[test]
fn parts_say_what_each_file_holds_and_how_big_it_is() {
    let place = tempfile::tempdir().unwrap();
    let at = place.path();
    recorded(at);
    let file = part(at);
    let list = json(&run(at, &["parts", "--json"]));
    let row = &list[0];
    assert_eq!((list.as_array().unwrap().len(), &row["file"], &row["state"]), (1, &json!(file), &json!("open")));
    assert_eq!((&row["hits"], &row["sessions"], &row["watermark"], &row["totals"]), (&json!(100), &json!(10), &json!(100), &json!(false)));
    assert_eq!((&row["zone"], &row["source"]), (&json!("Europe/Berlin"), &json!("recorder")));
    assert_eq!(row["bytes"].as_u64().unwrap(), fs::metadata(at.join(DATA).join(&file)).unwrap().len());
    let text = run(at, &["parts", "--data", DATA]).good();
    assert!(text.contains(&file) && text.contains("watermark"), "{text}");
    fs::remove_file(at.join(DATA).join(&file)).unwrap();
    assert_eq!(json(&run(at, &["parts", "--json"]))[0]["bytes"], Value::Null);
}

#[test]
fn where_nothing_was_recorded_the_commands_say_so_and_make_no_file() {
    let place = tempfile::tempdir().unwrap();
    let at = place.path();
    for command in [&["stats"][..], &["parts"], &["verify"], &["verify", "nowhere"], &["export", "users"], &["user", "export", "ann"]] {
        let said = run(at, command).bad();
        assert!(said.contains("nothing has been recorded in"), "{command:?}: {said}");
    }
    let done = run(at, &["doctor"]);
    assert_eq!(done.code, 1);
    assert!(done.out.contains("analytics-data cannot be read") && done.out.contains("check --data"), "{done:?}");
    assert_eq!(fs::read_dir(at).unwrap().count(), 0);
}

/// What the doctor finds: code and severity, and a word of each.
fn findings(at: &Path, code: i32) -> Vec<(String, String, String)> {
    let done = run(at, &["doctor", "--json"]);
    assert_eq!(done.code, code, "{done:?}");
    let text = |finding: &Value, name: &str| finding[name].as_str().unwrap().to_owned();
    let findings = json(&done);
    let list = findings["findings"].as_array().unwrap();
    list.iter().map(|finding| (text(finding, "code"), text(finding, "severity"), text(finding, "what"))).collect()
}

#[track_caller]
fn finds(at: &Path, code: &str, severity: &str, words: &str) {
    let found = findings(at, 1);
    let is_it = |(c, s, what): &(String, String, String)| c == code && s == severity && what.contains(words);
    assert!(found.iter().any(is_it), "no {severity} {code} {words:?} in {found:#?}");
}

#[test]
fn users_past_their_cap_share_one_and_the_doctor_says_how_many_hits_that_are() {
    let place = tempfile::tempdir().unwrap();
    let at = place.path();
    let mut config = Config::default();
    (config.data, config.recording.users) = (at.join(DATA), 7);
    let analytics = Analytics::builder(at.join(DATA)).config(config).build().unwrap();
    record(&analytics, 100);
    finds(at, "dictionary_full", "warning", "the dictionary of users was full: 30 hits share (other)");
    assert!(run(at, &["doctor"]).out.contains("raise recording.users"));
    analytics.shutdown(Duration::from_secs(30)).unwrap();
}

#[test]
fn caps_are_those_of_whoever_records_and_nearly_full_dictionaries_are_named() {
    let place = tempfile::tempdir().unwrap();
    let at = place.path();
    let mut config = Config::default();
    (config.data, config.recording.endpoints) = (at.join(DATA), 30);
    let analytics = Analytics::builder(at.join(DATA)).config(config).build().unwrap();
    let record = |endpoints: std::ops::Range<u64>| {
        endpoints.for_each(|n| analytics.record(&Hit::new("GET", &format!("/items/{n}"))));
        analytics.flush().unwrap();
    };
    // What somebody else's settings say is nothing to a writer that has others.
    let settings = file(at, "settings.toml", "[recording]\nendpoints = 2\n");
    let cap = || json(&run(at, &["stats", "--json", "--data", DATA, "--config", &settings]))["dictionaries"][1]["cap"].clone();
    record(0..20);
    assert_eq!(cap(), 30);
    assert!(!findings(at, 0).iter().any(|(code, ..)| code.starts_with("dictionary")));
    record(20..27);
    finds(at, "dictionary_near_cap", "warning", "the dictionary of endpoints holds 27 of 30: past that they share (other)");
    record(27..50);
    finds(at, "dictionary_full", "warning", "the dictionary of endpoints was full: 22 hits share (other)");
    assert!(run(at, &["doctor"]).out.contains("raise recording.endpoints"));
    assert!(!findings(at, 1).iter().any(|(code, ..)| code == "dictionary_near_cap"));
    // A directory of an older version does not say.
    main(at).execute("delete from meta where key = 'caps'", []).unwrap();
    assert_eq!(cap(), 5000);
    analytics.shutdown(Duration::from_secs(30)).unwrap();
}

#[test]
fn the_doctor_finds_nothing_to_do_beside_a_service_and_says_who_records() {
    let place = tempfile::tempdir().unwrap();
    let analytics = service(place.path());
    let found = findings(place.path(), 0);
    let me = if cfg!(target_os = "linux") { format!("process {} (", std::process::id()) } else { "somebody records".to_owned() };
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].2.contains(&me) && found[0].0 == "recording", "{found:?}");
    assert!(run(place.path(), &["doctor"]).good().ends_with("All is well.\n"));
    analytics.shutdown(Duration::from_secs(30)).unwrap();
}

#[test]
fn the_doctor_says_what_is_wrong_with_a_writer() {
    let place = tempfile::tempdir().unwrap();
    let at = place.path();
    let analytics = service(at);
    // It cannot say that it lives: its clock is that of another day.
    analytics.shutdown(Duration::from_secs(30)).unwrap();
    finds(at, "not_recording", "warning", "nobody records here; a writer last said that it lives: 20");
    let counters = r#"{"dropped_queue_full": 7, "dropped_closed_month": 2, "hooks_removed": 1, "faults": 3}"#;
    main(at).execute("update meta set value = ? where key = 'counters'", [counters]).unwrap();
    finds(at, "dropped", "problem", "7 hits were dropped since the last writer began: queue full");
    finds(at, "dropped", "problem", "2 hits were dropped since the last writer began: closed month");
    finds(at, "hooks", "warning", "1 hooks");
    finds(at, "faults", "note", "refused 3 writes");
    let job =
        "insert into jobs (kind, argument, state, done, total, message, changed) values ('reprocess', '', ?, 0, 0, 'no room', unixepoch())";
    main(at).execute(job, ["failed"]).unwrap();
    finds(at, "job_failed", "warning", "reprocess (number 1) failed: no room");
    main(at).execute(job, ["waiting"]).unwrap();
    finds(at, "job_waiting", "warning", "reprocess (number 2) waits");
    main(at).execute("update jobs set message = 'it was interrupted 3 times' where state = 'waiting'", []).unwrap();
    finds(at, "job_interrupted", "problem", "reprocess (number 2) is not done: it was interrupted 3 times");
    // A fault of last year is history.
    main(at).execute("update jobs set changed = 5", []).unwrap();
    assert!(!findings(at, 1).iter().any(|(code, ..)| code == "job_failed"));
    main(at).execute("update meta set value = 5 where key = 'heartbeat'", []).unwrap();
    let lock = fs::File::options().write(true).open(at.join(DATA).join("lock")).unwrap();
    lock.lock().unwrap();
    finds(at, "heartbeat", "problem", "the lock is held, but its holder last said that it lives: 1970-01-01");
}

/// Done to the directory, and to its part.
type Damage = fn(&Path, &Path);

#[test]
fn the_doctor_says_what_is_wrong_with_files() {
    let damages: [(&str, &str, &str, Damage); 11] = [
        ("part_missing", "problem", "is missing; 100 hits of it are in the roll-ups alone", |_, part| fs::remove_file(part).unwrap()),
        ("part_damaged", "problem", "cannot be read", |_, part| fs::write(part, "no database at all".repeat(500)).unwrap()),
        ("part_damaged", "problem", "another file than the one", |_, part| {
            Connection::open(part).unwrap().execute("update part set file_id = randomblob(16)", []).map(drop).unwrap();
        }),
        ("part_damaged", "problem", "is damaged: ", |_, part| flipped(part)),
        ("file_damaged", "problem", "analytics.db is damaged: ", |data, _| {
            let main = Connection::open(data.join("analytics.db")).unwrap();
            main.query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(())).unwrap();
            let root = "select rootpage from sqlite_schema where name = 'openings'";
            let page: i64 = main.query_row(root, [], |row| row.get(0)).unwrap();
            drop(main);
            overwrite(&data.join("analytics.db"), 4096 * (page as u64 - 1), &[0xa5; 4096]);
        }),
        ("legacy", "warning", "app_usage.json", |data, _| fs::write(data.join("app_usage.json"), "{}").unwrap()),
        ("large_log", "warning", "access.db-wal has 65 MB", |data, _| {
            fs::File::create(data.join("access.db-wal")).unwrap().set_len(65 << 20).unwrap();
        }),
        ("newer_schema", "problem", "newer tower-analytics", |data, _| {
            Connection::open(data.join("analytics.db")).unwrap().pragma_update(None, "user_version", 99).unwrap();
        }),
        ("unreadable", "problem", "damaged", |data, _| fs::write(data.join("analytics.db"), "no database at all".repeat(500)).unwrap()),
        ("orphaned", "problem", "no analytics.db", |data, _| fs::remove_file(data.join("analytics.db")).unwrap()),
        ("zone", "warning", "are not those of the reporting zone Asia/Tokyo yet", |data, _| {
            let main = Connection::open(data.join("analytics.db")).unwrap();
            main.execute("update meta set value = 'Asia/Tokyo' where key = 'zone'", []).map(drop).unwrap();
        }),
    ];
    for (code, severity, words, damage) in damages {
        let place = tempfile::tempdir().unwrap();
        let at = place.path();
        recorded(at);
        let file = at.join(DATA).join(part(at));
        damage(&at.join(DATA), &file);
        finds(at, code, severity, words);
    }
}

#[test]
fn the_doctor_knows_a_directory_of_the_legacy_tool() {
    let place = tempfile::tempdir().unwrap();
    fs::create_dir(place.path().join(DATA)).unwrap();
    finds(place.path(), "empty", "warning", "nothing has been recorded here yet");
    main(place.path()).execute_batch("create table sessions (session_id text primary key, discord_id text)").unwrap();
    finds(place.path(), "legacy", "problem", "analytics.db is one of the legacy tool");
}

#[cfg(unix)]
#[test]
fn the_doctor_says_who_may_read_the_sign_in_and_whose_files_these_are() {
    use std::os::unix::fs::PermissionsExt;

    let place = tempfile::tempdir().unwrap();
    let at = place.path();
    recorded(at);
    let access = at.join(DATA).join("access.db");
    fs::write(&access, "").unwrap();
    fs::set_permissions(&access, fs::Permissions::from_mode(0o644)).unwrap();
    finds(at, "access_mode", "problem", "its mode is 644");
    fs::set_permissions(&access, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(!findings(at, 1).iter().any(|(code, ..)| code == "access_mode"));
    // Only root may give files away.
    if std::os::unix::fs::chown(&access, Some(12_345), None).is_ok() {
        finds(at, "owner", "problem", "access.db (12345)");
    }
}

#[test]
fn the_doctor_finds_months_that_were_not_sealed() {
    let place = tempfile::tempdir().unwrap();
    let at = place.path();
    let clock = Clock::manual(SystemTime::now() - Duration::from_secs(70 * 86_400));
    let analytics = Analytics::builder(at.join(DATA)).clock(clock).build().unwrap();
    record(&analytics, 10);
    analytics.shutdown(Duration::from_secs(30)).unwrap();
    finds(at, "unsealed", "note", "is not sealed, though its month is over");
}

#[test]
fn verify_is_a_yes_or_a_no_with_what_is_wrong_where() {
    let place = tempfile::tempdir().unwrap();
    let at = place.path();
    recorded(at);
    let backup = at.join("backup");
    fs::create_dir(&backup).unwrap();
    for entry in fs::read_dir(at.join(DATA)).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), backup.join(entry.file_name())).unwrap();
    }
    assert_eq!(run(at, &["verify", "backup"]).good(), "100 hits in 2 files: all is sound.\n");
    let sound = json(&run(at, &["verify", "--json"]));
    assert_eq!(sound, json!({"files": 2, "hits": 100, "faults": [], "notes": []}));
    let main = Connection::open(backup.join("analytics.db")).unwrap();
    main.execute("update daily_metrics set hits = 77 where dimension = 0", []).unwrap();
    drop(main);
    let done = run(at, &["verify", "backup"]);
    assert_eq!((done.code, done.err.as_str()), (1, ""), "{done:?}");
    assert!(done.out.contains("fault: analytics.db, daily_metrics, part 1, people, all, "), "{done:?}");
    assert!(done.out.contains("hits is 77, from raw hits it is 100\n  do: reprocess"), "{done:?}");
    let done = run(at, &["verify", "backup", "--json"]);
    assert_eq!((done.code, json(&done)["faults"].as_array().unwrap().len()), (1, 1));
    // That of the other directory is as it was.
    run(at, &["verify"]).good();
}

#[test]
fn exports_go_to_the_standard_output_or_a_file_of_ones_own() {
    let place = tempfile::tempdir().unwrap();
    let at = place.path();
    let analytics = service(at);
    let sessions = run(at, &["export", "sessions"]).good();
    assert_eq!(sessions.matches("\r\n").count(), 11, "{sessions}");
    assert!(sessions.starts_with("session_id,user_id,"), "{sessions}");
    let actions = run(at, &["export", "actions", "--format", "ndjson", "--user", "user 3", "--status", "2xx", "--days", "2"]).good();
    let actions: Vec<Value> = actions.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(actions.len(), 10);
    assert!(actions.iter().all(|action| action["user_id"] == "user 3" && action["endpoint"] == "GET /orders"), "{actions:?}");
    let done = run(at, &["export", "users", "--out", "users.csv"]);
    assert_eq!((done.code, done.out.as_str(), done.err.as_str()), (0, "", "10 rows in users.csv\n"));
    assert_eq!(fs::read_to_string(at.join("users.csv")).unwrap().lines().count(), 11);
    #[cfg(unix)]
    assert_eq!(mode(&at.join("users.csv")), 0o600);
    assert_eq!(run(at, &["export", "daily", "--bots", "only"]).good(), "");
    // What is asked wrongly leaves nothing behind.
    for (args, words) in [
        (&["--status", "nonsense"][..], "status \"nonsense\" is not a code"),
        (&["--from", "yesterday"], "from \"yesterday\" is neither a date"),
    ] {
        let said = run(at, &[&["export", "sessions", "--out", "new.csv"], args].concat()).bad();
        assert!(said.contains(words), "{said}");
    }
    let said = run(at, &["export", "sessions", "--out", "no/such/place.csv"]).bad();
    assert!(said.contains("cannot write no/such/place.csv"), "{said}");
    assert_eq!(run(at, &["export", "sessions", "--days", "3", "--from", "2026-11-02"]).code, 2);
    let left: Vec<_> = fs::read_dir(at).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
    analytics.shutdown(Duration::from_secs(30)).unwrap();
}

#[test]
fn a_person_is_exported_as_one_document() {
    let place = tempfile::tempdir().unwrap();
    let at = place.path();
    recorded(at);
    let person: Value = serde_json::from_str(&run(at, &["user", "export", "user 3"]).good()).unwrap();
    assert_eq!((&person["user"]["user_id"], &person["user"]["hits"]), (&json!("user 3"), &json!(10)));
    assert_eq!(person["sessions"][0]["actions"].as_array().unwrap().len(), 10);
    let done = run(at, &["user", "export", "user 3", "--out", "person.json"]);
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(serde_json::from_slice::<Value>(&fs::read(at.join("person.json")).unwrap()).unwrap(), person);
    let said = run(at, &["user", "export", "nobody", "--out", "nobody.json"]).bad();
    assert!(said.contains("nobody with the id \"nobody\" was recorded"), "{said}");
    assert!(!at.join("nobody.json").exists());
    let help = run(at, &["user", "--help"]).good();
    assert!(help.contains("export is about the people who"), "{help}");
}

#[test]
fn what_was_imported_is_looked_at_as_what_was_recorded() {
    let place = tempfile::tempdir().unwrap();
    let at = place.path();
    recorded(at);
    let session = |n: u32, endpoints: Value| {
        json!({
            "session_id": format!("s{n}"), "discord_id": format!("{n}"), "username": "ann", "device_info": "Pixel 9", "platform": "Android",
            "app_version": "1.0", "started_at": format!("2025-12-0{}T10:00:00", n % 9 + 1), "ended_at": format!("2025-12-0{}T10:07:30", n % 9 + 1),
            "duration_minutes": 7.5, "ip_address": "198.51.100.7", "screens_visited": [], "actions_count": 3, "endpoints_used": endpoints,
        })
    };
    let sessions: Vec<Value> = (1..21).map(|n| session(n, json!({"user.get": 2, "tickets.get": 1}))).collect();
    let legacy = json!({"sessions": sessions, "daily_stats": {}, "user_stats": {}});
    file(at, "app_analytics.json", &legacy.to_string());
    run(at, &["import", "legacy", "app_analytics.json"]).good();
    assert!(run(at, &["verify"]).good().ends_with("all is sound.\n"));
    let parts = json(&run(at, &["parts", "--json"]));
    let imported = parts.as_array().unwrap().iter().find(|part| part["month"] == "202512").unwrap();
    assert_eq!((&imported["hits"], &imported["sessions"], &imported["totals"]), (&json!(60), &json!(20), &json!(true)), "{parts}");
    assert_ne!(imported["source"], "recorder");
    let range = ["--from", "2025-12-01", "--to", "2026-01-01"];
    let lines = |what: &str| run(at, &[&["export", what][..], &range].concat()).good().lines().count();
    assert_eq!([lines("sessions"), lines("actions"), lines("users")], [21, 61, 21]);
    let person: Value = serde_json::from_str(&run(at, &["user", "export", "7"]).good()).unwrap();
    assert_eq!(person["sessions"][0]["actions"].as_array().unwrap().len(), 3);
    // One cell of it is wrong.
    main(at).execute("update daily_metrics set actions = 99 where part = (select number from parts where month = 202512) and dimension = 1 and day = (select min(day) from daily_metrics)", []).unwrap();
    let done = run(at, &["verify"]);
    assert!(done.code == 1 && done.out.contains("actions is 99"), "{done:?}");
}

/// The most memory that a process had, in KiB.
#[cfg(target_os = "linux")]
fn peak(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok())
}

#[cfg(target_os = "linux")]
#[test]
fn an_export_of_200_000_hits_takes_no_more_memory_than_one_of_a_tenth() {
    let peaks = [20_000, 200_000].map(|hits| {
        let place = tempfile::tempdir().unwrap();
        let analytics = Analytics::open(place.path().join(DATA)).unwrap();
        record(&analytics, hits);
        let mut peaks = Vec::new();
        for what in ["actions", "sessions", "daily", "users"] {
            let mut child = program(place.path()).args(["export", what]).stdout(Stdio::piped()).spawn().unwrap();
            let mut out = BufReader::with_capacity(1 << 12, child.stdout.take().unwrap());
            let (mut most, mut lines, mut line) = (0, 0, String::new());
            while out.read_line(&mut line).unwrap() > 0 {
                lines += 1;
                line.clear();
                // It waits for us to read on.
                if lines % 500 == 0 {
                    most = most.max(peak(child.id()).unwrap_or_default());
                }
            }
            assert!(child.wait().unwrap().success());
            if what == "actions" {
                assert_eq!(lines, hits + 1);
                peaks.push(most);
            }
        }
        peaks[0]
    });
    assert!(peaks[1] < 64 << 10 && peaks[1] < peaks[0] + (8 << 10), "{peaks:?} KiB");
}

#[test]
fn a_reader_that_goes_away_ends_an_export_without_a_word() {
    let place = tempfile::tempdir().unwrap();
    let at = place.path();
    let analytics = Analytics::open(at.join(DATA)).unwrap();
    record(&analytics, 20_000);
    for args in [&["export", "actions"][..], &["export", "actions", "--format", "ndjson"], &["user", "export", "user 3"]] {
        let mut child = program(at).args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut some = [0; 100];
        child.stdout.take().unwrap().read_exact(&mut some).unwrap();
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(0), ""), "{args:?}");
    }
}

#[test]
fn each_of_the_commands_has_examples() {
    let place = tempfile::tempdir().unwrap();
    for command in [&["stats"][..], &["parts"], &["doctor"], &["verify"], &["export"], &["user", "export"]] {
        let help = run(place.path(), &[command, &["--help"]].concat()).good();
        assert!(help.contains("Examples:\n  tower-analytics"), "{help}");
    }
}

//! What was recorded elsewhere is stored as if it had been recorded here: compared with an oracle that counts the files by itself.

#[allow(unreachable_pub, reason = "tests within the crate take it too")]
#[path = "../src/import/legacy/set/mod.rs"]
mod legacy;

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    path::Path,
    time::{Duration, Instant, SystemTime},
};

use legacy::{
    make,
    oracle::{Expected, Session, expected},
};
use serde_json::{Value, json};
use tower_analytics::{
    Analytics, Ask, Bots, Clock, ErrorKind, Hit,
    import::DurationUnit,
    report::{Export, ExportFormat},
};

/// 2026-02-20: after all that the panel recorded.
const NOW: u64 = 1_771_545_600;

fn recorder(data: &Path) -> Analytics {
    let clock = Clock::manual(SystemTime::UNIX_EPOCH + Duration::from_secs(NOW));
    Analytics::builder(data).clock(clock).build().unwrap()
}

fn everybody() -> Ask {
    Ask::all_time().bots(Bots::Include)
}

fn rows(analytics: &Analytics, what: Export) -> Vec<Value> {
    let mut out = Vec::new();
    analytics.reports().export(&everybody(), what, ExportFormat::Ndjson, &mut out).unwrap();
    String::from_utf8(out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Sessions, actions by endpoint, and users and visitors by day.
type Stored = (Vec<Session>, BTreeMap<String, u64>, BTreeMap<i64, (u64, u64)>);

/// All that the store answers of sessions, with nothing of how it came there.
fn stored(analytics: &Analytics) -> Stored {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let sessions = rows(analytics, Export::Sessions);
    let mut sessions: Vec<_> = sessions
        .iter()
        .map(|row| Session {
            start: text(&row["started_at"]).parse::<jiff::Timestamp>().unwrap().as_millisecond(),
            last: 0,
            who: match (row["user_id"].as_str(), &*text(&row["bot"])) {
                (Some(user), _) => user.to_owned(),
                (None, "monitor") => "bot".to_owned(),
                (None, _) => "visitor".to_owned(),
            },
            device: text(&row["device"]),
            platform: text(&row["platform"]),
            actions: row["actions"].as_u64().unwrap(),
            time: (row["duration"].as_f64().unwrap() * 1e3).round() as i64,
        })
        .collect();
    sessions.sort();
    let (mut actions, mut days) = (BTreeMap::new(), BTreeMap::new());
    for row in rows(analytics, Export::Daily) {
        let count = |name: &str| row[name].as_u64().unwrap();
        if row["dimension"] == "endpoint" && count("actions") > 0 {
            let endpoint = text(&row["endpoint"]);
            *actions.entry(endpoint.split_once(' ').map_or(&*endpoint, |(_, route)| route).to_owned()).or_insert(0) += count("actions");
        }
        if row["dimension"] == "all" {
            let day: jiff::Timestamp = format!("{}T00:00:00Z", text(&row["day"])).parse().unwrap();
            let day = day.as_second() / 86_400;
            let (users, visitors) = days.entry(day).or_insert((0, 0));
            (*users, *visitors) = (*users + count("users"), *visitors + count("visitors"));
        }
    }
    (sessions, actions, days)
}

fn compare(analytics: &Analytics, expected: &Expected) {
    let (sessions, actions, days) = stored(analytics);
    let mut should = expected.sessions.clone();
    should.iter_mut().for_each(|session| session.last = 0);
    should.sort();
    assert_eq!(sessions.len(), should.len());
    for (is, should) in sessions.iter().zip(&should) {
        assert_eq!(is, should);
    }
    assert_eq!(actions, expected.actions);
    let of_days = expected.users_of_days.keys().chain(expected.visitors_of_days.keys());
    let of_day = |day: &i64| {
        let users = expected.users_of_days.get(day).map_or(0, |users| users.len() as u64);
        (*day, (users, expected.visitors_of_days.get(day).copied().unwrap_or(0) as u64))
    };
    assert_eq!(days, of_days.map(of_day).collect());
}

fn sound(analytics: &Analytics) {
    assert!(analytics.reports().check().unwrap().is_sound());
    let verified = analytics.reports().verify(|_, _| {}).unwrap();
    assert!(verified.is_sound(), "{verified:?}");
}

/// The panel's set, what must come of it, and how long the import took.
fn import(records: usize, seed: u64) -> (tempfile::TempDir, tempfile::TempDir, Analytics, Expected, Duration) {
    let (files, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let set = make::set(records, seed);
    set.write(files.path());
    let expected = expected(&[&set.archive[0].1, &set.app_analytics], Some(&set.errors));
    let analytics = recorder(data.path());
    let start = Instant::now();
    let report = analytics.maintenance().import_legacy([files.path().to_owned()], |_, _| {}).unwrap();
    let took = start.elapsed();
    assert_eq!((report.sessions, report.merged, report.repeated), (expected.sessions.len() as u64, expected.merged, expected.repeated));
    (files, data, analytics, expected, took)
}

#[test]
fn a_set_with_every_trap_is_stored_as_the_oracle_counts_it() {
    for seed in [11, 12] {
        let (_files, _data, analytics, expected, _) = import(2_000, seed);
        compare(&analytics, &expected);
        sound(&analytics);
        analytics.maintenance().reprocess(|_, _| {}).unwrap();
        compare(&analytics, &expected);
        let verified = analytics.reports().verify(|_, _| {}).unwrap();
        assert!(verified.is_sound(), "{verified:?}");
        analytics.shutdown(Duration::from_secs(20)).unwrap();
    }
}

/// `cargo test --release --test imported -- --ignored --nocapture`
#[test]
#[cfg(not(debug_assertions))]
#[ignore = "takes long, and says how long"]
fn a_hundred_thousand_sessions_are_stored_as_the_oracle_counts_them() {
    let (_files, _data, analytics, expected, took) = import(100_000, 1);
    println!("{} sessions in {:.2} s", expected.sessions.len(), took.as_secs_f64());
    compare(&analytics, &expected);
    sound(&analytics);
    assert!(took < Duration::from_secs(10), "{took:?}");
}

#[test]
fn the_same_files_once_more_change_nothing_and_what_came_since_is_added() {
    let (files, _data, analytics, expected, _) = import(600, 21);
    let before = stored(&analytics);
    let paths = || [files.path().to_owned()];
    let again = analytics.maintenance().import_legacy(paths(), |_, _| {}).unwrap();
    assert_eq!((again.sessions, again.hits), (0, 0));
    assert!(again.known >= expected.sessions.len() as u64 / 2, "{again:?}");
    assert_eq!(stored(&analytics), before);
    let file = files.path().join("app_analytics.json");
    let mut panel: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    let later = json!({"session_id": "later", "discord_id": "ann", "started_at": "2026-01-31T23:00:00", "endpoints_used": {"a": 1}});
    panel["sessions"].as_array_mut().unwrap().push(later);
    fs::write(&file, panel.to_string()).unwrap();
    let more = analytics.maintenance().import_legacy(paths(), |_, _| {}).unwrap();
    assert_eq!((more.sessions, more.actions), (1, 1));
    assert_eq!(stored(&analytics).0.len(), before.0.len() + 1);
    sound(&analytics);
}

#[test]
fn an_import_whose_last_record_is_broken_leaves_nothing_behind() {
    let (files, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let set = make::set(300, 31);
    set.write(files.path());
    let file = files.path().join("app_analytics.json");
    let mut panel: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    panel["sessions"].as_array_mut().unwrap().push(json!({"session_id": "x", "started_at": "2025-13-01T00:00:00"}));
    fs::write(&file, panel.to_string()).unwrap();
    let analytics = recorder(data.path());
    analytics.record(&Hit::new("GET", "/items"));
    analytics.flush().unwrap();
    let names = || {
        let mut names: Vec<_> = fs::read_dir(data.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let before = (names(), stored(&analytics));
    for _ in 0..2 {
        let error = analytics.maintenance().import_legacy([files.path().to_owned()], |_, _| {}).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("app_analytics.json") && text.contains("2025-13-01") && text.contains("byte"), "{text}");
        assert_eq!((names(), stored(&analytics)), before);
    }
    let check = analytics.maintenance().check_legacy([files.path().to_owned()], |_, _| {}).unwrap_err();
    assert_eq!(check.kind(), ErrorKind::Import);
}

#[test]
fn a_dry_run_says_what_an_import_would_and_writes_nothing() {
    let (files, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    make::set(400, 41).write(files.path());
    let analytics = recorder(data.path());
    analytics.flush().unwrap();
    let before = stored(&analytics);
    let would = analytics.maintenance().check_legacy([files.path().to_owned()], |_, _| {}).unwrap();
    assert_eq!(stored(&analytics), before);
    assert_eq!(analytics.maintenance().import_legacy([files.path().to_owned()], |_, _| {}).unwrap(), would);
}

#[test]
fn files_of_the_panel_in_a_new_directory_are_imported_on_the_first_start_and_left_where_they_are() {
    let data = tempfile::tempdir().unwrap();
    let set = make::set(300, 51);
    set.write(data.path());
    let expected = expected(&[&set.archive[0].1, &set.app_analytics], Some(&set.errors));
    let analytics = recorder(data.path());
    let deadline = Instant::now() + Duration::from_secs(60);
    while analytics.reports().stats(&everybody()).map_or(0, |stats| stats.total_sessions) == 0 {
        assert!(Instant::now() < deadline, "nothing was imported");
        std::thread::sleep(Duration::from_millis(20));
    }
    compare(&analytics, &expected);
    analytics.shutdown(Duration::from_secs(20)).unwrap();
    drop(analytics);
    let analytics = recorder(data.path());
    compare(&analytics, &expected);
    assert!(data.path().join("app_analytics.json").exists());
}

/// `kill -9` as soon as there is a file of ours, or a moment later.
#[test]
fn a_first_start_that_is_killed_leaves_the_import_to_the_next_one() {
    let test = "a_first_start_that_is_killed_leaves_the_import_to_the_next_one";
    if let Some(data) = std::env::var_os("TEST_CHILD") {
        let _analytics = recorder(Path::new(&data));
        return std::thread::sleep(Duration::from_secs(60));
    }
    for round in 0..6 {
        let data = tempfile::tempdir().unwrap();
        let session = json!({"session_id": "1", "discord_id": "ann", "started_at": "2025-12-01T10:00:00", "endpoints_used": {"a": 2}});
        fs::write(data.path().join("app_analytics.json"), json!({"sessions": [session]}).to_string()).unwrap();
        let mut child = std::process::Command::new(std::env::current_exe().unwrap());
        let mut child = child.args(["--exact", test]).env("TEST_CHILD", data.path()).stdout(std::process::Stdio::null()).spawn().unwrap();
        let start = Instant::now();
        while !data.path().join("analytics.db").exists() {
            assert!(start.elapsed() < Duration::from_secs(60), "the child makes no directory");
        }
        std::thread::sleep(Duration::from_millis(round * 2));
        child.kill().unwrap();
        child.wait().unwrap();
        let analytics = recorder(data.path());
        while analytics.reports().stats(&everybody()).map_or(0, |stats| stats.total_hits) < 2 {
            assert!(start.elapsed() < Duration::from_secs(60), "round {round}: nothing was imported");
            analytics.flush().unwrap();
        }
        analytics.shutdown(Duration::from_secs(20)).unwrap();
    }
}

#[test]
fn sessions_recorded_and_imported_in_one_month_stand_beside_each_other() {
    let (files, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let session = |id: &str, at: &str| json!({"session_id": id, "discord_id": "ann", "username": "Ann", "started_at": at, "endpoints_used": {"a": 2}});
    let panel = json!({"sessions": [session("1", "2026-02-03T10:00:00"), session("2", "2026-02-04T10:00:00")]});
    fs::write(files.path().join("app_analytics.json"), panel.to_string()).unwrap();
    let analytics = recorder(data.path());
    for _ in 0..3 {
        let mut hit = Hit::new("GET", "/items");
        hit.set_user("ann");
        analytics.record(&hit);
    }
    analytics.flush().unwrap();
    analytics.maintenance().import_legacy([files.path().to_owned()], |_, _| {}).unwrap();
    let reports = analytics.reports();
    let user = reports.user(&Ask::all_time(), "ann").unwrap().into_inner().unwrap();
    assert_eq!((user.user.sessions, user.user.actions), (3, 7));
    let listed = reports.sessions(&Ask::all_time(), &Default::default()).unwrap().into_inner().sessions;
    let ids: Vec<_> = listed.iter().map(|session| session.session_id.clone()).collect();
    assert_eq!(ids[0], "202602-1");
    let newest = reports.session(&ids[0], &Default::default()).unwrap().into_inner().unwrap();
    assert_eq!(newest.previous_session.as_ref(), Some(&ids[1]));
    let imported = reports.session(&ids[1], &Default::default()).unwrap().into_inner().unwrap();
    assert_eq!(
        (imported.actions.len(), imported.next_session.as_ref(), imported.previous_session.as_ref()),
        (2, Some(&ids[0]), Some(&ids[2]))
    );
    assert!(imported.actions.iter().all(|action| action.latency == Duration::ZERO));
    sound(&analytics);
}

#[test]
fn a_user_seen_later_than_in_any_session_is_not_away() {
    let (files, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let session = |id: &str| json!({"session_id": id, "discord_id": id, "started_at": "2025-12-01T10:00:00", "endpoints_used": {"a": 1}});
    fs::write(files.path().join("app_analytics.json"), json!({"sessions": [session("ann"), session("ben")]}).to_string()).unwrap();
    fs::write(
        files.path().join("app_usage.json"),
        json!({"ann": "2026-02-19T12:00:00+02:00", "nobody": "2026-02-19T12:00:00Z"}).to_string(),
    )
    .unwrap();
    let analytics = recorder(data.path());
    let report = analytics.maintenance().import_legacy([files.path().to_owned()], |_, _| {}).unwrap();
    assert_eq!(report.seen_later, 2);
    let away = analytics.reports().inactive_users(&Ask::all_time(), 30, &Default::default()).unwrap();
    assert_eq!(away.users.iter().map(|user| &*user.user_id).collect::<Vec<_>>(), ["ben"]);
    let user = analytics.reports().user(&Ask::all_time(), "ann").unwrap().into_inner().unwrap();
    assert_eq!(user.user.last_seen, Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1_771_495_200)));
    assert_eq!(analytics.reports().stats(&Ask::all_time()).unwrap().total_users, 2);
}

/// So many lines of a log, one a second, of two users and some addresses.
fn log(lines: Range) -> String {
    let mut text = String::new();
    for n in lines {
        let (minute, second) = (n / 60 % 60, n % 60);
        let user = ["ann", "-", "ben", "-"][n % 4];
        let status = if n % 50 == 7 { 502 } else { 200 };
        text += &format!(
            "198.51.100.{} - {user} [01/Feb/2026:{:02}:{minute:02}:{second:02} +0000] \"GET /items/{n} HTTP/1.1\" {status} 100 \"-\" \"Mozilla/5.0 (X11; Linux x86_64)\" 0.0{}\n",
            n % 5,
            n / 3600,
            n % 9 + 1,
        );
    }
    text
}

type Range = std::ops::Range<usize>;

#[test]
fn an_access_log_that_has_grown_is_read_from_where_it_ended() {
    let (files, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = files.path().join("access.log");
    fs::write(&file, log(0..2_000)).unwrap();
    let analytics = recorder(data.path());
    let import = || analytics.maintenance().import_access_log([file.clone()], &["/items/{id}"], |_, _| {}).unwrap();
    assert_eq!(import().hits, 2_000);
    assert_eq!(import().hits, 0);
    fs::OpenOptions::new().append(true).open(&file).unwrap().write_all(log(2_000..5_000).as_bytes()).unwrap();
    assert_eq!(import().hits, 3_000);
    let endpoints = analytics.reports().endpoints(&Ask::all_time()).unwrap().into_inner();
    let row = &endpoints[0];
    assert_eq!((endpoints.len(), &*row.endpoint, row.hits, row.errors), (1, "GET /items/{id}", 5_000, 100));
    assert!(row.p50 > Duration::from_millis(30) && row.p50 < Duration::from_millis(70), "{:?}", row.p50);
    assert_eq!(analytics.reports().stats(&Ask::all_time()).unwrap().total_users, 2);
    sound(&analytics);
}

/// More of them than the recorder keeps in memory, and few that are new: those wait long to be written.
#[test]
fn users_of_a_large_log_are_one_person_each_however_long_ago_they_were_seen() {
    let (files, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = files.path().join("access.log");
    let mut text = Vec::new();
    for user in (0..30_001).chain((0..30_000).cycle().take(60_000)).chain([30_000]) {
        writeln!(text, "10.0.0.1 - u{user} [02/Jan/2026:10:00:00 +0000] \"GET /items/7 HTTP/1.1\" 200 512").unwrap();
    }
    fs::write(&file, text).unwrap();
    let analytics = recorder(data.path());
    analytics.maintenance().import_access_log([file], &["/items/{id}"], |_, _| {}).unwrap();
    let stats = analytics.reports().stats(&Ask::all_time()).unwrap();
    assert_eq!((stats.total_hits, stats.total_users), (90_002, 30_001));
    sound(&analytics);
}

#[test]
fn a_line_that_is_still_being_written_is_left_for_the_next_import() {
    let (files, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = files.path().join("access.log");
    let analytics = recorder(data.path());
    let import = || analytics.maintenance().import_access_log([file.clone()], &["/items/{id}"], |_, _| {}).unwrap();
    let left = "last lines that do not end yet, left for the next import";
    let text = log(0..10);
    let ends: Vec<usize> = text.match_indices('\n').map(|(end, _)| end + 1).collect();
    // In the time, in the status, in the user agent, and with all but its end.
    for (cut, lines) in [(ends[0] + 40, 1), (ends[2] + 75, 3), (ends[5] + 110, 6), (ends[8] - 1, 8)] {
        fs::write(&file, &text[..cut]).unwrap();
        let before = analytics.reports().stats(&everybody()).unwrap().total_hits;
        let report = import();
        assert_eq!((before + report.hits, report.notes.get(left), report.notes.len()), (lines, Some(&1), 1), "{report:?}");
        assert_eq!(import().hits, 0, "nor is anything read twice");
    }
    fs::write(&file, &text).unwrap();
    let report = import();
    assert_eq!((report.hits, report.notes.len()), (2, 0), "{report:?}");
    let reports = analytics.reports();
    let endpoints = reports.endpoints(&everybody()).unwrap().into_inner();
    assert_eq!((endpoints.len(), &*endpoints[0].endpoint, endpoints[0].hits, endpoints[0].errors), (1, "GET /items/{id}", 10, 1));
    // Nothing of a half line has become a hit: as one who imports all of it at once sees it.
    let once = tempfile::tempdir().unwrap();
    let at_once = recorder(once.path());
    at_once.maintenance().import_access_log([file.clone()], &["/items/{id}"], |_, _| {}).unwrap();
    let sums = |analytics: &Analytics| {
        let stats = analytics.reports().stats(&everybody()).unwrap().into_inner();
        (stats.total_users, stats.total_hits, stats.error_hits, stats.bytes_out)
    };
    assert_eq!(sums(&analytics), sums(&at_once));
    sound(&analytics);
}

#[test]
fn durations_in_the_last_field_are_read_in_the_unit_that_is_said() {
    let (files, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let analytics = recorder(data.path());
    let written = |name: &str, route: &str, durations: &[&str]| {
        let line = |last: &&str| {
            format!("198.51.100.7 - ann [01/Feb/2026:03:00:00 +0000] \"GET {route} HTTP/1.1\" 200 100 \"-\" \"curl/8\" {last}\n")
        };
        let path = files.path().join(name);
        fs::write(&path, durations.iter().map(line).collect::<String>()).unwrap();
        path
    };
    let logs = [
        (written("micros", "/micros", &["250000"; 9]), DurationUnit::Micros),
        (written("millis", "/millis", &["250"; 9]), DurationUnit::Millis),
        (written("seconds", "/seconds", &["\"0.250\""; 9]), DurationUnit::Seconds),
    ];
    for (file, unit) in logs {
        let report = analytics.maintenance().import_timed_access_log([file], &["/{unit}"], unit, |_, _| {}).unwrap();
        assert_eq!((report.hits, report.notes.len()), (9, 0), "{report:?}");
    }
    let file = written("without", "/without", &["-", "\"203.0.113.9\"", "1000"]);
    let report = analytics.maintenance().import_timed_access_log([file], &["/without"], DurationUnit::Micros, |_, _| {}).unwrap();
    assert_eq!((report.hits, report.notes["lines whose last field is no duration"]), (3, 2));
    let endpoints = analytics.reports().endpoints(&everybody()).unwrap().into_inner();
    let timed = endpoints.iter().find(|row| row.endpoint == "GET /{unit}").unwrap();
    assert_eq!(timed.hits, 27);
    for quantile in [timed.p50, timed.p99] {
        assert!((Duration::from_millis(240)..Duration::from_millis(260)).contains(&quantile), "{quantile:?}");
    }
}

/// `cargo test --release --test imported -- --ignored --nocapture`
#[test]
#[cfg(not(debug_assertions))]
#[ignore = "makes 1.3 GB of log, takes long, and says how long"]
fn ten_million_lines_of_a_log_are_imported_within_a_minute() {
    let (files, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = files.path().join("access.log");
    let mut out = std::io::BufWriter::new(fs::File::create(&file).unwrap());
    for hour in 0..28 * 24_usize {
        for n in 0..14_881_usize {
            let (day, of_day, second) = (hour / 24 + 1, hour % 24, n * 3600 / 14_881);
            let who = (n * 7_919 + hour * 104_729) % 50_000;
            writeln!(
                out,
                "10.{}.{}.{} - {} [{day:02}/Jan/2026:{of_day:02}:{:02}:{:02} +0000] \"GET /items/{n} HTTP/1.1\" 200 512 \"-\" \"Mozilla/5.0 (X11; Linux x86_64; rv:{}) Gecko/20100101 Firefox/128.0\" 0.012",
                who % 7,
                who / 256 % 256,
                who % 256,
                if who % 3 == 0 { format!("user-{who}") } else { "-".to_owned() },
                second / 60,
                second % 60,
                who % 40 + 100,
            )
            .unwrap();
        }
    }
    drop(out);
    let analytics = recorder(data.path());
    let start = Instant::now();
    let report = analytics.maintenance().import_access_log([file], &["/items/{id}"], |_, _| {}).unwrap();
    let took = start.elapsed();
    println!("{} lines in {:.1} s, {:.2} µs each", report.records, took.as_secs_f64(), took.as_secs_f64() * 1e6 / report.records as f64);
    assert_eq!(report.hits, 10_000_032);
    sound(&analytics);
    let start = Instant::now();
    analytics.maintenance().reprocess(|_, _| {}).unwrap();
    println!("reprocessed in {:.1} s", start.elapsed().as_secs_f64());
    assert!(took < Duration::from_secs(60), "{took:?}");
}

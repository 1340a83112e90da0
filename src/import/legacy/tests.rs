//! What is read of a made-up set, against an oracle that counts it the slow way; and files that are broken.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use self::set::{
    make,
    oracle::{self, Expected, Session},
};
use super::Legacy;
use crate::{
    clock::{Millis, day_of},
    error::{Error, ErrorKind},
    hit::{Outcome, SessionId},
    import::{
        found::{Found, Noted},
        source::{Imported, Progress, Rules, Source, SourceId},
    },
};

#[allow(unreachable_pub, reason = "tests of the whole crate take it too")]
#[path = "set/mod.rs"]
mod set;

const RULES: Rules = Rules { timeout: 30 * 60_000, longest: 86_400_000 };

fn read(paths: &[PathBuf]) -> Result<Legacy, Error> {
    Legacy::read(paths, &Progress::default())
}

/// What came, and what the order of it must be.
#[derive(Default)]
struct Came {
    out: Expected,
    sources: Vec<SourceId>,
    found: Found,
    hits: Vec<(Millis, String, String, bool)>,
}

fn came(legacy: Legacy, known: &BTreeSet<SourceId>) -> Came {
    let mut source = legacy.hits(RULES, |id| known.contains(id));
    let (mut came, mut next, mut before) = (Came::default(), Imported::default(), 0);
    let mut open: BTreeMap<SessionId, (Session, Millis)> = BTreeMap::new();
    let mut visitors: BTreeMap<i64, BTreeSet<u64>> = BTreeMap::new();
    let mut numbers = BTreeMap::new();
    while source.next(&mut next).unwrap() {
        let hit = &next.hit;
        let at = hit.facts.at.unwrap();
        assert!(at >= before, "hits come in order of time");
        assert!(!next.timed && hit.head_time().is_zero());
        before = at;
        came.sources.extend(next.source);
        let day = day_of(at);
        let who = hit.user().map(str::to_owned);
        if let Some(user) = &who {
            came.out.users_of_days.entry(day).or_default().insert(user.clone());
        }
        let is_error = hit.outcome() == Outcome::Failed;
        if is_error {
            assert!(!hit.is_action() && !hit.opens_session() && hit.error().is_some() && hit.status() == 500);
            if hit.session().is_some() { came.out.errors.0 += 1 } else { came.out.errors.1 += 1 }
        } else {
            visitors.entry(day).or_default().extend(hit.visitor());
            assert_eq!(hit.visitor().is_none(), who.is_some());
            assert_eq!(hit.status(), 0);
        }
        if hit.is_action() {
            *came.out.actions.entry(hit.route().to_owned()).or_default() += 1;
        }
        came.hits.push((at, hit.route().to_owned(), who.clone().unwrap_or_default(), hit.is_action()));
        if let Some(id) = hit.session() {
            if hit.opens_session() {
                let number = numbers.entry(id.month).or_insert(0);
                *number += 1;
                assert_eq!(id.number, *number, "numbers are given in order of opening");
                let device = hit.device().unwrap();
                let visitor = if device.bot().is_some_and(|bot| bot.class() == "monitor") { "bot" } else { "visitor" };
                let session = Session {
                    start: at,
                    last: at,
                    who: who.clone().unwrap_or_else(|| visitor.to_owned()),
                    device: device.name().to_owned(),
                    platform: device.platform().to_owned(),
                    actions: 0,
                    time: 0,
                };
                assert!(open.insert(id, (session, at)).is_none());
            }
            assert!(id.month == crate::clock::Month::of(at).unwrap());
            let (session, acted) = open.get_mut(&id).expect("a session is open until it is said to have ended");
            session.last = if is_error { session.last } else { at };
            if hit.is_action() {
                session.actions += 1;
                session.time += at - std::mem::replace(acted, at);
            }
        }
        came.out.sessions.extend(source.take_ended().iter().map(|id| open.remove(id).unwrap().0));
    }
    assert!(open.is_empty(), "every session ends");
    came.out.sessions.sort();
    came.out.visitors_of_days = visitors.into_iter().map(|(day, of)| (day, of.len())).filter(|(_, count)| *count > 0).collect();
    let found = source.found().clone();
    came.out.merged = found.merged;
    came.out.repeated = found.repeated;
    came.out.backwards = found.count(Noted::EndsBeforeStart);
    came.out.without_time = found.count(Noted::NoTime);
    came.out.count_differs = found.count(Noted::CountDiffers);
    came.out.without_actions = found.count(Noted::NoActions);
    assert_eq!(found.count(Noted::ErrorsOutside), came.out.errors.1);
    assert_eq!((found.sessions, found.hits), (came.out.sessions.len() as u64, came.hits.len() as u64));
    assert_eq!(found.actions, came.out.actions.values().sum::<u64>());
    came.found = found;
    came
}

/// One file of sessions.
fn sessions(list: &Value) -> Came {
    let dir = tempfile::tempdir().unwrap();
    came(read(&[written(dir.path(), &json!({"sessions": list}).to_string())]).unwrap(), &BTreeSet::new())
}

fn written(directory: &Path, text: &str) -> PathBuf {
    let file = directory.join("app_analytics.json");
    fs::write(&file, text).unwrap();
    file
}

fn error_of(text: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    let file = written(dir.path(), text);
    let error = read(std::slice::from_ref(&file)).map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Import);
    assert_eq!(fs::read_to_string(&file).unwrap(), text, "the file is left as it is");
    let text = error.chain();
    text.strip_prefix(&format!("{}: ", file.display())).map(str::to_owned).unwrap_or(text)
}

fn compare(expected: &Expected, came: &Expected) {
    for (expected, came) in expected.sessions.iter().zip(&came.sessions) {
        assert_eq!(expected, came);
    }
    assert_eq!(expected, came);
}

#[test]
fn sets_with_every_trap_give_what_the_oracle_counts() {
    for seed in 1..=6 {
        let (set, dir) = (make::set(1500, seed), tempfile::tempdir().unwrap());
        set.write(dir.path());
        let legacy = read(&[dir.path().to_owned()]).unwrap();
        let came = came(legacy, &BTreeSet::new());
        let files = [&set.archive[0].1, &set.app_analytics];
        let expected = oracle::expected(&files, Some(&set.errors));
        compare(&expected, &came.out);
        let unknown: Vec<_> = came.found.unknown_fields.keys().map(String::as_str).collect();
        assert_eq!(unknown, ["theme"]);
        assert_eq!(came.found.grouped_errors, 4321);
        assert_eq!(came.found.last_seen.len(), set.usage.as_object().unwrap().len());
        assert!(came.out.repeated > 0 && came.out.merged > 0 && came.out.errors.0 > 0 && came.out.errors.1 > 0);
    }
}

#[test]
fn what_is_known_from_earlier_does_not_come_again() {
    let (set, dir) = (make::set(800, 7), tempfile::tempdir().unwrap());
    set.write(dir.path());
    let paths = [dir.path().to_owned()];
    let first = came(read(&paths).unwrap(), &BTreeSet::new());
    let known: BTreeSet<_> = first.sources.iter().copied().collect();
    assert_eq!(known.len(), first.sources.len(), "no two sessions are known by the same name");
    let again = came(read(&paths).unwrap(), &known);
    assert_eq!((again.hits.len(), again.found.known), (0, known.len() as u64));
    // A later file, with what came since then.
    let mut later = set.app_analytics;
    later["sessions"].as_array_mut().unwrap().push(json!({"session_id": "new", "discord_id": "ann", "started_at": "2026-03-01T10:00:00"}));
    fs::write(dir.path().join("app_analytics.json"), later.to_string()).unwrap();
    let more = came(read(&paths).unwrap(), &known);
    assert_eq!((more.out.sessions.len(), more.sources.len()), (1, 1));
}

#[test]
fn a_file_is_known_by_its_content_wherever_it_lies() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let content = |dir: &Path, text: &str| read(&[written(dir, text)]).unwrap().files[0].1;
    let first = content(one.path(), r#"{"sessions": []}"#);
    assert_eq!(content(other.path(), r#"{"sessions": []}"#), first);
    assert_ne!(content(other.path(), "{\"sessions\": []}\n"), first, "what follows is part of it");
    assert_eq!(first.bytes, 16);
}

#[test]
fn the_example_of_the_panel_gives_two_sessions_and_says_where_its_sums_differ() {
    let text = r#"{"sessions": [
        {"session_id": "1764583200123_482913", "discord_id": "100000000000000001", "username": "ann", "device_info": "Google Pixel 9 Pro XL",
         "platform": "Android", "app_version": "2025.12.01+123", "started_at": "2025-12-01T10:00:00.123456", "ended_at": "2025-12-01T10:07:30.000412",
         "duration_minutes": 7.5, "ip_address": "198.51.100.7", "screens_visited": [], "actions_count": 4,
         "endpoints_used": {"user.get_gaming_members": 3, "tickets.get_tickets": 1}},
        {"session_id": "a3f0c1d2e4b5968778695a4b3c2d1e0f", "discord_id": "legacy_user", "username": "admin", "device_info": "Unknown",
         "platform": "Web", "app_version": "Unknown", "started_at": "2025-12-01T11:00:00", "ended_at": null, "duration_minutes": 0,
         "ip_address": "198.51.100.8", "screens_visited": [], "actions_count": 0, "endpoints_used": {}}],
     "daily_stats": {"2025-12-01": {"unique_users": ["100000000000000001", "legacy_user"], "total_sessions": 2, "total_actions": 5,
         "total_duration_minutes": 8.5, "avg_session_duration": 4.25}},
     "user_stats": {"100000000000000001": {"username": "ann", "first_seen": "2025-12-01T10:00:00.123456", "last_seen": "2025-12-01T15:01:00.000001",
         "total_sessions": 1, "total_time_minutes": 8.5, "avg_session_duration": 8.5, "device_history": ["Google Pixel 9 Pro XL"]}}}"#;
    let dir = tempfile::tempdir().unwrap();
    let came = came(read(&[written(dir.path(), text)]).unwrap(), &BTreeSet::new());
    let at = |text: &str| oracle::moment(&json!(text)).unwrap();
    let (start, end) = (at("2025-12-01T10:00:00.123456"), at("2025-12-01T10:07:30.000412"));
    let ann = "100000000000000001".to_owned();
    let action = |nth: i64, route: &str| (start + (end - start) * nth / 3, route.to_owned(), ann.clone(), true);
    let (members, tickets) = ("user.get_gaming_members", "tickets.get_tickets");
    let begin = (at("2025-12-01T11:00:00"), "(unknown)".to_owned(), "legacy_user".to_owned(), false);
    assert_eq!(came.hits, [action(0, members), action(1, members), action(2, members), action(3, tickets), begin]);
    assert_eq!(came.found.differing, 3, "{:#?}", came.found.differences);
    let differences = came.found.differences.join("\n");
    for part in [
        "daily_stats of 2025-12-01: actions 5 stored, 4 counted, minutes 8.50 stored, 7.50 counted",
        "record 1 of user_stats: minutes 8.50 stored, 7.50 counted, last seen 2025-12-01T15:01:00Z stored, 2025-12-01T10:07:30Z counted",
        "user_stats has not 1 of the users that have sessions",
    ] {
        assert!(differences.contains(part), "{part}\n{differences}");
    }
}

#[test]
fn a_session_is_cut_at_the_months_end_and_after_a_day_and_a_known_one_is_not_half_known() {
    let days =
        sessions(&json!([{"session_id": "a", "discord_id": "ann", "started_at": "2025-11-28T12:00:00", "ended_at": "2025-12-02T12:00:00",
        "endpoints_used": {"x": 9}}]));
    let starts: Vec<_> = days.out.sessions.iter().map(|session| (super::time::shown(session.start), session.actions)).collect();
    let expected = [
        ("2025-11-28T12:00:00Z", 2),
        ("2025-11-29T12:00:00Z", 2),
        ("2025-11-30T12:00:00Z", 1),
        ("2025-12-01T00:00:00Z", 2),
        ("2025-12-02T00:00:00Z", 2),
    ];
    assert_eq!(starts, expected.map(|(start, actions)| (start.to_owned(), actions)));
    assert_eq!(days.sources.len(), 1);
}

#[test]
fn nobody_does_anything_for_whom_nothing_is_written() {
    let nobody = json!([{"session_id": "a", "discord_id": "unknown", "started_at": "2025-12-01T10:00:00"}, {"session_id": "b"}, {}]);
    let came = sessions(&nobody);
    assert_eq!((came.hits.len(), came.out.without_time, came.found.records), (1, 2, 3));
    assert!(came.out.users_of_days.is_empty());
}

#[test]
fn the_fault_of_a_record_names_it_and_the_byte_and_the_way_out() {
    let good = r#"{"session_id":"a","discord_id":"ann","started_at":"2025-12-01T10:00:00"}"#;
    for (bad, why) in [
        (r#"{"started_at":"2025-13-40T10:00:00"}"#, r#"started_at "2025-13-40T10:00:00" is no time"#),
        (r#"{"started_at":"1960-01-01T10:00:00"}"#, "outside the years 1970 to 9998"),
        (r#"{"ended_at":17}"#, "a time such as"),
        (r#"{"discord_id":["ann"]}"#, "a text for discord_id"),
        (r#"{"actions_count":"many"}"#, "a whole number for actions_count"),
        (r#"{"actions_count":1.5}"#, "a whole number for actions_count"),
        (r#"{"actions_count":1e400}"#, "number out of range"),
        (r#"{"started_at":"2025-12-01T10:00:00","actions_count":99999999999}"#, "more than one session can have"),
        (r#"{"endpoints_used":{"x":-3}}"#, r#"endpoints_used says -3 of "x""#),
        (r#"{"endpoints_used":["x"]}"#, "an object of endpoints and counts"),
        (r#"{"username":"\ud800"}"#, "hex escape"),
        ("17", "a session as an object"),
    ] {
        let text = format!(r#"{{"sessions":[{good},{good},{bad}]}}"#);
        let error = error_of(&text);
        let byte = text.rfind(bad).unwrap();
        assert!(error.starts_with(&format!("record 3 of sessions, which begins at byte {byte} ")), "{bad}: {error}");
        assert!(
            error.contains(why) && error.contains("put this right in a copy of the file, then import again. Nothing was imported"),
            "{bad}: {error}"
        );
    }
}

#[test]
fn a_file_that_is_cut_off_anywhere_is_an_error_that_says_so() {
    let text = r#"{"sessions":[{"session_id":"a","discord_id":"ann","started_at":"2025-12-01T10:00:00","endpoints_used":{"x":1}}],"daily_stats":{"2025-12-01":{"a":1}}}"#;
    for end in 0..text.len() {
        assert!(error_of(&text[..end]).contains("the file is cut off: get the whole of it"), "at {end}");
    }
    for more in ["}", "{}", "x"] {
        assert!(error_of(&format!("{text}{more}")).contains("trailing characters"));
    }
}

#[test]
fn hostile_files_are_errors_and_not_the_end_of_the_program() {
    let deep = format!(r#"{{"sessions":[{{"a":{}"#, "[".repeat(200_000));
    assert!(error_of(&deep).contains("cut off"));
    let deep = format!(r#"{{"daily_stats":{{"a":{}1{}}}}}"#, "[".repeat(200_000), "]".repeat(200_000));
    assert!(error_of(&deep).contains("recursion limit"));
    let huge = format!(r#"{{"sessions":[{{"username":"{}"}}]}}"#, "x".repeat(17 << 20));
    let error = error_of(&huge);
    assert!(error.contains("record 1 of sessions") && error.contains("longer than 16 MiB"), "{error}");
    assert!(error_of(r#"{"settings":{}}"#).contains("has neither sessions nor errors"));
    assert!(error_of(r#"[1]"#).contains("an object such as"));
    assert!(error_of(r#"{"sessions":{}}"#).contains("a list for sessions"));
    assert!(error_of("\u{1}").contains("expected value"));
}

#[test]
fn long_texts_are_cut_and_long_users_stay_apart() {
    let long = |end: &str| format!("{}{end}", "u".repeat(5000));
    let record = |user: String| {
        json!({"session_id": "a", "discord_id": user, "device_info": "d".repeat(5000), "started_at": "2025-12-01T10:00:00",
        "endpoints_used": {"e".repeat(5000): 1}})
    };
    let came = sessions(&json!([record(long("1")), record(long("2"))]));
    assert_eq!(came.out.users_of_days.values().next().unwrap().len(), 2);
    assert!(came.hits.iter().all(|(_, route, user, _)| route.len() == 512 && user.len() <= 256));
    assert_eq!(came.out.sessions[0].device.len(), 128);
}

#[test]
fn records_of_one_id_and_two_users_are_two_sessions() {
    let record = |user: &str| json!({"session_id": "a", "discord_id": user, "started_at": "2025-12-01T10:00:00", "actions_count": 1});
    let came = sessions(&json!([record("ann"), record("bob"), record("ann")]));
    assert_eq!((came.out.sessions.len(), came.out.merged, came.out.actions["(unknown)"]), (2, 1, 3));
}

fn table(directory: &Path, columns: &str, rows: &[&str]) -> PathBuf {
    let file = directory.join("analytics.db");
    let _ = fs::remove_file(&file);
    let connection = rusqlite::Connection::open(&file).unwrap();
    connection.execute_batch(&format!("create table sessions ({columns}); create table user_stats (a);")).unwrap();
    for row in rows {
        connection.execute(&format!("insert into sessions values ({row})"), []).unwrap();
    }
    file
}

const COLUMNS: &str = "session_id text primary key, discord_id, username, started_at, ended_at, duration_minutes, platform, device_info, app_version, \
                       ip_address, actions_count, endpoints_used, screens_visited, created_at";

#[test]
fn the_later_sqlite_file_gives_what_the_same_sessions_give_as_json() {
    let dir = tempfile::tempdir().unwrap();
    let file = table(
        dir.path(),
        COLUMNS,
        &[
            "'a', '7', 'ann', '2025-12-01T10:00:00.5', '2025-12-01 10:30:00', 29.9, 'Android', 'Pixel', '1.0', '198.51.100.7', 5, '{\"y\": 3, \"x\": 1}', '[\"home\"]', null",
            "'b', 7, null, '2025-12-01T12:00:00', null, null, null, null, null, null, null, null, '', 'x'",
        ],
    );
    let dump = fs::read(&file).unwrap();
    let from_table = came(read(std::slice::from_ref(&file)).unwrap(), &BTreeSet::new());
    let from_json = sessions(&json!([
        {"session_id": "a", "discord_id": "7", "username": "ann", "started_at": "2025-12-01T10:00:00.5", "ended_at": "2025-12-01T10:30:00", "platform": "Android",
         "device_info": "Pixel", "app_version": "1.0", "ip_address": "198.51.100.7", "actions_count": 5, "endpoints_used": {"y": 3, "x": 1}, "screens_visited": ["home"]},
        {"session_id": "b", "discord_id": 7, "started_at": "2025-12-01T12:00:00"}]));
    assert_eq!(from_table.out, from_json.out);
    assert_eq!(from_table.sources, from_json.sources, "they are known by the same names");
    let mut routes: Vec<_> = from_table.hits.iter().map(|(_, route, ..)| route.as_str()).collect();
    routes.sort_unstable();
    assert_eq!(routes, ["(screen) home", "(unknown)", "(unknown)", "x", "y", "y", "y"]);
    assert_eq!(fs::read(&file).unwrap(), dump);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is written beside it");
}

#[test]
fn a_sqlite_file_of_a_server_that_runs_is_read_with_its_journal() {
    let dir = tempfile::tempdir().unwrap();
    let file = table(dir.path(), "session_id, discord_id, started_at, theme", &["'a', 'ann', '2025-12-01T10:00:00', 1"]);
    let first = read(std::slice::from_ref(&file)).unwrap().files[0].1;
    let connection = rusqlite::Connection::open(&file).unwrap();
    connection.pragma_update(None, "journal_mode", "wal").unwrap();
    connection.execute("insert into sessions values ('b', 'bob', '2025-12-01T11:00:00', 2)", []).unwrap();
    let legacy = read(std::slice::from_ref(&file)).unwrap();
    assert_ne!(legacy.files[0].1, first);
    let came = came(legacy, &BTreeSet::new());
    assert_eq!((came.out.sessions.len(), came.found.unknown_fields["theme"]), (2, 1));
}

#[test]
fn sqlite_files_that_are_not_the_panels_say_what_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let error = |file: PathBuf| read(&[file]).map(drop).unwrap_err().chain();
    let file = table(dir.path(), COLUMNS, &["'a', '7', 'ann', '2025-13-01T10:00:00', null, 0, '', '', '', '', 0, '{}', '[]', null"]);
    assert!(error(file).contains("the row 1 of sessions: started_at \"2025-13-01T10:00:00\" is no time"));
    let file = table(dir.path(), COLUMNS, &["'a', '7', 'ann', '2025-12-01T10:00:00', null, 0, '', '', '', '', 0, '{\"x\": ', '[]', null"]);
    assert!(error(file).contains("endpoints_used is no JSON of the kind that it should be"));
    let file = table(dir.path(), COLUMNS, &["'a', x'00', 'ann', '2025-12-01T10:00:00', null, 0, '', '', '', '', 0, '{}', '[]', null"]);
    assert!(error(file.clone()).contains("discord_id is no text"));
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    assert!(error(file.clone()).contains("see that it is a whole SQLite file"));
    for (tables, says) in [
        ("create table parts (a); create table meta (a)", "analytics.db of tower-analytics itself"),
        ("create table x (a)", "has no table \"sessions\""),
    ] {
        fs::remove_file(&file).unwrap();
        rusqlite::Connection::open(&file).unwrap().execute_batch(tables).unwrap();
        assert!(error(file.clone()).contains(says));
    }
}

#[test]
fn when_users_were_last_seen_comes_with_its_zone_and_without_those_who_are_none() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("app_usage.json");
    fs::write(
        &file,
        r#"{"7": "2025-12-01T10:00:00.250000+02:00", "unknown": "2025-12-01T10:00:00Z", "8": null, "9": "2025-12-01T10:00:00Z"}"#,
    )
    .unwrap();
    let came = came(read(std::slice::from_ref(&file)).unwrap(), &BTreeSet::new());
    assert_eq!(came.found.last_seen, [("7".to_owned(), 1_764_576_000_250), ("9".to_owned(), 1_764_583_200_000)]);
    fs::write(&file, r#"{"7": "2025-12-01T10:00:00Z", "8": "soon"}"#).unwrap();
    let error = read(&[file]).map(drop).unwrap_err().to_string();
    assert!(error.contains("record 2 of users, which begins at byte 34 ") && error.contains("\"soon\" is no time"), "{error}");
}

/// `cargo test --release --lib import::legacy -- --ignored --nocapture`
#[test]
#[cfg(not(debug_assertions))]
#[ignore = "a measurement"]
fn a_hundred_thousand_sessions_are_read_in_seconds() {
    let (set, dir) = (make::set(100_000, 1), tempfile::tempdir().unwrap());
    set.write(dir.path());
    drop(set);
    let bytes = fs::metadata(dir.path().join("app_analytics.json")).unwrap().len();
    let (start, progress) = (std::time::Instant::now(), Progress::default());
    let legacy = Legacy::read(&[dir.path().to_owned()], &progress).unwrap();
    let read = start.elapsed();
    assert_eq!((progress.done(), progress.total() > bytes), (progress.total(), true));
    let mut source = legacy.hits(RULES, |_| false);
    let (mut next, mut ended) = (Imported::default(), 0);
    while source.next(&mut next).unwrap() {
        ended += source.take_ended().len();
    }
    let (all, found) = (start.elapsed(), source.found());
    println!(
        "{} records, {ended} sessions, {} hits of {} MB: read {read:?}, all {all:?}",
        found.records,
        found.hits,
        progress.total() >> 20
    );
    assert!(all < std::time::Duration::from_secs(10), "{all:?}");
}

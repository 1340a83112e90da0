//! Exports, row by row against brute force over raw hits; and everything about one person.

mod common;

#[allow(dead_code, reason = "other questions are asked elsewhere")]
#[path = "common/brute/mod.rs"]
mod brute;

use std::{
    collections::BTreeMap,
    io::{self, Write},
    time::Duration,
};

use brute::{
    Seen, World,
    catalogue::endpoint_called,
    days::{day_text, time_text},
    failures::{grpc, outcome},
    group::Group,
    people,
    question::{Question, Span},
    same::assert_says,
    sessions,
    traffic::{PLACES, Traffic, op},
};
use proptest::prelude::*;
use serde_json::{Value, json};
use tower_analytics::{
    Bots, ErrorKind, Reports,
    report::{Export, ExportFormat},
};

fn rows(reports: &Reports, question: &Question, what: Export) -> Vec<Value> {
    let mut out = Vec::new();
    let count = reports.export(&question.ask(), what, ExportFormat::Ndjson, &mut out).unwrap();
    let rows: Vec<Value> = String::from_utf8(out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len() as u64, count);
    csv_says_the_same(reports, question, what, &rows);
    rows
}

/// Field by field, by the names in the header.
fn csv_says_the_same(reports: &Reports, question: &Question, what: Export, rows: &[Value]) {
    let mut out = Vec::new();
    let count = reports.export(&question.ask(), what, ExportFormat::Csv, &mut out).unwrap();
    assert_eq!(count, rows.len() as u64);
    let mut lines = csv::Reader::from_reader(out.as_slice());
    let heads = lines.headers().unwrap().clone();
    for (line, row) in lines.records().zip(rows) {
        let line = line.unwrap();
        assert_eq!(heads.len(), row.as_object().unwrap().len());
        for (head, field) in heads.iter().zip(&line) {
            match &row[head] {
                Value::Null => assert_eq!(field, "", "{head}"),
                Value::String(text) => assert!(field == text || field == format!("'{text}"), "{head}: {field:?} and {text:?}"),
                Value::Bool(is) => assert_eq!(field, is.to_string(), "{head}"),
                // serde_json reads the last digit of a fraction as it likes.
                number => {
                    let (field, number) = (field.parse::<f64>().unwrap(), number.as_f64().unwrap());
                    assert!((field - number).abs() <= number.abs() * 1e-15, "{head}: {field} and {number}");
                }
            }
        }
    }
}

fn action(world: &World, hit: &Seen) -> Value {
    let user = hit.person.map(|_| &world.users[&hit.raw.user]);
    let error = world.errors.get(&hit.raw.error).filter(|_| hit.raw.error > 0);
    let called = endpoint_called(&hit.endpoint);
    json!({
        "at": time_text(hit.at), "session_id": format!("{}-{}", hit.session.0, hit.session.1), "user_id": user.map(|user| &user.id),
        "user_name": user.map_or("", |user| &user.name), "endpoint": called.text, "name": called.name, "feature": called.feature,
        "status": hit.raw.status, "outcome": outcome(hit), "grpc_status": grpc(hit), "action": hit.raw.is_action,
        "latency_ms": hit.raw.head_us as f64 / 1e3, "body_ms": hit.raw.body_us as f64 / 1e3, "bytes_in": hit.raw.bytes_in,
        "bytes_out": hit.raw.bytes_out, "platform": hit.device.platform, "app_version": hit.device.version, "device": hit.device.name,
        "bot": hit.device.bot, "error_kind": error.map_or("", |error| &error.kind),
        "error_message": error.map_or("", |error| &error.message),
    })
}

fn actions(world: &World, question: &Question) -> Vec<Value> {
    let mut hits = world.pick(question, &question.span(world)).hits;
    hits.sort_by_key(|hit| (hit.session.0, hit.raw.id));
    if question.user.is_some() {
        hits.sort_by_key(|hit| hit.session);
    }
    hits.into_iter().map(|hit| action(world, hit)).collect()
}

/// endpoint, value, detail, status, outcome, gRPC status
type Key = (String, String, String, Option<i64>, &'static str, Option<i64>);

fn key(world: &World, dimension: &str, hit: &Seen) -> Option<Key> {
    let plain = |value: &str| Some((String::new(), value.to_owned(), String::new(), None, "", None));
    match dimension {
        "all" => plain(""),
        "endpoint" => Some((hit.endpoint.to_string(), String::new(), String::new(), None, "", None)),
        "version" => Some((String::new(), hit.device.platform.clone(), hit.device.version.clone(), None, "", None)),
        "platform" => plain(&hit.device.platform),
        "device" => plain(&hit.device.name),
        "bot" => {
            if hit.device.bot.is_empty() {
                None
            } else {
                plain(&hit.device.bot)
            }
        }
        "failure" => {
            // Without a gRPC status, and with one that is OK, are two rows: their visitors could not be told apart otherwise.
            let grpc = grpc(hit);
            let is_one = hit.raw.status >= 400 || hit.raw.outcome != 0 || grpc.is_some_and(|status| status != 0);
            is_one.then(|| (hit.endpoint.to_string(), String::new(), String::new(), Some(hit.raw.status), outcome(hit), grpc))
        }
        _ => world
            .errors
            .get(&hit.raw.error)
            .filter(|_| hit.raw.error > 0)
            .map(|error| (error.endpoint.to_string(), error.kind.clone(), error.message.clone(), None, "", None)),
    }
}

fn daily(world: &World, question: &Question) -> Vec<Value> {
    let span = question.span(world);
    let mut rows = Vec::new();
    let audiences = [(Bots::Exclude, "people"), (Bots::Only, "bots")];
    let asked = audiences.into_iter().filter(|(bots, _)| question.bots == Bots::Include || question.bots == *bots);
    for (bots, audience) in asked {
        let question = question.with_bots(bots);
        for day in span.days.clone() {
            let at = Span::of(world, span.from.max(world.zone.start(day)), span.to.min(world.zone.start(day + 1)));
            let hits = world.pick(&question, &at);
            for dimension in ["all", "endpoint", "version", "platform", "device", "bot", "failure", "error"] {
                let groups: BTreeMap<Key, Group<'_>> = hits.by(|hit| key(world, dimension, hit));
                rows.extend(groups.iter().map(|(key, hits)| of_day(day, audience, dimension, key, hits)));
            }
        }
    }
    rows
}

fn of_day(day: i32, audience: &str, dimension: &str, key: &Key, hits: &Group<'_>) -> Value {
    let (endpoint, value, detail, status, outcome, grpc) = key;
    let has_sessions = !["endpoint", "failure", "error"].contains(&dimension);
    let [p50, p95, p99] = hits.p50_p95_p99();
    json!({
        "day": day_text(day), "audience": audience, "dimension": dimension, "endpoint": endpoint, "value": value, "detail": detail,
        "status": status, "outcome": outcome, "grpc_status": grpc, "hits": hits.len(), "actions": hits.actions(),
        "sessions": has_sessions.then(|| hits.sessions().len()), "session_time": has_sessions.then(|| hits.time() as f64 / 1e3),
        "errors": hits.errors(), "client_errors": hits.client_errors(), "aborted": hits.aborted(),
        "bytes_in": hits.hits.iter().map(|hit| hit.raw.bytes_in).sum::<i64>(), "bytes_out": hits.bytes_out(),
        "users": hits.users().len(), "visitors": hits.visitors(), "p50_ms": p50, "p95_ms": p95, "p99_ms": p99,
    })
}

/// In an order that both have.
fn sorted(mut rows: Vec<Value>) -> Value {
    let order = |row: &Value| {
        ["day", "audience", "dimension", "endpoint", "value", "detail", "status", "outcome", "grpc_status"]
            .map(|name| row[name].to_string())
    };
    rows.sort_by_key(order);
    Value::Array(rows)
}

fn check(world: &World, reports: &Reports, question: &Question) {
    let backwards = |mut list: Value, name: &str| {
        let Value::Array(mut rows) = list[name].take() else { panic!("no list") };
        rows.reverse();
        Value::Array(rows)
    };
    assert_says(
        &("sessions", question),
        &rows(reports, question, Export::Sessions),
        &backwards(sessions::sessions(world, question), "sessions"),
    );
    assert_says(&("actions", question), &rows(reports, question, Export::Actions), &Value::Array(actions(world, question)));
    let expected = backwards(people::users(world, question, "first_seen"), "users");
    assert_says(&("users", question), &rows(reports, question, Export::Users), &expected);
    assert_says(&("daily", question), &sorted(rows(reports, question, Export::Daily)), &sorted(daily(world, question)));
}

fn questions(start: i64) -> Vec<Question> {
    let moment = |hours: i64| Some(time_text(start + hours * 3_600_000));
    let any = Question { bots: Bots::Include, ..Question::default() };
    vec![
        any.clone(),
        Question::default(),
        Question { bots: Bots::Only, ..Question::default() },
        Question { last_days: Some(9), ..any.clone() },
        Question { from: moment(5), to: moment(100), ..any.clone() },
        Question { platform: Some("iOS"), ..any.clone() },
        Question { version: Some("1.10"), from: moment(30), ..Question::default() },
        Question { endpoint: Some("/items/{id}"), ..any.clone() },
        Question { feature: Some("shop"), status: Some("4xx"), ..any.clone() },
        Question { user: Some("u3".to_owned()), ..any.clone() },
        Question { user: Some("u5".to_owned()), status: Some("failed"), ..any },
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn every_row_of_every_export_is_what_brute_force_over_raw_hits_says(
        place in 0..PLACES.len(),
        ops in prop::collection::vec(op(), 6..16),
    ) {
        let mut traffic = Traffic::new(PLACES[place].0, PLACES[place].1);
        let start = traffic.now();
        for op in &ops {
            traffic.run(op);
        }
        for days_later in [0, 40] {
            traffic.clock.advance(Duration::from_secs(86_400 * days_later));
            traffic.settle();
            let world = World::read(traffic.directory(), traffic.now());
            for question in questions(start) {
                check(&world, &traffic.analytics.reports(), &question);
            }
            (1..8).for_each(|who| check_person(&world, &traffic.analytics.reports(), &format!("u{who}")));
        }
    }
}

fn person(reports: &Reports, id: &str) -> Option<Value> {
    let mut out = Vec::new();
    reports.export_user(id, &mut out).unwrap().then(|| serde_json::from_slice(&out).unwrap())
}

fn check_person(world: &World, reports: &Reports, id: &str) {
    let Some(person) = world.person_called(id) else {
        assert_eq!(self::person(reports, id), None);
        return;
    };
    let mut found = self::person(reports, id).unwrap();
    let theirs = || world.sessions.iter().filter(|(_, session)| session.person == Some(person));
    let sessions: Vec<Value> = theirs()
        .map(|(key, _)| {
            let mut session = sessions::session(world, *key);
            let actions = session["actions"].take();
            brute::group::joined(session["session"].take(), json!({"actions": actions}))
        })
        .collect();
    assert_says(&("sessions of", id), &found["sessions"].take(), &Value::Array(sessions));
    let hits: Vec<&Seen> = theirs().flat_map(|(_, session)| session.hits.iter().map(|hit| &world.hits[*hit])).collect();
    let mut texts: BTreeMap<i64, u64> = BTreeMap::new();
    hits.iter().filter(|hit| hit.raw.error > 0).for_each(|hit| *texts.entry(hit.raw.error).or_default() += 1);
    let text = |(number, hits): (&i64, &u64)| {
        let error = &world.errors[number];
        json!({
            "kind": error.kind, "message": error.message, "sample": error.sample, "endpoint": &*error.endpoint,
            "first_seen": time_text(error.first_seen), "hits": hits,
        })
    };
    assert_says(&("errors of", id), &found["errors"].take(), &Value::Array(texts.iter().map(text).collect()));
    let devices = found["devices"].as_array().unwrap();
    assert_eq!(devices.iter().map(|device| device["hits"].as_u64().unwrap()).sum::<u64>(), hits.len() as u64);
    assert!(found["not_covered"].as_str().unwrap().contains("access.db"));
    let mut rest = found.as_object().unwrap().clone();
    ["sessions", "errors", "devices", "not_covered"].iter().for_each(|name| drop(rest.remove(*name)));
    assert_says(&("about", id), &rest, &people::user(world, &Question::default(), id));
}

fn small() -> Traffic {
    let traffic = Traffic::new("UTC", "2026-11-02T10:00:00Z");
    traffic.hit("ann", ("GET", "/items"), "2026-11-02T10:00:00Z");
    traffic.hit("=cmd|'/C calc'!A0", ("GET", "/items"), "2026-11-02T10:00:01Z");
    traffic.hit("a, \"b\"\nc", ("GET", "/items"), "2026-11-02T10:00:02Z");
    traffic.analytics.flush().unwrap();
    traffic
}

#[test]
fn csv_is_quoted_and_formulas_are_defused() {
    let traffic = small();
    let mut out = Vec::new();
    traffic.analytics.reports().export(&Question::default().ask(), Export::Users, ExportFormat::Csv, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let ends = text.matches("\r\n").count();
    assert_eq!(ends, 4, "{text}");
    assert!(text.starts_with("user_id,user_name,first_seen,last_seen,"), "{text}");
    assert!(text.contains("\r\n'=cmd|'/C calc'!A0,,2026-11-02T10:00:01Z,"), "{text}");
    assert!(text.contains("\r\n\"a, \"\"b\"\"\nc\",,"), "{text}");
}

/// Takes so many bytes, and then no more.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 < bytes.len() {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        self.0 -= bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_refuses_to_be_written_to_is_an_error_with_its_cause() {
    let traffic = small();
    let reports = traffic.analytics.reports();
    for format in [ExportFormat::Csv, ExportFormat::Ndjson] {
        for what in [Export::Sessions, Export::Actions, Export::Daily, Export::Users] {
            let error = reports.export(&Question::default().ask(), what, format, &mut Full(100)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Output);
            assert!(format!("{error:?}").contains("look for a full disk"), "{error:?}");
            let cause = std::error::Error::source(&error).unwrap().downcast_ref::<io::Error>().unwrap();
            assert_eq!(cause.kind(), io::ErrorKind::StorageFull, "{what:?} {format:?}");
        }
    }
    assert_eq!(reports.export_user("ann", &mut Full(100)).unwrap_err().kind(), ErrorKind::Output);
}

#[test]
fn a_month_without_raw_hits_is_refused_before_anything_is_written() {
    let mut traffic = small();
    traffic.analytics.shutdown(Duration::from_secs(30)).unwrap();
    let main = rusqlite::Connection::open(traffic.directory().join("analytics.db")).unwrap();
    main.execute("update parts set state = 'archived'", []).unwrap();
    std::fs::remove_file(traffic.directory().join("analytics-202611.db")).unwrap();
    traffic.reopen();
    let reports = traffic.analytics.reports();
    for what in [Export::Sessions, Export::Actions] {
        let mut out = Vec::new();
        let error = reports.export(&Question::default().ask(), what, ExportFormat::Csv, &mut out).unwrap_err();
        assert_eq!((error.kind(), out.len()), (ErrorKind::NoRaw, 0));
        assert!(error.to_string().contains("2026-11"), "{error}");
    }
    // What roll-ups say can be had.
    assert_eq!(rows(&reports, &Question::default(), Export::Users).len(), 3);
    assert!(rows(&reports, &Question::default(), Export::Daily).len() > 3);
    let found = person(&reports, "ann").unwrap();
    assert_eq!((&found["incomplete"], &found["sessions"]), (&json!(true), &json!([])));
}

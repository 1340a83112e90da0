use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// What must come out of a set.
#[derive(Debug, Default, PartialEq)]
pub struct Expected {
    /// In order of their beginning, then of their text.
    pub sessions: Vec<Session>,
    pub actions: BTreeMap<String, u64>,
    /// Users of each UTC day on which they did or began something.
    pub users_of_days: BTreeMap<i64, BTreeSet<String>>,
    /// How many different visitors, bots among them, each day had.
    pub visitors_of_days: BTreeMap<i64, usize>,
    pub merged: u64,
    pub repeated: u64,
    pub without_time: u64,
    pub backwards: u64,
    pub count_differs: u64,
    pub without_actions: u64,
    /// Errors in a session, and outside of all.
    pub errors: (u64, u64),
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Session {
    /// Milliseconds since 1970, as `last`.
    pub start: i64,
    pub last: i64,
    /// The user, or what kind of visitor.
    pub who: String,
    pub device: String,
    pub platform: String,
    pub actions: u64,
    /// From the first hit to the last action, where each lies in this session.
    pub time: i64,
}

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

struct Record<'a> {
    of: &'a Value,
    file: usize,
    start: i64,
    end: i64,
}

/// The sessions of files (in the order in which they are read), and the errors of another.
pub fn expected(files: &[&Value], errors: Option<&Value>) -> Expected {
    let mut out = Expected::default();
    let mut groups: BTreeMap<(String, String), Vec<Record<'_>>> = BTreeMap::new();
    for (file, value) in files.iter().enumerate() {
        for of in value["sessions"].as_array().into_iter().flatten() {
            let (start, end) = (moment(&of["started_at"]), moment(&of["ended_at"]));
            let Some(start) = start.or(end) else {
                out.without_time += 1;
                continue;
            };
            let end = end.unwrap_or(start);
            out.backwards += u64::from(end < start);
            let end = end.max(start);
            let said = of["actions_count"].as_i64();
            out.count_differs += u64::from(said.is_some_and(|said| said != listed(of) as i64));
            let mut id = text(&of["session_id"]);
            if id.is_empty() {
                id = format!("none {start} {end} {} {}", text(&of["device_info"]), text(&of["platform"]));
            }
            groups.entry((id, text(&of["discord_id"]))).or_default().push(Record { of, file, start, end });
        }
    }
    let mut visits: Vec<Vec<Record<'_>>> = Vec::new();
    for (_, mut records) in groups {
        // Stable: those of one file stay as they came.
        records.sort_by_key(|record| (record.start, record.file));
        let mut kept: Vec<Record<'_>> = Vec::new();
        for record in records {
            match kept.last_mut() {
                Some(last) if last.start == record.start && last.file != record.file => {
                    out.repeated += 1;
                    if (record.end, actions(record.of)) > (last.end, actions(last.of)) {
                        let file = last.file;
                        *last = Record { file, ..record };
                    }
                }
                _ => kept.push(record),
            }
        }
        let mut visit: Vec<Record<'_>> = Vec::new();
        for record in kept {
            if visit.iter().any(|before| record.start <= before.end + 30 * MINUTE) {
                out.merged += 1;
            } else if !visit.is_empty() {
                visits.push(std::mem::take(&mut visit));
            }
            visit.push(record);
        }
        visits.push(visit);
    }
    let mut visitors: BTreeMap<i64, BTreeSet<String>> = BTreeMap::new();
    let mut spans = Vec::new();
    for visit in &visits {
        let (start, end) = (visit[0].start, visit.iter().map(|record| record.end).max().unwrap());
        out.without_actions += u64::from(visit.iter().all(|record| actions(record.of) == 0));
        // Moments with who was there, and whether it is an action.
        let mut hits: Vec<(i64, bool, &Value)> = Vec::new();
        for record in visit {
            let count = actions(record.of);
            for (n, at) in spread(record, count).into_iter().enumerate() {
                hits.push((at, true, record.of));
                *out.actions.entry(endpoint(record.of, n as u64)).or_default() += 1;
            }
            let screens = record.of["screens_visited"].as_array().map_or(0, Vec::len) as u64;
            hits.extend(spread(record, screens).into_iter().map(|at| (at, false, record.of)));
        }
        if !hits.iter().any(|(at, is_action, _)| *is_action && *at == start) {
            hits.push((start, false, visit[0].of));
        }
        if end != start && !hits.iter().any(|(at, is_action, _)| *is_action && *at == end) {
            hits.push((end, false, visit[visit.len() - 1].of));
        }
        hits.sort_by_key(|(at, is_action, _)| (*at, !*is_action));
        let mut open: Option<(Session, i64)> = None;
        let mut opened = Vec::new();
        for (at, is_action, of) in hits {
            let who = text(&of["discord_id"]);
            let day = at.div_euclid(DAY);
            if is_user(&who) {
                out.users_of_days.entry(day).or_default().insert(who.clone());
            } else {
                let network = text(&of["ip_address"]).rsplit_once('.').map(|(network, _)| network.to_owned()).unwrap_or_default();
                let names = ["discord_id", "device_info", "platform", "app_version"].map(|name| text(&of[name]));
                visitors.entry(day).or_default().insert(format!("{network} {names:?}"));
            }
            let goes_on = open.as_ref().is_some_and(|(session, _)| month(session.start) == month(at) && at - session.start < DAY);
            if !goes_on {
                out.sessions.extend(open.take().map(|(session, _)| session));
                let who = if is_user(&who) {
                    who
                } else if who == "monitoring_service" {
                    "bot".to_owned()
                } else {
                    "visitor".to_owned()
                };
                let [device, platform] = ["device_info", "platform"].map(|name| text(&of[name]).replace("Unknown", ""));
                opened.push(at);
                open = Some((Session { start: at, last: at, who, device, platform, actions: 0, time: 0 }, at));
            }
            let (session, acted) = open.as_mut().unwrap();
            session.last = at;
            if is_action {
                session.actions += 1;
                session.time += at - *acted;
                *acted = at;
            }
        }
        out.sessions.extend(open.map(|(session, _)| session));
        spans.push(Span { who: text(&visit[0].of["discord_id"]), start, end, opened: std::mem::take(&mut opened) });
    }
    out.visitors_of_days = visitors.into_iter().map(|(day, visitors)| (day, visitors.len())).collect();
    out.sessions.sort();
    place(errors, &spans, &mut out);
    out
}

struct Span {
    who: String,
    start: i64,
    end: i64,
    /// When each of the sessions that it was cut into began.
    opened: Vec<i64>,
}

fn place(errors: Option<&Value>, spans: &[Span], out: &mut Expected) {
    let mut spans: Vec<&Span> = spans.iter().collect();
    spans.sort_by_key(|span| span.start);
    for error in errors.into_iter().flat_map(|errors| errors["errors"].as_array().into_iter().flatten()) {
        let (at, user) = (moment(&error["timestamp"]).unwrap(), text(&error["user_id"]));
        if is_user(&user) {
            out.users_of_days.entry(at.div_euclid(DAY)).or_default().insert(user.clone());
        }
        let last_near = |after: i64| {
            spans.iter().rev().find(|span| is_user(&user) && span.who == user && (span.start..=span.end + after).contains(&at))
        };
        let opened = last_near(0).or(last_near(30 * MINUTE)).and_then(|span| span.opened.iter().rfind(|opened| **opened <= at));
        if opened.is_some_and(|opened| month(*opened) == month(at) && at - opened < DAY) { out.errors.0 += 1 } else { out.errors.1 += 1 }
    }
}

fn is_user(id: &str) -> bool {
    !["", "unknown", "monitoring_service"].contains(&id)
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

fn listed(of: &Value) -> u64 {
    of["endpoints_used"].as_object().into_iter().flatten().filter_map(|(_, count)| count.as_u64()).sum()
}

fn actions(of: &Value) -> u64 {
    listed(of).max(of["actions_count"].as_u64().unwrap_or(0))
}

fn endpoint(of: &Value, nth: u64) -> String {
    let mut before = 0;
    for (name, count) in of["endpoints_used"].as_object().into_iter().flatten() {
        before += count.as_u64().unwrap_or(0);
        if nth < before {
            return name.clone();
        }
    }
    "(unknown)".to_owned()
}

fn spread(record: &Record<'_>, count: u64) -> Vec<i64> {
    match count {
        0 => Vec::new(),
        1 => vec![record.end],
        _ => (0..count as i64).map(|n| record.start + (record.end - record.start) * n / (count as i64 - 1)).collect(),
    }
}

/// Milliseconds since 1970 of `YYYY-MM-DDTHH:MM:SS[.ffffff]`.
pub fn moment(value: &Value) -> Option<i64> {
    let text = value.as_str()?;
    let number = |from: usize, to: usize| text[from..to].parse::<i64>().unwrap();
    let (year, month, day) = (number(0, 4), number(5, 7), number(8, 10));
    let days =
        (1970..year).map(|year| 365 + i64::from(is_leap(year))).sum::<i64>() + LENGTHS[..month as usize - 1].iter().sum::<i64>() + day - 1
            + i64::from(month > 2 && is_leap(year));
    let millis = if text.len() > 19 { number(20, 23) } else { 0 };
    Some(days * DAY + number(11, 13) * 60 * MINUTE + number(14, 16) * MINUTE + number(17, 19) * 1000 + millis)
}

const LENGTHS: [i64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

fn is_leap(year: i64) -> bool {
    (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
}

/// Counted from 1970.
fn month(at: i64) -> i64 {
    let (mut days, mut months) = (at.div_euclid(DAY), 0);
    for year in 1970.. {
        for (number, length) in LENGTHS.iter().enumerate() {
            let length = length + i64::from(number == 1 && is_leap(year));
            if days < length {
                return months;
            }
            days -= length;
            months += 1;
        }
    }
    unreachable!()
}

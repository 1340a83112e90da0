//! `users`, `user`, `inactive_users` and `power_users`.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use serde_json::{Value, json};
use tower_analytics::Bots;

use super::{
    Device, Seen, World,
    catalogue::{endpoint_called, feature_name, version_rank},
    days::{day_text, time_text},
    group::{Group, joined},
    question::{Question, Span},
};

/// Everything of a person counts, also what bots did, unless a filter says which.
fn everything(question: &Question) -> Question {
    let filtered = question.platform.is_some() || question.version.is_some() || question.splits() || question.bots == Bots::Only;
    question.with_bots(if filtered { question.bots } else { Bots::Include })
}

/// The hits of those who are there.
fn of_people<'a>(world: &'a World, question: &Question, span: &Span) -> BTreeMap<i64, Group<'a>> {
    let here = world.pick(question, span).users();
    let mut people = world.pick(&everything(question), span).by(|hit| hit.person);
    people.retain(|person, _| here.contains(person));
    people
}

fn newest<'a>(hits: &Group<'a>) -> &'a Seen {
    // Of two at one moment, the one that was recorded later.
    hits.hits.iter().max_by_key(|hit| (hit.at, hit.raw.id)).unwrap()
}

fn row(world: &World, person: i64, hits: &Group<'_>) -> Value {
    let user = &world.users[&person];
    let last = (hits.len() > 0).then(|| newest(hits));
    let unknown = Device::default();
    let device = last.map_or(&unknown, |hit| &*hit.device);
    json!({
        "user_id": user.id, "user_name": user.name, "first_seen": time_text(world.first_seen[&person]),
        "last_seen": last.map(|hit| time_text(hit.at)), "platform": device.platform, "app_version": device.version,
        "sessions": hits.sessions().len(), "time": hits.time() as f64 / 1e3, "hits": hits.len(), "actions": hits.actions(),
        "errors": hits.errors(),
    })
}

fn rows(world: &World, people: &BTreeMap<i64, Group<'_>>, key: impl Fn(i64, &Group<'_>) -> i64) -> Vec<Value> {
    let mut people: Vec<_> = people.iter().collect();
    people.sort_by_key(|(person, hits)| Reverse((key(**person, hits), **person)));
    people.into_iter().map(|(person, hits)| row(world, *person, hits)).collect()
}

pub(crate) fn users(world: &World, question: &Question, order: &str) -> Value {
    users_among(world, question, order, &|_| true)
}

/// Those of them who were first seen in some time.
pub(crate) fn users_among(world: &World, question: &Question, order: &str, is_in: &dyn Fn(i64) -> bool) -> Value {
    let mut people = of_people(world, question, &question.span(world));
    people.retain(|person, _| is_in(world.first_seen[person]));
    let key = |person: i64, hits: &Group<'_>| match order {
        "last_seen" => newest(hits).at,
        "actions" => hits.actions() as i64,
        "sessions" => hits.sessions().len() as i64,
        _ => person,
    };
    json!({"total": people.len(), "users": rows(world, &people, key)})
}

pub(crate) fn power_users(world: &World, question: &Question, by: &str) -> Value {
    let span = question.span(world);
    let people = of_people(world, question, &span);
    let features = |hits: &Group<'_>| hits.hits.iter().map(|hit| endpoint_called(&hit.endpoint).feature).collect::<BTreeSet<_>>().len();
    let key = |_, hits: &Group<'_>| if by == "actions" { hits.actions() } else { features(hits) } as i64;
    let used: BTreeMap<&str, usize> = people.iter().map(|(person, hits)| (world.users[person].id.as_str(), features(hits))).collect();
    let row = |row: Value| {
        let used = used[row["user_id"].as_str().unwrap()];
        joined(row, json!({"features_used": used}))
    };
    json!({"by": by, "users": rows(world, &people, key).into_iter().map(row).collect::<Vec<_>>()})
}

pub(crate) fn inactive_users(world: &World, question: &Question, idle_days: u32) -> Value {
    let today = world.today();
    let idle = Span::of_days(world, today + 1 - idle_days as i32..today + 1);
    let anybody = Question { bots: Bots::Include, ..Question::default() };
    let here = world.pick(&anybody, &idle).users();
    let before = Span { from: i64::MIN, to: idle.from, days: 0..0 };
    let mut away = world.pick(&Question { user: question.user.clone(), ..anybody }, &before).by(|hit| hit.person);
    away.retain(|person, hits| !here.contains(person) && question.passes_platform(&newest(hits).device));
    let mut versions: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for hits in away.values() {
        let device = &newest(hits).device;
        *versions.entry((&device.platform, &device.version)).or_default() += 1;
    }
    let mut versions: Vec<_> = versions.into_iter().collect();
    versions.sort_by_key(|((platform, version), users)| (Reverse(*users), *platform, Reverse(version_rank(version))));
    let version =
        |((platform, version), users): ((&str, &str), usize)| json!({"platform": platform, "app_version": version, "users": users});
    json!({
        "idle_days": idle_days, "total": away.len(), "versions": versions.into_iter().map(version).collect::<Vec<_>>(),
        "users": rows(world, &away, |_, hits| newest(hits).at),
    })
}

pub(crate) fn user(world: &World, question: &Question, id: &str) -> Value {
    let Some(person) = world.person_called(id) else { return Value::Null };
    let question = everything(&Question { user: Some(id.to_owned()), ..question.clone() });
    let hits = world.pick(&question, &question.span(world));
    let aliases: Vec<&String> = world.aliases.iter().filter(|(_, into)| **into == person).map(|(user, _)| &world.users[user].id).collect();
    let mut platforms: Vec<_> = hits.by(|hit| Some((hit.device.platform.clone(), hit.device.version.clone()))).into_iter().collect();
    platforms.sort_by_key(|((platform, version), hits)| (Reverse((hits.len(), version_rank(version))), platform.clone()));
    let counts = |hits: &Group<'_>| json!({"hits": hits.len(), "last_seen": time_text(newest(hits).at)});
    let platform = |((platform, version), hits): ((String, String), Group<'_>)| {
        joined(counts(&hits), json!({"platform": platform, "app_version": version}))
    };
    let mut features: Vec<_> = hits.by(|hit| Some(endpoint_called(&hit.endpoint).feature)).into_iter().collect();
    features.sort_by_key(|(key, hits)| (Reverse(hits.len()), *key));
    let feature = |(key, hits): (&str, Group<'_>)| joined(counts(&hits), json!({"feature": key, "name": feature_name(key)}));
    let day = |(day, hits): (i32, Group<'_>)| {
        let sessions = hits.count(|hit| hit.raw.opens);
        json!({"date": day_text(day), "hits": hits.len(), "actions": hits.actions(), "sessions": sessions, "errors": hits.errors()})
    };
    json!({
        "user": row(world, person, &hits),
        "aliases": aliases,
        "platforms": platforms.into_iter().map(platform).collect::<Vec<_>>(),
        "features": features.into_iter().map(feature).collect::<Vec<_>>(),
        "days": hits.by(|hit| Some(hit.day)).into_iter().map(day).collect::<Vec<_>>(),
        "incomplete": false,
    })
}

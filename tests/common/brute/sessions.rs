//! `sessions`, `session` and `active_sessions`.

use std::cmp::Reverse;

use serde_json::{Value, json};

use super::{
    Session, World,
    catalogue::endpoint_called,
    days::time_text,
    failures::{grpc, outcome},
    question::Question,
};

fn id((month, number): (i64, i64)) -> String {
    format!("{month}-{number}")
}

fn row(world: &World, key: (i64, i64), session: &Session) -> Value {
    let user = session.person.map(|_| &world.users[&session.user]);
    let count = |is_so: &dyn Fn(&super::Seen) -> bool| session.hits.iter().filter(|hit| is_so(&world.hits[**hit])).count();
    json!({
        "session_id": id(key), "user_id": user.map(|user| &user.id), "user_name": user.map_or("", |user| &user.name),
        "platform": session.device.platform, "app_version": session.device.version, "device": session.device.name,
        "bot": session.device.bot, "started_at": time_text(session.opened), "last_activity": time_text(session.last),
        "duration": session.time as f64 / 1e3, "hits": session.hits.len(), "actions": count(&|hit| hit.raw.is_action),
        "errors": count(&|hit| hit.raw.is_error()), "last_endpoint": &*session.last_endpoint, "active": world.is_active(session),
    })
}

/// Those that a filter lets through by what they began with, and by having a hit of the kind.
fn passes(world: &World, question: &Question, session: &Session) -> bool {
    question.passes_device(&session.device)
        && question.passes_user(world, session.person)
        && session.hits.iter().any(|hit| question.passes_what(&world.hits[*hit]))
}

pub(crate) fn sessions(world: &World, question: &Question) -> Value {
    let span = question.span(world);
    let begun = world.sessions.iter().rev().filter(|(_, session)| (span.from..span.to).contains(&session.opened));
    let rows: Vec<Value> =
        begun.filter(|(_, session)| passes(world, question, session)).map(|(key, session)| row(world, *key, session)).collect();
    json!({"sessions": rows})
}

pub(crate) fn active_sessions(world: &World, question: &Question) -> Value {
    let mut active: Vec<_> =
        world.sessions.iter().filter(|(_, session)| world.is_active(session) && passes(world, question, session)).collect();
    active.sort_by_key(|(key, session)| Reverse((session.last, **key)));
    let row = |(key, session): (&(i64, i64), &Session)| {
        let Value::Object(mut row) = row(world, *key, session) else { unreachable!() };
        ["bot", "hits", "errors", "active"].iter().for_each(|more| drop(row.remove(*more)));
        Value::Object(row)
    };
    json!({"sessions": active.into_iter().map(row).collect::<Vec<_>>()})
}

pub(crate) fn session(world: &World, key: (i64, i64)) -> Value {
    let session = &world.sessions[&key];
    let same_person = |other: &&Session| session.person.is_some() && other.person == session.person;
    let before = world.sessions.range(..key).rev().find(|(_, other)| same_person(other));
    let after = world.sessions.range(key..).skip(1).find(|(_, other)| same_person(other));
    let action = |n: usize| {
        let hit = &world.hits[session.hits[n]];
        let gap = (n > 0).then(|| (hit.at - world.hits[session.hits[n - 1]].at) as f64 / 1e3);
        let error = world.errors.get(&hit.raw.error).filter(|_| hit.raw.error > 0);
        json!({
            "at": time_text(hit.at), "gap": gap, "endpoint": &*hit.endpoint, "name": endpoint_called(&hit.endpoint).name,
            "status": hit.raw.status, "outcome": outcome(hit), "grpc_status": grpc(hit), "action": hit.raw.is_action,
            "latency_ms": hit.raw.head_us as f64 / 1e3, "body_ms": hit.raw.body_us as f64 / 1e3,
            "bytes_in": hit.raw.bytes_in, "bytes_out": hit.raw.bytes_out,
            "error_kind": error.map_or("", |error| &error.kind), "error_message": error.map_or("", |error| &error.message),
        })
    };
    json!({
        "session": row(world, key, session), "previous_session": before.map(|(key, _)| id(*key)),
        "next_session": after.map(|(key, _)| id(*key)), "actions": (0..session.hits.len()).map(action).collect::<Vec<_>>(),
    })
}

pub(crate) fn latest_hits(world: &World, most: usize) -> Value {
    let mut hits: Vec<&super::Seen> = world.hits.iter().collect();
    hits.sort_by_key(|hit| Reverse((hit.session.0, hit.raw.id)));
    let row = |hit: &&super::Seen| {
        let user = hit.person.map(|_| &world.users[&hit.raw.user]);
        json!({
            "at": time_text(hit.at), "session_id": id(hit.session), "user_id": user.map(|user| &user.id),
            "user_name": user.map_or("", |user| &user.name), "platform": hit.device.platform, "bot": hit.device.bot,
            "endpoint": &*hit.endpoint, "status": hit.raw.status, "outcome": outcome(hit), "latency_ms": hit.raw.head_us as f64 / 1e3,
        })
    };
    json!({"hits": hits.iter().take(most).map(row).collect::<Vec<_>>()})
}

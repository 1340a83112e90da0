//! `features`, `endpoints` and `comparison`.

use std::{cmp::Reverse, collections::BTreeSet};

use serde_json::{Value, json};

use super::{
    Seen, World,
    catalogue::{endpoint_called, feature_name},
    days::DAY,
    group::{Group, joined},
    question::{Question, Span},
};

fn feature_of(hit: &Seen) -> Option<String> {
    Some(endpoint_called(&hit.endpoint).feature.to_owned())
}

fn endpoint_of(hit: &Seen) -> Option<String> {
    Some(hit.endpoint.to_string())
}

pub(crate) fn endpoints(world: &World, question: &Question) -> Value {
    let mut rows: Vec<_> = world.pick(question, &question.span(world)).by(endpoint_of).into_iter().collect();
    rows.sort_by_key(|(name, hits)| (Reverse(hits.len()), name.clone()));
    let row = |(text, hits): (String, Group<'_>)| {
        let known = endpoint_called(&text);
        joined(hits.outcomes(), json!({"endpoint": text, "name": known.name, "feature": known.feature}))
    };
    rows.into_iter().map(row).collect()
}

pub(crate) fn features(world: &World, question: &Question) -> Value {
    let span = question.span(world);
    let before = span.before(world, question);
    let now = world.pick(question, &span);
    let before = before.map(|before| world.pick(question, &before));
    // A share of whoever was there, whatever they used.
    let whatever = Question { endpoint: None, feature: None, status: None, ..question.clone() };
    let active = world.pick(&whatever, &span).users().len();
    let rows = |key: fn(&Seen) -> Option<String>| -> Vec<(Value, String, usize, usize)> {
        let none = now.only(|_| false);
        let (now, before) = (now.by(key), before.as_ref().map(|before| before.by(key)));
        let keys: BTreeSet<&String> = now.keys().chain(before.iter().flatten().map(|(key, _)| key)).collect();
        let row = |key: &String| {
            let hits = now.get(key).unwrap_or(&none);
            let before = before.as_ref().map(|before| before.get(key).unwrap_or(&none));
            let (count, users) = (hits.len(), hits.users().len());
            let share = |part: usize, whole: usize| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
            let rest = json!({
                "adoption": share(users, active),
                "hits_per_user": share(count, users),
                "previous_hits": before.map(Group::len),
                "previous_users": before.map(|before| before.users().len()),
                "change": before.filter(|before| before.len() > 0).map(|before| count as f64 / before.len() as f64 - 1.0),
            });
            (joined(hits.outcomes(), rest), key.clone(), count, users)
        };
        keys.into_iter().map(row).collect()
    };
    let (mut features, mut endpoints) = (rows(feature_of), rows(endpoint_of));
    features.sort_by_key(|(_, key, hits, users)| (Reverse((*users, *hits)), key.clone()));
    endpoints.retain(|(_, _, hits, _)| *hits > 0);
    endpoints.sort_by_key(|(_, key, hits, _)| (Reverse(*hits), key.clone()));
    let feature =
        |(row, key, ..): (Value, String, usize, usize)| joined(row, json!({"feature": key, "endpoint": "", "name": feature_name(&key)}));
    let endpoint = |(row, key, ..): (Value, String, usize, usize)| {
        let known = endpoint_called(&key);
        joined(row, json!({"feature": known.feature, "endpoint": key, "name": known.name}))
    };
    json!({
        "active_users": active,
        "features": features.into_iter().map(feature).collect::<Vec<_>>(),
        "endpoints": endpoints.into_iter().map(endpoint).collect::<Vec<_>>(),
    })
}

pub(crate) fn comparison(world: &World, question: &Question, other: Option<&Question>) -> Value {
    let span = question.span(world);
    let none = Span::of_days(world, span.days.start..span.days.start);
    let other = other.map_or_else(|| span.before(world, question).unwrap_or(none), |other| other.span(world));
    // What has not been yet does not count.
    let length = |span: &Span| (span.to.min(world.now) - span.from).max(0) as f64 / DAY as f64;
    let (days, other_days) = (length(&span), length(&other));
    let (now, before) = (world.pick(question, &span).by(feature_of), world.pick(question, &other).by(feature_of));
    let empty = world.pick(question, &Span { from: 0, to: 0, days: 0..0 });
    let per_day = |count: usize, days: f64| if days > 0.0 { count as f64 / days } else { 0.0 };
    let daily = |hits: &Group<'_>| hits.by(|hit| Some(hit.day)).values().map(|hits| hits.users().len()).sum::<usize>();
    let change = |now: f64, before: f64| (before > 0.0).then(|| now / before - 1.0);
    let row = |key: &String| {
        let (now, before) = (now.get(key).unwrap_or(&empty), before.get(key).unwrap_or(&empty));
        let hits = (per_day(now.len(), days), per_day(before.len(), other_days));
        let users = (per_day(daily(now), days), per_day(daily(before), other_days));
        let row = json!({
            "feature": key, "name": feature_name(key),
            "hits_per_day": hits.0, "other_hits_per_day": hits.1, "hits_change": change(hits.0, hits.1),
            "users_per_day": users.0, "other_users_per_day": users.1, "users_change": change(users.0, users.1),
            "users": now.users().len(), "other_users": before.users().len(),
        });
        (hits.0, key.clone(), row)
    };
    let keys: BTreeSet<&String> = now.keys().chain(before.keys()).collect();
    let mut rows: Vec<_> = keys.into_iter().map(row).collect();
    rows.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    json!({"days": days, "other_days": other_days, "features": rows.into_iter().map(|(_, _, row)| row).collect::<Vec<_>>()})
}

//! `errors`.

use std::{
    cmp::Reverse,
    hash::{DefaultHasher, Hasher},
};

use serde_json::{Value, json};

use super::{
    Seen, World,
    catalogue::endpoint_called,
    days::{day_text, steps, time_text, usual_days},
    group::Group,
    question::Question,
};

const OUTCOMES: [&str; 3] = ["completed", "failed", "aborted"];

/// The gRPC status; rows say one more, and zero for none.
pub(crate) fn grpc(hit: &Seen) -> Option<i64> {
    (hit.raw.grpc > 0).then(|| hit.raw.grpc - 1)
}

pub(crate) fn outcome(hit: &Seen) -> &'static str {
    OUTCOMES[hit.raw.outcome as usize]
}

pub(crate) fn errors(world: &World, question: &Question) -> Value {
    let span = question.span(world);
    let steps = steps(usual_days(span.days.len()), span.days.clone());
    let hits = world.pick(question, &span);
    let trend = |hits: &Group<'_>| -> Vec<usize> { steps.iter().map(|days| hits.count(|hit| days.contains(&hit.day))).collect() };
    let day = |day: Option<i32>| day_text(day.unwrap());
    let failure = |hit: &Seen| {
        let grpc = grpc(hit).filter(|status| *status != 0);
        let is_one = hit.raw.status >= 400 || hit.raw.outcome != 0 || grpc.is_some();
        is_one.then(|| (hit.endpoint.to_string(), hit.raw.status, outcome(hit), grpc))
    };
    let mut failures: Vec<_> = hits.by(failure).into_iter().collect();
    failures.sort_by_key(|(key, hits)| (Reverse(hits.len()), key.clone()));
    let failure = |((endpoint, status, outcome, grpc), hits): ((String, i64, &str, Option<i64>), Group<'_>)| {
        json!({
            "endpoint": endpoint, "name": endpoint_called(&endpoint).name, "status": status, "outcome": outcome,
            "grpc_status": grpc, "count": hits.len(), "users": hits.users().len(),
            "first_seen": day(hits.hits.iter().map(|hit| hit.day).min()), "last_seen": day(hits.hits.iter().map(|hit| hit.day).max()),
            "trend": trend(&hits),
        })
    };
    let error = |(number, hits): (i64, Group<'_>)| {
        let known = &world.errors[&number];
        json!({
            "fingerprint": fingerprint(&[&known.kind, &known.message, &known.endpoint]),
            "kind": known.kind, "message": known.message, "sample": known.sample, "endpoint": &*known.endpoint,
            "count": hits.len(), "users": hits.users().len(), "first_seen": time_text(known.first_seen),
            "last_seen": day(hits.hits.iter().map(|hit| hit.day).max()), "trend": trend(&hits),
        })
    };
    let mut errors: Vec<Value> = hits.by(|hit| Some(hit.raw.error).filter(|error| *error > 0)).into_iter().map(error).collect();
    errors.sort_by_key(|row| (Reverse(row["count"].as_u64()), row["fingerprint"].to_string()));
    json!({
        "starts": steps.iter().map(|days| day_text(days[0])).collect::<Vec<_>>(),
        "failures": failures.into_iter().map(failure).collect::<Vec<_>>(),
        "errors": errors,
    })
}

/// The standard library hashes with SipHash-1-3, too.
fn fingerprint(texts: &[&str]) -> String {
    let mut hasher = DefaultHasher::new();
    for text in texts {
        hasher.write(text.as_bytes());
        hasher.write_u8(0);
    }
    format!("{:016x}", hasher.finish())
}

//! `traffic` and `peak_hours`.

use serde_json::{Value, json};

use super::{
    World,
    days::{Zone, steps, time_text, usual},
    group::{Group, joined},
    question::{Question, Span},
};

const QUARTER: i64 = 900_000;

pub(crate) fn traffic(world: &World, question: &Question, interval: Option<&str>) -> Value {
    let span = question.span(world);
    let interval = interval.unwrap_or_else(|| usual(span.days.len()));
    let hits = world.pick(question, &span);
    let buckets: Vec<Value> = match interval {
        "15min" | "hour" => {
            let starts = starts(&span, &question.tz.map_or_else(|| world.zone.clone(), Zone::named), interval);
            let of_step = hits.by(|hit| Some(starts.partition_point(|start| *start <= hit.at) - 1));
            starts.iter().enumerate().map(|(n, start)| bucket(*start, of_step.get(&n).unwrap_or(&hits.only(|_| false)))).collect()
        }
        _ => {
            let steps = steps(interval, span.days.clone());
            steps.iter().map(|days| bucket(world.zone.start(days[0]), &hits.only(|hit| days.contains(&hit.day)))).collect()
        }
    };
    json!({"interval": interval, "buckets": buckets})
}

/// Quarters of an hour, or whenever a clock there shows a full hour, and none longer than that; the first one may begin
/// before the range.
fn starts(span: &Span, zone: &Zone, interval: &str) -> Vec<i64> {
    let begins = |at: i64| interval == "15min" || zone.civil(at).minute() == 0;
    let mut first = span.from.div_euclid(QUARTER) * QUARTER;
    while !begins(first) {
        first -= QUARTER;
    }
    let mut starts: Vec<i64> = Vec::new();
    for at in (0..).map(|n| first + n * QUARTER).take_while(|at| *at < span.to) {
        if begins(at) || starts.last().is_none_or(|last| at - last >= 4 * QUARTER) {
            starts.push(at);
        }
    }
    starts
}

fn bucket(start: i64, hits: &Group<'_>) -> Value {
    let rest = json!({
        "start": time_text(start), "actions": hits.actions(), "sessions": hits.sessions().len(), "bytes_out": hits.bytes_out(),
        "session_time": hits.time() as f64 / 1e3,
    });
    joined(hits.outcomes(), rest)
}

pub(crate) fn peak_hours(world: &World, question: &Question) -> Value {
    let name = question.tz.unwrap_or(&world.zone_name);
    let zone = Zone::named(name);
    let hits = world.pick(question, &question.span(world));
    let counts = |hits: &Group<'_>| json!({"hits": hits.len(), "sessions": hits.sessions().len(), "users": hits.users().len()});
    let hour = |at: i64| zone.civil(at).hour();
    let weekday = |at: i64| zone.civil(at).weekday().to_monday_zero_offset();
    // What splits a session shows it in each hour that has a hit of it, so the hours of the day add up those of the week.
    let week: Vec<(i8, i8, Group<'_>)> = (0..7 * 24)
        .map(|place| (place / 24, place % 24))
        .map(|(day, of_day): (i16, i16)| (day as i8, of_day as i8))
        .map(|(day, of_day)| (day, of_day, hits.only(|hit| (weekday(hit.at), hour(hit.at)) == (day, of_day))))
        .collect();
    let day = |of_day: i8| {
        let hits = hits.only(|hit| hour(hit.at) == of_day);
        let sessions: usize = week.iter().filter(|(_, hour, _)| *hour == of_day).map(|(_, _, hits)| hits.sessions().len()).sum();
        joined(counts(&hits), json!({"hour": of_day, "sessions": sessions}))
    };
    const NAMES: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let row = |(day, hour, hits): &(i8, i8, Group<'_>)| joined(counts(hits), json!({"weekday": NAMES[*day as usize], "hour": hour}));
    json!({"tz": name, "hours": (0..24).map(day).collect::<Vec<_>>(), "week": week.iter().map(row).collect::<Vec<_>>()})
}

/// How many of the hits took at least so long and less than so long, in milliseconds.
pub(crate) fn took_between(world: &World, question: &Question, from: f64, to: f64) -> usize {
    let millis = |hit: &super::Seen| hit.raw.head_us as f64 / 1e3;
    world.pick(question, &question.span(world)).count(|hit| (from..to).contains(&millis(hit)))
}

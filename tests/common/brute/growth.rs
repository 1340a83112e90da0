//! `user_growth`, `lifecycle` and `retention`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    World,
    days::{day_text, steps, usual_days, whole_step},
    question::{Question, Span},
};

pub(crate) fn user_growth(world: &World, question: &Question, interval: Option<&str>) -> Value {
    let span = question.span(world);
    let interval = interval.unwrap_or_else(|| usual_days(span.days.len()));
    let (hits, newcomers) = (world.pick(question, &span), world.newcomers(span.from, span.to));
    let bucket = |days: &Vec<i32>| {
        let here = hits.only(|hit| days.contains(&hit.day));
        let end = world.zone.start(days[days.len() - 1] + 1).min(span.to);
        let new = newcomers.iter().filter(|person| days.contains(&world.zone.day(world.first_seen[person])));
        let new = new.filter(|person| here.users().contains(person)).count();
        json!({
            "start": day_text(days[0]),
            "active": here.users().len(),
            "new": new,
            "returning": here.users().len() - new,
            "visitors": here.visitors(),
            "cumulative": world.newcomers(i64::MIN, end).len(),
        })
    };
    json!({"interval": interval, "buckets": steps(interval, span.days.clone()).iter().map(bucket).collect::<Vec<_>>()})
}

pub(crate) fn lifecycle(world: &World, question: &Question, interval: Option<&str>) -> Value {
    let span = question.span(world);
    let interval = interval.unwrap_or_else(|| usual_days(span.days.len()));
    let steps = steps(interval, span.days.clone());
    // The step before the first one goes from its own beginning to the range's.
    let first = whole_step(interval, whole_step(interval, span.days.start)[0] - 1)[0];
    let (hits, newcomers) = (world.pick(question, &span), world.newcomers(span.from, span.to));
    let mut before = world.pick(question, &Span { from: world.zone.start(first), to: span.from, days: 0..0 }).users();
    let mut buckets = Vec::new();
    for days in &steps {
        let here = hits.only(|hit| days.contains(&hit.day)).users();
        let is_new = |person: &i64| newcomers.contains(person) && days.contains(&world.zone.day(world.first_seen[person]));
        let (new, rest): (Vec<i64>, Vec<i64>) = here.iter().partition(|person| is_new(person));
        let returning = rest.iter().filter(|person| before.contains(person)).count();
        buckets.push(json!({
            "start": day_text(days[0]), "active": here.len(), "new": new.len(), "returning": returning,
            "resurrected": rest.len() - returning, "dormant": before.difference(&here).count(),
        }));
        before = here;
    }
    json!({"interval": interval, "buckets": buckets, "stickiness": stickiness(world, question, &span)})
}

/// Over the days that are whole and over.
fn stickiness(world: &World, question: &Question, span: &Span) -> Value {
    let is_complete = |day: &i32| *day < world.today() && world.zone.start(*day) >= span.from && world.zone.start(*day + 1) <= span.to;
    let days: Vec<i32> = span.days.clone().filter(is_complete).collect();
    let sum = |length: i32| -> usize {
        days.iter().map(|day| world.pick(question, &Span::of_days(world, day + 1 - length..day + 1)).users().len()).sum()
    };
    let (dau, wau, mau) = (sum(1) as f64, sum(7) as f64, sum(30) as f64);
    let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
    let count = days.len().max(1) as f64;
    json!({"dau": dau / count, "wau": wau / count, "mau": mau / count, "dau_mau": share(dau, mau), "dau_wau": share(dau, wau)})
}

pub(crate) fn retention(world: &World, question: &Question, interval: &str, cohorts: &str, back: &str) -> Value {
    let asked = question.span(world);
    // The first step is whole; the last one is cut where the range ends.
    let days = if asked.days.is_empty() { asked.days } else { whole_step(interval, asked.days.start)[0]..asked.days.end };
    let span = Span::of_days(world, days.clone());
    let steps = steps(interval, days);
    let (hits, newcomers) = (world.pick(question, &span), world.newcomers(span.from, span.to));
    let active: Vec<BTreeSet<i64>> = steps.iter().map(|days| hits.only(|hit| days.contains(&hit.day)).users()).collect();
    let is_member = |days: &Vec<i32>, person: &i64| match cohorts {
        "first" => newcomers.contains(person) && days.contains(&world.zone.day(world.first_seen[person])),
        _ => true,
    };
    let cohort = |(place, days): (usize, &Vec<i32>)| {
        let members: BTreeSet<i64> = active[place].iter().copied().filter(|person| is_member(days, person)).collect();
        let period = |period: usize| {
            let until = if back == "on" { period } else { active.len() - 1 };
            let kept = members.iter().filter(|person| active[period..=until].iter().any(|here| here.contains(person))).count();
            let step = &steps[period];
            let is_over = step[step.len() - 1] < world.today() && whole_step(interval, step[0]).len() == step.len();
            json!({
                "users": kept,
                "share": (!members.is_empty()).then(|| kept as f64 / members.len() as f64),
                "complete": back == "on" && is_over,
            })
        };
        json!({"start": day_text(days[0]), "users": members.len(), "periods": (place..steps.len()).map(period).collect::<Vec<_>>()})
    };
    let list: Vec<Value> = steps.iter().enumerate().map(cohort).collect();
    json!({"interval": interval, "cohorts_by": cohorts, "back": back, "cohorts": list})
}

//! `devices` and `versions`.

use std::cmp::Reverse;

use serde_json::{Value, json};
use tower_analytics::Bots;

use super::{
    World,
    catalogue::version_rank,
    days::{day_text, steps, usual_days},
    group::{Group, joined},
    question::Question,
};

pub(crate) fn devices(world: &World, question: &Question) -> Value {
    let span = question.span(world);
    let hits = world.pick(question, &span);
    let mut platforms: Vec<_> = hits.by(|hit| Some(hit.device.platform.clone())).into_iter().collect();
    platforms.sort_by_key(|(name, hits)| (Reverse((hits.users().len(), hits.len())), name.clone()));
    let platform = |(name, hits): (String, Group<'_>)| {
        let mut versions: Vec<_> = hits.by(|hit| Some(hit.device.version.clone())).into_iter().collect();
        versions.sort_by_key(|(version, _)| Reverse(version_rank(version)));
        let version = |(version, hits): (String, Group<'_>)| joined(counts(&hits), json!({"version": version}));
        let versions: Vec<Value> = versions.into_iter().map(version).collect();
        joined(counts(&hits), json!({"platform": name, "versions": versions}))
    };
    let mut devices: Vec<_> = hits.by(|hit| Some(hit.device.name.clone())).into_iter().collect();
    devices.sort_by_key(|(name, hits)| (Reverse(hits.len()), name.clone()));
    let device = |(name, hits): (String, Group<'_>)| joined(counts(&hits), json!({"device": name}));
    let machines = world.pick(&question.with_bots(Bots::Only), &span);
    let mut bots: Vec<_> = machines.by(|hit| Some(hit.device.bot.clone())).into_iter().collect();
    bots.sort_by_key(|(name, hits)| (Reverse(hits.len()), name.clone()));
    let bot = |(class, hits): (String, Group<'_>)| {
        let mut reasons: Vec<_> = world.devices.iter().filter(|device| device.bot == class).map(|device| &device.reason).collect();
        reasons.sort();
        reasons.dedup();
        joined(counts(&hits), json!({"class": class, "reasons": reasons}))
    };
    json!({
        "platforms": platforms.into_iter().map(platform).collect::<Vec<_>>(),
        "devices": devices.into_iter().map(device).collect::<Vec<_>>(),
        "bots": bots.into_iter().map(bot).collect::<Vec<_>>(),
    })
}

fn counts(hits: &Group<'_>) -> Value {
    json!({"users": hits.users().len(), "sessions": hits.sessions().len(), "hits": hits.len()})
}

pub(crate) fn versions(world: &World, question: &Question, interval: Option<&str>) -> Value {
    let span = question.span(world);
    let interval = interval.unwrap_or_else(|| usual_days(span.days.len()));
    let steps = steps(interval, span.days.clone());
    let hits = world.pick(question, &span);
    let of_steps =
        |hits: &Group<'_>| -> Vec<usize> { steps.iter().map(|days| hits.only(|hit| days.contains(&hit.day)).users().len()).collect() };
    let platform = |(name, hits): (String, Group<'_>)| {
        let all = of_steps(&hits);
        let mut versions: Vec<_> = hits.by(|hit| Some(hit.device.version.clone())).into_iter().collect();
        versions.sort_by_key(|(version, _)| Reverse(version_rank(version)));
        let last = all.iter().rposition(|users| *users > 0);
        let is_there = |(version, hits): &&(String, Group<'_>)| !version.is_empty() && last.is_some_and(|last| of_steps(hits)[last] > 0);
        let oldest = versions.iter().rev().find(is_there).map(|(version, _)| version.clone());
        let row = |(version, hits): &(String, Group<'_>)| {
            let here = of_steps(hits);
            let share: Vec<f64> =
                here.iter().zip(&all).map(|(here, all)| if *all == 0 { 0.0 } else { *here as f64 / *all as f64 }).collect();
            json!({"version": version, "users": hits.users().len(), "steps": here, "share": share})
        };
        json!({
            "platform": name, "users": hits.users().len(), "oldest": oldest,
            "versions": versions.iter().map(row).collect::<Vec<_>>(),
        })
    };
    let mut platforms: Vec<_> = hits.by(|hit| Some(hit.device.platform.clone())).into_iter().collect();
    platforms.sort_by_key(|(name, hits)| (Reverse(hits.users().len()), name.clone()));
    json!({
        "interval": interval,
        "starts": steps.iter().map(|days| day_text(days[0])).collect::<Vec<_>>(),
        "platforms": platforms.into_iter().map(platform).collect::<Vec<_>>(),
    })
}

//! Asks everything and compares each answer with what brute force says.

use serde::Serialize;
use serde_json::Value;
use tower_analytics::{
    Answer, Error, Interval, Page, Reports,
    report::{Back, Cohorts, Power, UserOrder},
};

use super::{
    World, days::day_text, devices, failures, growth, people, question::Question, same::assert_says, sessions, times, totals, usage,
};

const INTERVALS: [(&str, Interval); 5] =
    [("15min", Interval::Quarter), ("hour", Interval::Hour), ("day", Interval::Day), ("week", Interval::Week), ("month", Interval::Month)];

/// Every question there is, about one range and with one set of filters.
pub(crate) fn check(world: &World, reports: &Reports, question: &Question) {
    let ask = &question.ask();
    let days = question.span(world).days.len();
    says("stats", question, &reports.stats(ask), &totals::stats(world, question));
    says("devices", question, &reports.devices(ask), &devices::devices(world, question));
    says("features", question, &reports.features(ask), &usage::features(world, question));
    says("endpoints", question, &reports.endpoints(ask), &usage::endpoints(world, question));
    says("peak hours", question, &reports.peak_hours(ask), &times::peak_hours(world, question));
    says("errors", question, &reports.errors(ask), &failures::errors(world, question));
    says("comparison", question, &reports.comparison(ask, None), &usage::comparison(world, question, None));
    let first = world.hits.iter().map(|hit| hit.day).min().unwrap_or_default();
    let other = Question { from: Some(day_text(first)), to: Some(day_text(first + 3)), ..Question::default() };
    let (found, expected) = (reports.comparison(ask, Some(&other.ask())), usage::comparison(world, question, Some(&other)));
    says("comparison with the first three days", question, &found, &expected);
    for (name, interval) in [None].into_iter().chain(INTERVALS.map(Some)).map(Option::unzip) {
        // Too many steps would be refused.
        if days <= 40 || !matches!(name, Some("15min" | "hour")) {
            says(&format!("traffic by {name:?}"), question, &reports.traffic(ask, interval), &times::traffic(world, question, name));
        }
        if !matches!(name, Some("15min" | "hour")) {
            let what = |question: &str| format!("{question} by {name:?}");
            says(&what("growth"), question, &reports.user_growth(ask, interval), &growth::user_growth(world, question, name));
            says(&what("lifecycle"), question, &reports.lifecycle(ask, interval), &growth::lifecycle(world, question, name));
            says(&what("versions"), question, &reports.versions(ask, interval), &devices::versions(world, question, name));
        }
    }
    for (name, interval) in &INTERVALS[2..] {
        if *name == "day" && days > 60 {
            continue;
        }
        for (cohorts, back) in [
            (Cohorts::First, Back::On),
            (Cohorts::First, Back::OnOrAfter),
            (Cohorts::Recurring, Back::On),
            (Cohorts::Recurring, Back::OnOrAfter),
        ] {
            let expected = growth::retention(world, question, name, cohorts.name(), back.name());
            says(&format!("retention by {name}"), question, &reports.retention(ask, *interval, cohorts, back), &expected);
        }
    }
    check_latency(world, reports, question);
    check_people(world, reports, question);
    check_sessions(world, reports, question);
}

/// No hit is in two steps, and none in no step.
fn check_latency(world: &World, reports: &Reports, question: &Question) {
    let found = serde_json::to_value(&*reports.latency(&question.ask()).unwrap()).unwrap();
    let steps = found["steps"].as_array().unwrap();
    let number = |step: &Value, name: &str| step[name].as_f64().unwrap();
    for step in steps {
        let expected = times::took_between(world, question, number(step, "from_ms"), number(step, "to_ms"));
        assert_eq!(step["hits"], expected, "latency {question:?}: {step}");
    }
    let all = times::took_between(world, question, 0.0, f64::INFINITY);
    assert_eq!(steps.iter().map(|step| step["hits"].as_u64().unwrap()).sum::<u64>(), all as u64, "latency {question:?}");
}

fn check_people(world: &World, reports: &Reports, question: &Question) {
    let ask = &question.ask();
    let orders = [
        ("first_seen", UserOrder::FirstSeen),
        ("last_seen", UserOrder::LastSeen),
        ("actions", UserOrder::Actions),
        ("sessions", UserOrder::Sessions),
    ];
    for (name, order) in orders {
        let found = pages("users", 3, |page| reports.users(ask, order, page));
        assert_says(&(format!("users by {name}"), question), &found, &people::users(world, question, name));
    }
    let first = world.hits.iter().map(|hit| hit.day).min().unwrap_or_default();
    let (from, to) = (day_text(first + 2), day_text(first + 12));
    let days = world.zone.start(first + 2)..world.zone.start(first + 12);
    let cohort = ask.clone().first_seen(&from, &to).unwrap();
    for (name, order) in [orders[0], orders[2]] {
        let found = pages("users", 3, |page| reports.users(&cohort, order, page));
        let expected = people::users_among(world, question, name, &|at| days.contains(&at));
        assert_says(&(format!("users of a cohort by {name}"), question), &found, &expected);
    }
    for (name, by) in [("actions", Power::Actions), ("features", Power::Features)] {
        let found = pages("users", 3, |page| reports.power_users(ask, by, page));
        assert_says(&(format!("power users by {name}"), question), &found, &people::power_users(world, question, name));
    }
    for idle in [1, 14] {
        let found = pages("users", 2, |page| reports.inactive_users(ask, idle, page));
        assert_says(&(format!("idle for {idle} days"), question), &found, &people::inactive_users(world, question, idle));
    }
    for id in ["u2", "u5", "nobody"] {
        says(&format!("user {id}"), question, &reports.user(ask, id), &people::user(world, question, id));
    }
}

fn check_sessions(world: &World, reports: &Reports, question: &Question) {
    let ask = &question.ask();
    let found = pages("sessions", 7, |page| reports.sessions(ask, page));
    assert_says(&("sessions", question), &found, &sessions::sessions(world, question));
    if question.splits() {
        assert!(reports.active_sessions(ask).is_err());
    } else {
        says("active sessions", question, &reports.active_sessions(ask), &sessions::active_sessions(world, question));
    }
}

/// Every session there is, hit by hit; and what came last.
pub(crate) fn check_each_session(world: &World, reports: &Reports) {
    for most in [1, 40] {
        let found = reports.latest_hits(most).unwrap();
        assert_says(&("latest hits", most), &*found, &sessions::latest_hits(world, most));
    }
    for key in world.sessions.keys() {
        let id = format!("{}-{}", key.0, key.1);
        let found = pages("actions", 5, |page| reports.session(&id, page));
        assert_says(&id, &found, &sessions::session(world, *key));
    }
}

#[track_caller]
fn says<T: Serialize>(what: &str, question: &Question, found: &Result<Answer<T>, Error>, expected: &Value) {
    let found = found.as_ref().unwrap_or_else(|error| panic!("{what} {question:?}: {error}"));
    assert_says(&(what, question), &**found, expected);
}

/// All pages as one answer.
#[track_caller]
pub(crate) fn pages<T: Serialize>(list: &str, limit: usize, ask: impl Fn(&Page) -> Result<Answer<T>, Error>) -> Value {
    let mut page = Page::first(limit);
    let mut all: Option<Value> = None;
    loop {
        let mut answer = serde_json::to_value(&*ask(&page).unwrap()).unwrap();
        let next = answer.as_object_mut().unwrap().remove("next_cursor").unwrap();
        match &mut all {
            None => all = Some(answer),
            Some(all) => all[list].as_array_mut().unwrap().append(answer[list].as_array_mut().unwrap()),
        }
        match next.as_str() {
            Some(cursor) => page = page.after(cursor).unwrap(),
            None => return all.unwrap(),
        }
        assert_eq!(all.as_ref().unwrap()[list].as_array().unwrap().len() % limit, 0, "a page that is not full is not the last");
    }
}

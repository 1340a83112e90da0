use std::{ops::Deref, time::Duration};

use serde::Serialize;

use super::base::{
    group, json,
    metric::{Latency, Metric},
    newcomers,
    span::Span,
    view::View,
};
use crate::{
    error::Error,
    store::{Context, MetaKey, meta_get},
};

/// The totals, and those of the period before.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Stats {
    /// The numbers of the range.
    #[serde(flatten)]
    pub numbers: Numbers,
    /// Sessions that go on just now, whatever the range: their last activity lies within the timeout.
    pub active_sessions: u64,
    /// Hits of bots in the range; in no other number unless bots were asked for.
    pub bot_hits: u64,
    /// The same of the period before, as long, up to the same time of day. None for all time.
    pub previous: Option<Numbers>,
}

/// The totals of one period, of people unless bots were asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Numbers {
    /// Users, each counted once.
    pub total_users: u64,
    /// Users of the range who were first seen in it.
    pub new_users: u64,
    /// Visitors without a user, each counted once a UTC day.
    pub visitors: u64,
    /// Users of the last 7 days of the range.
    pub active_users_7d: u64,
    /// Users of the last 30 days of the range.
    pub active_users_30d: u64,
    /// Sessions that began.
    pub total_sessions: u64,
    /// Seconds between the first and the last action of a session, on average; zero without sessions.
    #[serde(serialize_with = "json::seconds")]
    #[cfg_attr(feature = "dashboard", schemars(with = "f64"))]
    pub avg_session_duration: Duration,
    /// Hits that are actions, and not noise such as a health check.
    pub total_actions: u64,
    /// Hits.
    pub total_hits: u64,
    /// Hits that failed or answered 500 or more, or with a gRPC status that is not OK.
    pub error_hits: u64,
    /// Hits that answered 400 to 499 and were not given up by the client.
    pub client_error_hits: u64,
    /// Hits the client gave up.
    pub aborted_hits: u64,
    /// How long it took to the head of the response.
    #[serde(rename = "latency_ms")]
    pub latency: Latency,
    /// Bytes of response bodies.
    pub bytes_out: u64,
}

impl Deref for Stats {
    type Target = Numbers;

    fn deref(&self) -> &Numbers {
        &self.numbers
    }
}

pub(super) fn ask(view: &mut View<'_, '_>) -> Result<Stats, Error> {
    let span = view.span.clone();
    let numbers = numbers(view, &span)?;
    let previous = view.before().map(|before| self::numbers(view, &before)).transpose()?;
    let filter = view.filter.clone();
    view.filter.bots = super::Bots::Only;
    let bot_hits = group::hits(view, &span)?;
    view.filter = filter;
    let active_sessions = active(view).context("count open sessions")?;
    Ok(Stats { numbers, active_sessions, bot_hits, previous })
}

fn numbers(view: &mut View<'_, '_>, span: &Span) -> Result<Numbers, Error> {
    let week = view.zone.start_of(span.touched.end - 7);
    let (metric, is_raw) = group::all_and_recent(view, span, Some(week).filter(|week| span.at.contains(week)))?;
    let new_users = newcomers::among(view, &span.at, &metric.persons(view))?.len();
    // Single hits are slow to read: not twice.
    let active_users_7d = if is_raw && span.at.contains(&week) { metric.count_recent(view) } else { active_users(view, span, 7, &metric)? };
    let active_users_30d = active_users(view, span, 30, &metric)?;
    let sums = metric.sums;
    let count = i64::unsigned_abs;
    Ok(Numbers {
        total_users: metric.count_users(view),
        new_users: new_users as u64,
        visitors: metric.visitors,
        active_users_7d,
        active_users_30d,
        total_sessions: count(sums.sessions),
        avg_session_duration: Duration::from_millis(count(sums.time) / count(sums.sessions).max(1)),
        total_actions: count(sums.actions),
        total_hits: count(sums.hits),
        error_hits: count(sums.errors),
        client_error_hits: count(sums.client_errors),
        aborted_hits: count(sums.aborted),
        latency: metric.latency(),
        bytes_out: count(sums.bytes_out),
    })
}

/// Users of the last so many days up to the end of a span.
fn active_users(view: &mut View<'_, '_>, span: &Span, days: i32, whole: &Metric) -> Result<u64, Error> {
    let last = span.touched.end;
    let first = view.zone.start_of(last - days);
    if first == span.at.start {
        return Ok(whole.count_users(view));
    }
    let span =
        if span.touched == span.days { Span::of_days(&view.zone, last - days..last) } else { Span::of(&view.zone, first..span.at.end) };
    Ok(group::users(view, &span)?.count_users(view))
}

fn active(view: &View<'_, '_>) -> rusqlite::Result<u64> {
    let main = view.main();
    let timeout = meta_get::<i64>(main, MetaKey::SessionTimeout)?.unwrap_or_default();
    let mut statement = main.prepare_cached(include_str!("stats.sql"))?;
    statement.query_row([view.now - timeout, view.now + timeout], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
}

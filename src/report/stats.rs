use std::time::Duration;

use super::{Ask, Latency, metrics};
use crate::{
    clock::Millis,
    error::Error,
    store::{Aliases, Audience, Context, MetaKey, Snapshot, meta_get},
};

/// The totals, of people unless a name says otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Users, each counted once.
    pub total_users: u64,
    /// Visitors without a user, each counted once a UTC day.
    pub visitors: u64,
    /// Sessions that began.
    pub total_sessions: u64,
    /// Sessions whose last activity lies within the timeout.
    pub active_sessions: u64,
    /// Time between the actions of a session, on average; zero without sessions.
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
    pub latency: Latency,
    /// Bytes of response bodies.
    pub bytes_out: u64,
    /// Hits of bots; in none of the numbers above.
    pub bot_hits: u64,
}

pub(super) fn ask(snapshot: &Snapshot<'_>, ask: &Ask, now: Millis) -> Result<Stats, Error> {
    let days = ask.days(&snapshot.zone()?, now);
    let people = metrics::all(snapshot, Audience::People, days.as_ref())?;
    let bots = metrics::all(snapshot, Audience::Bots, days.as_ref())?;
    let aliases = Aliases::load(snapshot.main()).context("read aliases")?;
    let sums = people.sums;
    let count = i64::unsigned_abs;
    Ok(Stats {
        total_users: people.count_users(&aliases),
        visitors: people.visitors,
        total_sessions: count(sums.sessions),
        active_sessions: active(snapshot, now).context("count open sessions")?,
        avg_session_duration: Duration::from_millis(count(sums.time) / count(sums.sessions).max(1)),
        total_actions: count(sums.actions),
        total_hits: count(sums.hits),
        error_hits: count(sums.errors),
        client_error_hits: count(sums.client_errors),
        aborted_hits: count(sums.aborted),
        latency: people.latency(),
        bytes_out: count(sums.bytes_out),
        bot_hits: count(bots.sums.hits),
    })
}

fn active(snapshot: &Snapshot<'_>, now: Millis) -> rusqlite::Result<u64> {
    let main = snapshot.main();
    let timeout = meta_get::<i64>(main, MetaKey::SessionTimeout)?.unwrap_or_default();
    let mut statement = main.prepare_cached(include_str!("stats.sql"))?;
    statement.query_row([now - timeout, now + timeout], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
}

use std::collections::HashSet;

use super::{Ask, bots};
use crate::{
    clock::{Millis, day_of},
    error::Error,
    hit::Outcome,
    store::{Context, FIRST_VISITOR, MetaKey, Packed, PartView, Snapshot, for_month, meta_get},
};

/// The totals, of people unless a name says otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Users, each counted once.
    pub total_users: u64,
    /// Visitors without a user, each counted once a UTC day.
    pub visitors: u64,
    /// Sessions.
    pub total_sessions: u64,
    /// Sessions whose last activity lies within the timeout.
    pub active_sessions: u64,
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
    /// Bytes of response bodies.
    pub bytes_out: u64,
    /// Hits of bots; in none of the numbers above.
    pub bot_hits: u64,
}

#[derive(Default)]
struct Fold {
    stats: Stats,
    users: HashSet<u32>,
    visitors: HashSet<(i64, u32)>,
}

pub(super) fn ask(snapshot: &mut Snapshot<'_>, _: &Ask, now: Millis) -> Result<Stats, Error> {
    let bots = bots::devices(snapshot)?;
    let mut fold = Fold::default();
    for part in snapshot.parts() {
        let raw = snapshot.raw(part.month)?;
        hits(raw, part, &bots, &mut fold).context("count hits")?;
    }
    sessions(snapshot, &bots, now, &mut fold.stats)?;
    Ok(Stats { total_users: fold.users.len() as u64, visitors: fold.visitors.len() as u64, ..fold.stats })
}

fn hits(raw: &rusqlite::Connection, part: PartView, bots: &HashSet<u32>, fold: &mut Fold) -> rusqlite::Result<()> {
    let start = part.month.start();
    let mut statement = raw.prepare_cached(&for_month(include_str!("stats.sql"), part.month))?;
    let mut rows = statement.query([part.watermark])?;
    while let Some(row) = rows.next()? {
        let (at, user, outcome): (i64, u32, _) = (row.get(0)?, row.get(1)?, Packed(row.get(3)?));
        let stats = &mut fold.stats;
        if bots.contains(&row.get(2)?) {
            stats.bot_hits += 1;
            continue;
        }
        if user >= FIRST_VISITOR {
            fold.visitors.insert((day_of(start + at), user));
        } else {
            fold.users.insert(user);
        }
        let aborted = outcome.outcome() == Outcome::Aborted;
        stats.total_hits += 1;
        stats.total_actions += u64::from(outcome.is_action());
        stats.error_hits += u64::from(outcome.is_error());
        stats.client_error_hits += u64::from((400..500).contains(&outcome.status()) && !aborted);
        stats.aborted_hits += u64::from(aborted);
        stats.bytes_out += row.get::<_, i64>(4)? as u64;
    }
    Ok(())
}

/// Sessions that go on stand in analytics.db, the others in their part. One that ended after the snapshot was
/// taken may already stand in both, and one that came later in the part alone.
fn sessions(snapshot: &mut Snapshot<'_>, bots: &HashSet<u32>, now: Millis, stats: &mut Stats) -> Result<(), Error> {
    let mut going_on = HashSet::new();
    let mut count = || -> rusqlite::Result<()> {
        let main = snapshot.main();
        let timeout = meta_get::<i64>(main, MetaKey::SessionTimeout)?.unwrap_or_default();
        let mut statement = main.prepare_cached("select month, number, device, last from active_sessions where hits > 0")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            going_on.insert((row.get::<_, i64>(0)?, row.get::<_, u32>(1)?));
            if !bots.contains(&row.get(2)?) {
                stats.total_sessions += 1;
                stats.active_sessions += u64::from((now - row.get::<_, i64>(3)?).abs() <= timeout);
            }
        }
        Ok(())
    };
    count().context("count open sessions")?;
    for part in snapshot.parts() {
        let sql = for_month("select number, device from sessions_NNNNNN where number < ?", part.month);
        let raw = snapshot.raw(part.month)?;
        let mut count = || -> rusqlite::Result<()> {
            let mut statement = raw.prepare_cached(&sql)?;
            let mut rows = statement.query([part.next_session])?;
            while let Some(row) = rows.next()? {
                let known = going_on.contains(&(part.month.number(), row.get(0)?));
                stats.total_sessions += u64::from(!known && !bots.contains(&row.get(1)?));
            }
            Ok(())
        };
        count().context("count sessions")?;
    }
    Ok(())
}

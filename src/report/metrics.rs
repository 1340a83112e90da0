//! What all questions about numbers have in common: roll-ups of a range, added up.

use std::{collections::BTreeMap, ops::Range, time::Duration};

use roaring::RoaringBitmap;
use rusqlite::{Connection, Row};

use crate::{
    clock::Millis,
    error::Error,
    store::{Aliases, Audience, Cell, Context, Dimension, PartState, PartView, Snapshot, Sums, Value, bitmap_at, cell, sums},
    zone::{Day, Zone},
};

/// Sums of a range, and who was in it.
#[derive(Clone, Debug, Default)]
pub(super) struct Metric {
    pub(super) sums: Sums,
    pub(super) users: RoaringBitmap,
    pub(super) visitors: u64,
    latency: cell::Histogram,
    /// Of the part that is being read: within it visitors are joined, from part to part their numbers are added.
    here: RoaringBitmap,
}

/// How long it took to the head of the response: half of the hits at most so long, and so on. Off by 1/32 at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Latency {
    /// The median.
    pub p50: Duration,
    /// Nineteen of twenty took at most so long.
    pub p95: Duration,
    /// All but one of a hundred took at most so long.
    pub p99: Duration,
}

impl Metric {
    /// Users, each person once.
    pub(super) fn count_users(&self, aliases: &Aliases) -> u64 {
        let mut users = self.users.clone();
        aliases.apply(&mut users);
        users.len()
    }

    pub(super) fn latency(&self) -> Latency {
        let at = |share| Duration::from_micros(self.latency.quantile(share).unwrap_or_default());
        Latency { p50: at(0.5), p95: at(0.95), p99: at(0.99) }
    }

    fn add(&mut self, cell: &Cell) {
        self.sums += cell.sums;
        self.latency += &cell.latency;
        self.users |= &cell.users;
        self.here |= &cell.visitors;
    }

    fn end_part(&mut self) {
        self.visitors += self.here.len();
        self.here.clear();
    }
}

/// The metrics of each value of a dimension. Of complete parts that lie in the range the totals are read, of others the days.
pub(super) fn by_value(
    snapshot: &Snapshot<'_>,
    dimension: Dimension,
    audience: Audience,
    days: Option<&Range<Day>>,
) -> Result<BTreeMap<Value, Metric>, Error> {
    let zone = snapshot.zone()?;
    let mut metrics = BTreeMap::new();
    for part in snapshot.parts() {
        let main = snapshot.main();
        let read = match within(part, days, &zone) {
            Within::No => Ok(()),
            Within::Whole => totals(main, part.number, dimension, audience, &mut metrics),
            Within::Some => daily(main, part.number, dimension, audience, days, &mut metrics),
        };
        read.context("read roll-ups")?;
    }
    Ok(metrics)
}

/// The metrics of everything.
pub(super) fn all(snapshot: &Snapshot<'_>, audience: Audience, days: Option<&Range<Day>>) -> Result<Metric, Error> {
    Ok(by_value(snapshot, Dimension::All, audience, days)?.into_values().next().unwrap_or_default())
}

enum Within {
    No,
    /// All of it, and its totals stand.
    Whole,
    Some,
}

fn within(part: &PartView, days: Option<&Range<Day>>, zone: &Zone) -> Within {
    let (Some(least), Some(greatest)) = (part.least, part.greatest) else { return Within::No };
    let day = |at: Millis| zone.day_of(at);
    let (inside, overlaps) = match days {
        None => (true, true),
        Some(days) => {
            let (first, last) = (day(least), day(greatest));
            (days.contains(&first) && days.contains(&last), first < days.end && last >= days.start)
        }
    };
    match (part.state == PartState::Sealed && inside, overlaps) {
        (true, _) => Within::Whole,
        (false, true) => Within::Some,
        (false, false) => Within::No,
    }
}

fn totals(
    main: &Connection,
    part: i64,
    dimension: Dimension,
    audience: Audience,
    metrics: &mut BTreeMap<Value, Metric>,
) -> rusqlite::Result<()> {
    let mut statement = main.prepare_cached(include_str!("metrics_totals.sql"))?;
    let mut rows = statement.query([part, audience as i64, dimension as i64])?;
    while let Some(row) = rows.next()? {
        let metric: &mut Metric = metrics.entry(row.get(0)?).or_default();
        add_total(metric, row)?;
    }
    Ok(())
}

fn add_total(metric: &mut Metric, row: &Row<'_>) -> rusqlite::Result<()> {
    let blobs = 1 + Sums::COLUMNS;
    metric.sums += sums(row, 1)?;
    metric.latency += &cell::histogram_at(row, blobs)?;
    metric.users |= bitmap_at(row, blobs + 1)?;
    metric.visitors += row.get::<_, i64>(blobs + 2)?.unsigned_abs();
    Ok(())
}

fn daily(
    main: &Connection,
    part: i64,
    dimension: Dimension,
    audience: Audience,
    days: Option<&Range<Day>>,
    metrics: &mut BTreeMap<Value, Metric>,
) -> rusqlite::Result<()> {
    let mut statement = main.prepare_cached(include_str!("metrics_daily.sql"))?;
    let (first, end) = days.map_or((i64::MIN, i64::MAX), |days| (days.start.into(), days.end.into()));
    let mut rows = statement.query([part, audience as i64, dimension as i64, first, end])?;
    while let Some(row) = rows.next()? {
        let metric: &mut Metric = metrics.entry(row.get(0)?).or_default();
        metric.add(&Cell::read(row, 1)?);
    }
    metrics.values_mut().for_each(Metric::end_part);
    Ok(())
}

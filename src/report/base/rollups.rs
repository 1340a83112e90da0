//! Hits that were added up while recording: months, days and quarters of an hour.

use std::ops::Range;

use rusqlite::{CachedStatement, params};

use crate::{
    report::base::{
        filter::Filter,
        grouping::{Bucket, Grouping},
        metric::ALL_SUMS,
        metric::Groups,
        span::Span,
        view::View,
    },
    store::{Audience, Dimension, PartState, PartView, SLOT_MS, Value, failure_parts},
    zone::Day,
};

/// The dimension of the daily roll-ups that can say it; none if only single hits can, or quarters of an hour.
pub(super) fn rolled_up(filter: &Filter, grouping: &Grouping<'_>) -> Option<Dimension> {
    if filter.users.is_some() || matches!(grouping.bucket, Bucket::Moments(_)) {
        return None;
    }
    let (endpoint, status) = (filter.endpoints.is_some(), filter.status.is_some());
    let by = grouping.by;
    match by {
        Dimension::All if filter.is_empty() => Some(by),
        Dimension::All if status || (endpoint && (filter.has_device() || grouping.counted.sessions())) => None,
        Dimension::All if endpoint => Some(Dimension::Endpoint),
        Dimension::All if filter.version.is_some() => Some(Dimension::Version),
        Dimension::All => Some(Dimension::Platform),
        Dimension::Endpoint => (!filter.has_device() && !status).then_some(by),
        Dimension::Version => (!endpoint && !status).then_some(by),
        Dimension::Platform => (!endpoint && !status && filter.version.is_none()).then_some(by),
        Dimension::Failure => (!filter.has_device()).then_some(by),
        Dimension::Device | Dimension::Bot | Dimension::Error => filter.is_empty().then_some(by),
    }
}

/// Whether a value of a roll-up passes the filter, and under which value it counts.
pub(super) fn value_of(filter: &Filter, by: Dimension, dimension: Dimension, value: Value) -> Option<Value> {
    let passes = match (&value, dimension) {
        (Value::Number(number), Dimension::Endpoint) => u32::try_from(*number).is_ok_and(|number| filter.covers_endpoint(number)),
        (Value::Number(number), Dimension::Failure) => {
            let (endpoint, outcome) = failure_parts(*number);
            filter.covers_endpoint(endpoint) && filter.covers_status(outcome)
        }
        (Value::Name(name), Dimension::Platform) => filter.platform.as_deref().is_none_or(|platform| platform == &**name),
        (Value::Name(name), Dimension::Version) => {
            let (platform, version) = name.split_once('\u{1f}').unwrap_or((name, ""));
            filter.platform.as_deref().is_none_or(|wanted| wanted == platform) && filter.covers_version(version)
        }
        _ => true,
    };
    passes.then(|| if by == dimension { value } else { Value::Number(0) })
}

/// What a part's roll-ups are added to.
pub(super) struct Reading<'a, 'v, 's> {
    pub(super) view: &'a View<'v, 's>,
    pub(super) part: &'a PartView,
    pub(super) grouping: &'a Grouping<'a>,
    pub(super) groups: &'a mut Groups,
}

impl<'a> Reading<'a, '_, '_> {
    /// Of a complete part that lies in the range its totals are read, of others the days.
    pub(super) fn days(&mut self, span: &Span, dimension: Dimension) -> rusqlite::Result<()> {
        let Self { view, part, grouping, .. } = *self;
        let (Some(least), Some(greatest)) = (part.least, part.greatest) else { return Ok(()) };
        let (first, last) = (view.zone.day_of(least), view.zone.day_of(greatest));
        if first >= span.days.end || last < span.days.start {
            return Ok(());
        }
        let inside = span.days.contains(&first) && span.days.contains(&last);
        let as_one = matches!(grouping.bucket, Bucket::One) && !joins_visitors(&view.filter, grouping);
        for audience in view.filter.audiences() {
            if inside && as_one && part.state == PartState::Sealed {
                self.totals(*audience, dimension)?;
            } else {
                self.daily(*audience, dimension, &span.days)?;
            }
        }
        Ok(())
    }

    fn totals(&mut self, audience: Audience, dimension: Dimension) -> rusqlite::Result<()> {
        let mut statement = self.prepare(include_str!("rollups_totals.sql"))?;
        let mut rows = statement.query(params![self.part.number, audience as i64, dimension as i64])?;
        while let Some(row) = rows.next()? {
            let Some(value) = value_of(&self.view.filter, self.grouping.by, dimension, row.get(0)?) else { continue };
            self.groups.entry((0, value)).or_default().add(row, 1, self.grouping)?;
        }
        Ok(())
    }

    fn daily(&mut self, audience: Audience, dimension: Dimension, days: &Range<Day>) -> rusqlite::Result<()> {
        // A dimension that is bound has SQLite plan each time anew, as an index is of some dimensions alone.
        let sql = include_str!("rollups_daily.sql").replace("dimension = ?", &format!("dimension = {}", dimension as i64));
        let mut statement = self.prepare(&sql)?;
        let mut rows = statement.query(params![self.part.number, audience as i64, days.start, days.end])?;
        while let Some(row) = rows.next()? {
            let Some(value) = value_of(&self.view.filter, self.grouping.by, dimension, row.get(0)?) else { continue };
            let place = match self.grouping.bucket {
                Bucket::Days(place) => place(row.get(1)?),
                _ => 0,
            };
            self.groups.entry((place, value)).or_default().add(row, 2, self.grouping)?;
        }
        Ok(())
    }

    /// Quarters of an hour, by their numbers.
    pub(super) fn slots(&mut self, whole: &Range<i64>) -> rusqlite::Result<()> {
        let mut statement = self.prepare(include_str!("rollups_slots.sql"))?;
        for audience in self.view.filter.audiences() {
            let mut rows = statement.query(params![self.part.number, *audience as i64, whole.start, whole.end])?;
            while let Some(row) = rows.next()? {
                let at = row.get::<_, i64>(0)? * SLOT_MS;
                let place = self.grouping.bucket.of(at, &self.view.zone);
                self.groups.entry((place, Value::Number(0))).or_default().add(row, 1, self.grouping)?;
            }
        }
        Ok(())
    }

    /// What is not asked for is not even read: large blobs lie on pages of their own.
    fn prepare(&self, sql: &str) -> rusqlite::Result<CachedStatement<'a>> {
        let sql = sql.replace(ALL_SUMS, self.grouping.counted.columns());
        let sql = if self.grouping.latency { sql } else { sql.replace("latency", "null") };
        let sql = if self.grouping.users { sql } else { sql.replace("users", "null") };
        let sql = if self.grouping.visitors { sql } else { sql.replace("visitors", "null") };
        self.view.snapshot.main().prepare_cached(&sql)
    }
}

/// Whether several values are counted as one, a version of all platforms: totals only say how many visitors each had, and a
/// visitor of two is one.
fn joins_visitors(filter: &Filter, grouping: &Grouping<'_>) -> bool {
    grouping.visitors && grouping.by == Dimension::All && filter.version.is_some() && filter.platform.is_none()
}

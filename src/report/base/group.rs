//! What most questions are made of: hits of a range, added up by something, from roll-ups where these can say it.

use std::{collections::HashMap, ops::Range};

use rusqlite::{CachedStatement, params};

use crate::{
    clock::Millis,
    error::Error,
    report::base::{
        filter::Filter,
        metric::Metric,
        scan::{self, failure_parts},
        span::Span,
        union::Bits,
        view::View,
    },
    store::{Audience, Context, Dimension, PartState, PartView, SLOT_MS, Snapshot, Value, cell},
    zone::{Day, Zone},
};

/// By what hits are added up.
pub(in crate::report) struct Grouping<'a> {
    pub(in crate::report) by: Dimension,
    pub(in crate::report) bucket: Bucket<'a>,
    /// Whether sessions and their time are asked for.
    pub(in crate::report) sessions: bool,
    /// Whether percentiles are asked for.
    pub(in crate::report) latency: bool,
    /// Whether visitors are asked for.
    pub(in crate::report) visitors: bool,
    /// Since when users are asked for once more; only where single hits are read.
    pub(in crate::report) recent: Option<Millis>,
}

/// Which place in time a hit is added to.
#[derive(Clone, Copy)]
pub(in crate::report) enum Bucket<'a> {
    One,
    Days(&'a dyn Fn(Day) -> usize),
    /// The moment of a quarter of an hour, or of the hit itself.
    Moments(&'a dyn Fn(Millis) -> usize),
}

/// By place in time and by what they were grouped by.
pub(in crate::report) type Groups = hashbrown::HashMap<(usize, Value), Metric>;

impl Bucket<'_> {
    pub(super) fn of(&self, at: Millis, zone: &Zone) -> usize {
        match self {
            Self::One => 0,
            Self::Days(place) => place(zone.day_of(at)),
            Self::Moments(place) => place(at),
        }
    }
}

/// Everything in a range as one.
pub(in crate::report) fn all(view: &mut View<'_, '_>, span: &Span) -> Result<Metric, Error> {
    Ok(all_and_recent(view, span, None)?.0)
}

/// The same; and whether it was made of single hits alone, so that it knows who was there since a moment too.
pub(in crate::report) fn all_and_recent(view: &mut View<'_, '_>, span: &Span, recent: Option<Millis>) -> Result<(Metric, bool), Error> {
    let grouping = Grouping { by: Dimension::All, bucket: Bucket::One, sessions: true, latency: true, visitors: true, recent };
    let is_raw = rolled_up(&view.filter, &grouping).is_none() && !view.filter.is_empty();
    Ok((group(view, span, &grouping)?.into_values().next().unwrap_or_default(), is_raw))
}

/// Who was there.
pub(in crate::report) fn users(view: &mut View<'_, '_>, span: &Span) -> Result<Metric, Error> {
    let grouping = Grouping { by: Dimension::All, bucket: Bucket::One, sessions: false, latency: false, visitors: false, recent: None };
    Ok(group(view, span, &grouping)?.into_values().next().unwrap_or_default())
}

/// What is asked for besides hits and users.
#[derive(Clone, Copy, Default)]
pub(in crate::report) struct Asked {
    pub(in crate::report) sessions: bool,
    pub(in crate::report) latency: bool,
    pub(in crate::report) visitors: bool,
}

/// What was asked for of each bucket; those without a hit are empty.
pub(in crate::report) fn series(
    view: &mut View<'_, '_>,
    span: &Span,
    bucket: Bucket<'_>,
    count: usize,
    asked: Asked,
) -> Result<Vec<Metric>, Error> {
    let Asked { sessions, latency, visitors } = asked;
    let groups = group(view, span, &Grouping { by: Dimension::All, bucket, sessions, latency, visitors, recent: None })?;
    let mut series = vec![Metric::default(); count];
    for ((place, _), metric) in groups {
        if let Some(bucket) = series.get_mut(place) {
            *bucket = metric;
        }
    }
    Ok(series)
}

/// Everything but visitors of each value.
pub(in crate::report) fn by_value(view: &mut View<'_, '_>, span: &Span, by: Dimension) -> Result<HashMap<Value, Metric>, Error> {
    values(view, span, by, true)
}

/// The same without percentiles.
pub(in crate::report) fn counts_by_value(view: &mut View<'_, '_>, span: &Span, by: Dimension) -> Result<HashMap<Value, Metric>, Error> {
    values(view, span, by, false)
}

fn values(view: &mut View<'_, '_>, span: &Span, by: Dimension, latency: bool) -> Result<HashMap<Value, Metric>, Error> {
    let sessions = matches!(by, Dimension::Platform | Dimension::Version | Dimension::Device | Dimension::Bot);
    let groups = group(view, span, &Grouping { by, bucket: Bucket::One, sessions, latency, visitors: false, recent: None })?;
    Ok(groups.into_iter().map(|((_, value), metric)| (value, metric)).collect())
}

pub(in crate::report) fn group(view: &mut View<'_, '_>, span: &Span, grouping: &Grouping<'_>) -> Result<Groups, Error> {
    let (mut groups, mut bits) = (Groups::new(), Bits::default());
    let dimension = rolled_up(&view.filter, grouping);
    for part in view.snapshot.parts().to_vec() {
        view.snapshot.go_on()?;
        match dimension {
            Some(dimension) => {
                days(view, &part, span, grouping, dimension, &mut groups, &mut bits).context("read roll-ups")?;
                for edge in span.edges(&view.zone) {
                    moments(view, &part, &edge, grouping, &mut groups, &mut bits)?;
                }
            }
            None => {
                if grouping.by != Dimension::All || !view.filter.is_empty() {
                    view.snapshot.note_raw();
                }
                moments(view, &part, &span.at, grouping, &mut groups, &mut bits)?;
            }
        }
        // Nothing to do for groups that no raw hit was added to.
        scan::add_times(view, &part, &mut groups)?;
        if grouping.visitors {
            sound(groups.values_mut().try_for_each(|metric| metric.end_part(&mut bits)))?;
        }
    }
    sound(groups.values_mut().try_for_each(|metric| metric.end(&mut bits)))?;
    Ok(groups)
}

fn sound(joined: Option<()>) -> Result<(), Error> {
    joined.ok_or_else(|| cell::damaged(0)).context("read roll-ups")
}

/// The dimension of the daily roll-ups that can say it; none if only single hits can, or quarters of an hour.
pub(super) fn rolled_up(filter: &Filter, grouping: &Grouping<'_>) -> Option<Dimension> {
    if filter.users.is_some() || matches!(grouping.bucket, Bucket::Moments(_)) {
        return None;
    }
    let (endpoint, status) = (filter.endpoints.is_some(), filter.status.is_some());
    let by = grouping.by;
    match by {
        Dimension::All if filter.is_empty() => Some(by),
        Dimension::All if status || (endpoint && (filter.has_device() || grouping.sessions)) => None,
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

fn days(
    view: &View<'_, '_>,
    part: &PartView,
    span: &Span,
    grouping: &Grouping<'_>,
    dimension: Dimension,
    groups: &mut Groups,
    bits: &mut Bits,
) -> rusqlite::Result<()> {
    let (Some(least), Some(greatest)) = (part.least, part.greatest) else { return Ok(()) };
    let (first, last) = (view.zone.day_of(least), view.zone.day_of(greatest));
    if first >= span.days.end || last < span.days.start {
        return Ok(());
    }
    let inside = span.days.contains(&first) && span.days.contains(&last);
    for audience in view.filter.audiences() {
        if inside && part.state == PartState::Sealed && matches!(grouping.bucket, Bucket::One) && !joins_visitors(&view.filter, grouping) {
            totals(view.snapshot, part.number, *audience, &view.filter, grouping, dimension, groups, bits)?;
        } else {
            daily(view.snapshot, part.number, *audience, &span.days, &view.filter, grouping, dimension, groups, bits)?;
        }
    }
    Ok(())
}

/// Whether several values are counted as one, a version of all platforms: totals only say how many visitors each had, and a
/// visitor of two is one.
fn joins_visitors(filter: &Filter, grouping: &Grouping<'_>) -> bool {
    grouping.visitors && grouping.by == Dimension::All && filter.version.is_some() && filter.platform.is_none()
}

/// What is not asked for is not even read: large blobs lie on pages of their own.
fn prepare<'a>(snapshot: &'a Snapshot<'_>, sql: &str, grouping: &Grouping<'_>) -> rusqlite::Result<CachedStatement<'a>> {
    let sql = if grouping.latency { sql.to_owned() } else { sql.replace("latency", "null") };
    let sql = if grouping.visitors { sql } else { sql.replace("visitors", "null") };
    snapshot.main().prepare_cached(&sql)
}

#[allow(clippy::too_many_arguments, reason = "one row of a table, as it is asked for")]
fn totals(
    snapshot: &Snapshot<'_>,
    part: i64,
    audience: Audience,
    filter: &Filter,
    grouping: &Grouping<'_>,
    dimension: Dimension,
    groups: &mut Groups,
    bits: &mut Bits,
) -> rusqlite::Result<()> {
    let mut statement = prepare(snapshot, include_str!("group_totals.sql"), grouping)?;
    let mut rows = statement.query(params![part, audience as i64, dimension as i64])?;
    while let Some(row) = rows.next()? {
        let Some(value) = value_of(filter, grouping.by, dimension, row.get(0)?) else { continue };
        groups.entry((0, value)).or_default().add(row, 1, grouping, bits)?;
    }
    Ok(())
}

#[allow(clippy::too_many_arguments, reason = "one row of a table, as it is asked for")]
fn daily(
    snapshot: &Snapshot<'_>,
    part: i64,
    audience: Audience,
    days: &Range<Day>,
    filter: &Filter,
    grouping: &Grouping<'_>,
    dimension: Dimension,
    groups: &mut Groups,
    bits: &mut Bits,
) -> rusqlite::Result<()> {
    let mut statement = prepare(snapshot, include_str!("group_daily.sql"), grouping)?;
    let mut rows = statement.query(params![part, audience as i64, dimension as i64, days.start, days.end])?;
    while let Some(row) = rows.next()? {
        let Some(value) = value_of(filter, grouping.by, dimension, row.get(0)?) else { continue };
        let place = match grouping.bucket {
            Bucket::Days(place) => place(row.get(1)?),
            _ => 0,
        };
        groups.entry((place, value)).or_default().add(row, 2, grouping, bits)?;
    }
    Ok(())
}

/// What is no whole day: quarters of an hour where nothing but they are needed, and single hits.
fn moments(
    view: &mut View<'_, '_>,
    part: &PartView,
    at: &Range<Millis>,
    grouping: &Grouping<'_>,
    groups: &mut Groups,
    bits: &mut Bits,
) -> Result<(), Error> {
    let (Some(least), Some(greatest)) = (part.least, part.greatest) else { return Ok(()) };
    if least >= at.end || greatest < at.start {
        return Ok(());
    }
    if grouping.by != Dimension::All || !view.filter.is_empty() {
        return scan::rows(view, part, at, grouping, groups);
    }
    let whole = at.start.div_euclid(SLOT_MS) + i64::from(at.start.rem_euclid(SLOT_MS) > 0)..at.end.div_euclid(SLOT_MS);
    if whole.is_empty() {
        return scan::rows(view, part, at, grouping, groups);
    }
    slots(view, part, &whole, grouping, groups, bits).context("read roll-ups")?;
    for rest in [at.start..whole.start * SLOT_MS, whole.end * SLOT_MS..at.end] {
        if !rest.is_empty() {
            scan::rows(view, part, &rest, grouping, groups)?;
        }
    }
    Ok(())
}

fn slots(
    view: &View<'_, '_>,
    part: &PartView,
    whole: &Range<i64>,
    grouping: &Grouping<'_>,
    groups: &mut Groups,
    bits: &mut Bits,
) -> rusqlite::Result<()> {
    let mut statement = prepare(view.snapshot, include_str!("group_slots.sql"), grouping)?;
    for audience in view.filter.audiences() {
        let mut rows = statement.query(params![part.number, *audience as i64, whole.start, whole.end])?;
        while let Some(row) = rows.next()? {
            let at = row.get::<_, i64>(0)? * SLOT_MS;
            let place = grouping.bucket.of(at, &view.zone);
            groups.entry((place, Value::Number(0))).or_default().add(row, 1, grouping, bits)?;
        }
    }
    Ok(())
}

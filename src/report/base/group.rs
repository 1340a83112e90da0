//! What most questions are made of: hits of a range, added up by something, from roll-ups where these can say it.

use std::{collections::HashMap, ops::Range};

use crate::{
    clock::Millis,
    error::Error,
    report::base::{
        grouping::{Asked, Bucket, Counted, Grouping},
        metric::{Groups, Metric},
        rollups::{Reading, rolled_up},
        scan,
        span::Span,
        view::View,
    },
    store::{Context, Dimension, PartView, SLOT_MS, Value},
};

/// Everything in a range as one; and whether it was made of single hits alone, so that it knows who was there since a moment too.
pub(in crate::report) fn all_and_recent(view: &mut View<'_, '_>, span: &Span, recent: Option<Millis>) -> Result<(Metric, bool), Error> {
    let grouping =
        Grouping { by: Dimension::All, bucket: Bucket::One, counted: Counted::All, latency: true, users: true, visitors: true, recent };
    let is_raw = rolled_up(&view.filter, &grouping).is_none() && !view.filter.is_empty();
    Ok((group(view, span, &grouping)?.into_values().next().unwrap_or_default(), is_raw))
}

/// Who was there.
pub(in crate::report) fn users(view: &mut View<'_, '_>, span: &Span) -> Result<Metric, Error> {
    let grouping = Grouping {
        by: Dimension::All,
        bucket: Bucket::One,
        counted: Counted::Hits,
        latency: false,
        users: true,
        visitors: false,
        recent: None,
    };
    Ok(group(view, span, &grouping)?.into_values().next().unwrap_or_default())
}

/// How many hits there are.
pub(in crate::report) fn hits(view: &mut View<'_, '_>, span: &Span) -> Result<u64, Error> {
    let (by, bucket, counted) = (Dimension::All, Bucket::One, Counted::Hits);
    let groups = group(view, span, &Grouping { by, bucket, counted, latency: false, users: false, visitors: false, recent: None })?;
    Ok(groups.values().map(Metric::hits).sum())
}

/// What was asked for of each bucket; those without a hit are empty.
pub(in crate::report) fn series(
    view: &mut View<'_, '_>,
    span: &Span,
    bucket: Bucket<'_>,
    count: usize,
    asked: Asked,
) -> Result<Vec<Metric>, Error> {
    let Asked { counted, latency, visitors } = asked;
    let groups = group(view, span, &Grouping { by: Dimension::All, bucket, counted, latency, users: true, visitors, recent: None })?;
    let mut series = vec![Metric::default(); count];
    for ((place, _), metric) in groups {
        if let Some(bucket) = series.get_mut(place) {
            *bucket = metric;
        }
    }
    Ok(series)
}

/// Of each value hits, faults, users and percentiles.
pub(in crate::report) fn by_value(view: &mut View<'_, '_>, span: &Span, by: Dimension) -> Result<HashMap<Value, Metric>, Error> {
    values(view, span, by, Counted::Faults, true, true)
}

/// Of each value hits, users, and sessions where these lie in one.
pub(in crate::report) fn counts_by_value(view: &mut View<'_, '_>, span: &Span, by: Dimension) -> Result<HashMap<Value, Metric>, Error> {
    let sessions = matches!(by, Dimension::Platform | Dimension::Version | Dimension::Device | Dimension::Bot);
    values(view, span, by, if sessions { Counted::Visits } else { Counted::Hits }, false, true)
}

/// Of each value hits alone.
pub(in crate::report) fn hits_by_value(view: &mut View<'_, '_>, span: &Span, by: Dimension) -> Result<HashMap<Value, Metric>, Error> {
    values(view, span, by, Counted::Hits, false, false)
}

fn values(
    view: &mut View<'_, '_>,
    span: &Span,
    by: Dimension,
    counted: Counted,
    latency: bool,
    users: bool,
) -> Result<HashMap<Value, Metric>, Error> {
    let groups = group(view, span, &Grouping { by, bucket: Bucket::One, counted, latency, users, visitors: false, recent: None })?;
    Ok(groups.into_iter().map(|((_, value), metric)| (value, metric)).collect())
}

pub(in crate::report) fn group(view: &mut View<'_, '_>, span: &Span, grouping: &Grouping<'_>) -> Result<Groups, Error> {
    let mut groups = Groups::new();
    let dimension = rolled_up(&view.filter, grouping);
    for part in view.snapshot.parts().to_vec() {
        view.snapshot.go_on()?;
        match dimension {
            Some(dimension) => {
                let mut reading = Reading { view, part: &part, grouping, groups: &mut groups };
                reading.days(span, dimension).context("read roll-ups")?;
                for edge in span.edges(&view.zone) {
                    moments(view, &part, &edge, grouping, &mut groups)?;
                }
            }
            None => {
                if grouping.by != Dimension::All || !view.filter.is_empty() {
                    view.snapshot.note_raw();
                }
                moments(view, &part, &span.at, grouping, &mut groups)?;
            }
        }
        // Nothing to do for groups that no raw hit was added to.
        scan::add_times(view, &part, &mut groups)?;
        if grouping.visitors {
            let mut bits = view.bits.borrow_mut();
            groups.values_mut().for_each(|metric| metric.end_part(&mut bits));
        }
    }
    Ok(groups)
}

/// What is no whole day: quarters of an hour where nothing but they are needed, and single hits.
fn moments(
    view: &mut View<'_, '_>,
    part: &PartView,
    at: &Range<Millis>,
    grouping: &Grouping<'_>,
    groups: &mut Groups,
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
    let mut reading = Reading { view, part, grouping, groups };
    reading.slots(&whole).context("read roll-ups")?;
    for rest in [at.start..whole.start * SLOT_MS, whole.end * SLOT_MS..at.end] {
        if !rest.is_empty() {
            scan::rows(view, part, &rest, grouping, groups)?;
        }
    }
    Ok(())
}

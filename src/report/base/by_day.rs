//! When it happened, and to nobody in particular.

use rusqlite::params;

use crate::{
    error::Error,
    report::base::{
        group::group,
        grouping::{Bucket, Counted, Grouping},
        rollups::{rolled_up, value_of},
        span::Span,
        view::View,
    },
    store::{Audience, Context, Dimension, Value},
    zone::Day,
};

/// Hits of each day of each failure or error: no set of users is read, and nothing but an index.
pub(in crate::report) fn hits(
    view: &mut View<'_, '_>,
    span: &Span,
    by: Dimension,
    mut show: impl FnMut(i64, Day, u64),
) -> Result<(), Error> {
    let first = span.touched.start;
    let place = |day| usize::try_from(day - first).unwrap_or(usize::MAX);
    let grouping =
        Grouping { by, bucket: Bucket::Days(&place), counted: Counted::Hits, latency: false, users: false, visitors: false, recent: None };
    if rolled_up(&view.filter, &grouping) != Some(by) || span.days != span.touched {
        for ((place, value), metric) in group(view, span, &grouping)? {
            if let Value::Number(number) = value {
                show(number, first + place as i32, metric.hits());
            }
        }
        return Ok(());
    }
    let mut read = |part: i64, audience: Audience| -> rusqlite::Result<()> {
        let mut statement = view.main().prepare_cached(include_str!("by_day.sql"))?;
        let mut rows = statement.query(params![part, audience as i64, by as i64, span.days.start, span.days.end])?;
        while let Some(row) = rows.next()? {
            if let Some(Value::Number(number)) = value_of(&view.filter, by, by, row.get(0)?) {
                show(number, row.get(1)?, row.get::<_, i64>(2)?.unsigned_abs());
            }
        }
        Ok(())
    };
    for part in view.snapshot.parts() {
        view.snapshot.go_on()?;
        view.filter.audiences().iter().try_for_each(|audience| read(part.number, *audience)).context("read roll-ups")?;
    }
    Ok(())
}

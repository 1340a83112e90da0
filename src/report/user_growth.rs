use roaring::RoaringBitmap;
use serde::Serialize;

use super::base::{
    buckets::{DayBuckets, Interval, date_text},
    group,
    grouping::{Asked, Bucket},
    newcomers,
    view::View,
};
use crate::error::Error;

/// Users over time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct UserGrowth {
    /// `day`, `week` (from Monday) or `month`.
    pub interval: String,
    /// Every step of the range, those without users too; the last one may still go on.
    pub buckets: Vec<UserBucket>,
}

/// The users of one step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct UserBucket {
    /// Its first day.
    pub start: String,
    /// Users, each counted once.
    pub active: u64,
    /// Those first seen in it.
    pub new: u64,
    /// Those seen before.
    pub returning: u64,
    /// Visitors without a user, each counted once a UTC day.
    pub visitors: u64,
    /// Everybody who was ever seen up to its end, whatever the filters.
    pub cumulative: u64,
}

pub(super) fn ask(view: &mut View<'_, '_>, interval: Option<Interval>) -> Result<UserGrowth, Error> {
    let span = view.span.clone();
    let interval = interval.unwrap_or_else(|| Interval::usual_days(&span)).max(Interval::Day);
    let buckets = DayBuckets::new(&span.touched, interval)?;
    let metrics =
        group::series(view, &span, Bucket::Days(&|day| buckets.place(day)), buckets.len(), Asked { visitors: true, ..Asked::default() })?;
    let active: Vec<RoaringBitmap> = metrics.iter().map(|metric| metric.persons(view)).collect();
    let mut cumulative = newcomers::count_before(view, span.at.start)?;
    let (mut new, mut first_seen) = (vec![0; buckets.len()], vec![0; buckets.len()]);
    for (person, day) in newcomers::by_day(view, &span.at)? {
        let place = buckets.place(day);
        if let Some(count) = first_seen.get_mut(place) {
            *count += 1;
            new[place] += u64::from(active[place].contains(person));
        }
    }
    let bucket = |(place, start): (usize, &i32)| {
        cumulative += first_seen[place];
        let users = active[place].len();
        UserBucket {
            start: date_text(*start),
            active: users,
            new: new[place],
            returning: users - new[place],
            visitors: metrics[place].visitors,
            cumulative,
        }
    };
    let buckets = buckets.starts.iter().enumerate().map(bucket).collect();
    Ok(UserGrowth { interval: interval.name().to_owned(), buckets })
}

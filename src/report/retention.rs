use std::{collections::HashMap, ops::Range};

use roaring::RoaringBitmap;
use serde::Serialize;

use super::{
    base::{
        buckets::{DayBuckets, Interval, date_text},
        group,
        grouping::{Asked, Bucket},
        newcomers,
        span::Span,
        view::View,
    },
    features::ratio,
};
use crate::{error::Error, zone::Day};

/// Who comes back, and after how long.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Retention {
    /// `day`, `week` (from Monday) or `month`.
    pub interval: String,
    /// `first` or `recurring`, see [`Cohorts`].
    pub cohorts_by: String,
    /// `on` or `on_or_after`, see [`Back`].
    pub back: String,
    /// One for each step of the range, oldest first.
    pub cohorts: Vec<Cohort>,
}

/// People who came in the same step.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Cohort {
    /// Its first day.
    pub start: String,
    /// How many they are.
    pub users: u64,
    /// How many were there in that step (0) and in each one after it.
    pub periods: Vec<Kept>,
}

/// Those of a cohort who were there in a step.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Kept {
    /// How many.
    pub users: u64,
    /// As a share of the cohort, 0 to 1; none of an empty cohort.
    pub share: Option<f64>,
    /// Whether the step is over and lies in the range as a whole; one that goes on may still grow. With `on_or_after` none is.
    pub complete: bool,
}

/// Who is in a cohort.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cohorts {
    /// Whoever was first seen in the step, ever.
    #[default]
    First,
    /// Whoever was there in the step, again or for the first time.
    Recurring,
}

/// When somebody counts as back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Back {
    /// In exactly that step.
    #[default]
    On,
    /// In that step or any later one of the range.
    OnOrAfter,
}

pub(super) fn ask(view: &mut View<'_, '_>, interval: Interval, cohorts: Cohorts, back: Back) -> Result<Retention, Error> {
    let interval = interval.max(Interval::Day);
    let buckets = DayBuckets::triangle(&view.span.touched, interval)?;
    // A cohort is whole, also if the range begins in the middle of its step.
    let days = whole_steps(&buckets, interval);
    let span = Span::of_days(&view.zone, days);
    let buckets = DayBuckets::new(&span.touched, interval)?;
    let metrics = group::series(view, &span, Bucket::Days(&|day| buckets.place(day)), buckets.len(), Asked::default())?;
    let mut active: Vec<RoaringBitmap> = metrics.iter().map(|metric| metric.persons(view)).collect();
    drop(metrics);
    let members = match cohorts {
        Cohorts::Recurring => active.clone(),
        Cohorts::First => first_seen(view, &span, &buckets, &active)?,
    };
    if back == Back::OnOrAfter {
        for place in (1..active.len()).rev() {
            let (before, after) = active.split_at_mut(place);
            before[place - 1] |= &after[0];
        }
    }
    let today = view.zone.day_of(view.now);
    // The last step may be cut by the end of the range.
    let is_over = |days: Range<Day>| days.end <= today && interval.start_of(days.end) == days.end && back == Back::On;
    let over: Vec<bool> = buckets.days().map(is_over).collect();
    let cohort = |(place, members): (usize, &RoaringBitmap)| {
        let users = members.len();
        let kept = |period: usize| {
            let kept = members.intersection_len(&active[period]);
            Kept { users: kept, share: ratio(kept, users), complete: over[period] }
        };
        Cohort { start: date_text(buckets.starts[place]), users, periods: (place..active.len()).map(kept).collect() }
    };
    let list = members.iter().enumerate().map(cohort).collect();
    let (cohorts_by, back) = (cohorts.name().to_owned(), back.name().to_owned());
    Ok(Retention { interval: interval.name().to_owned(), cohorts_by, back, cohorts: list })
}

/// The days of all steps, the first one from its own beginning.
fn whole_steps(buckets: &DayBuckets, interval: Interval) -> Range<Day> {
    let days: Vec<_> = buckets.days().collect();
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return 0..0 };
    interval.start_of(first.start)..last.end
}

/// Who of each step was first seen in it.
fn first_seen(view: &View<'_, '_>, span: &Span, buckets: &DayBuckets, active: &[RoaringBitmap]) -> Result<Vec<RoaringBitmap>, Error> {
    let mut of_step: HashMap<usize, Vec<u32>> = HashMap::new();
    for (person, day) in newcomers::by_day(view, &span.at)? {
        of_step.entry(buckets.place(day)).or_default().push(person);
    }
    let cohort = |(place, active): (usize, &RoaringBitmap)| {
        let people: RoaringBitmap = of_step.remove(&place).unwrap_or_default().into_iter().collect();
        people & active
    };
    Ok(active.iter().enumerate().map(cohort).collect())
}

impl Cohorts {
    /// `first` or `recurring`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Recurring => "recurring",
        }
    }
}

impl Back {
    /// `on` or `on_or_after`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::OnOrAfter => "on_or_after",
        }
    }
}

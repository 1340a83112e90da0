use roaring::RoaringBitmap;
use serde::Serialize;

use super::base::{
    buckets::{DayBuckets, Interval, date_text},
    group,
    grouping::{Asked, Bucket},
    newcomers,
    span::Span,
    view::View,
};
use crate::error::Error;

/// Who is new, who stays, who comes back, who leaves.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Lifecycle {
    /// `day`, `week` (from Monday) or `month`.
    pub interval: String,
    /// Every step of the range; the last one may still go on.
    pub buckets: Vec<LifecycleBucket>,
    /// How often people come.
    pub stickiness: Stickiness,
}

/// The users of one step, beside those of the step before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct LifecycleBucket {
    /// Its first day.
    pub start: String,
    /// Users: new, returning and resurrected together.
    pub active: u64,
    /// First seen in it.
    pub new: u64,
    /// There in the step before, too; of the first step, that is from the beginning of the one before it up to the range.
    pub returning: u64,
    /// Not there in the step before, but earlier.
    pub resurrected: u64,
    /// There in the step before, and not in this one.
    pub dormant: u64,
}

/// Daily, weekly and monthly users, on average over the complete days of the range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Stickiness {
    /// Users of a day.
    pub dau: f64,
    /// Users of the 7 days up to a day.
    pub wau: f64,
    /// Users of the 30 days up to a day.
    pub mau: f64,
    /// The share of a month's users who are there on a day.
    pub dau_mau: f64,
    /// The share of a week's users who are there on a day.
    pub dau_wau: f64,
}

pub(super) fn ask(view: &mut View<'_, '_>, interval: Option<Interval>) -> Result<Lifecycle, Error> {
    let interval = interval.unwrap_or_else(|| Interval::usual_days(&view.span)).max(Interval::Day);
    let touched = view.span.touched.clone();
    let buckets = DayBuckets::new(&touched, interval)?;
    let stickiness = stickiness(view)?;
    // The step before the first one, from its own beginning to that of the range.
    let first = interval.start_of(interval.start_of(touched.start) - 1);
    let before = Span::of(&view.zone, view.zone.start_of(first)..view.span.at.start);
    let before = group::users(view, &before)?;
    let span = view.span.clone();
    let metrics = group::series(view, &span, Bucket::Days(&|day| buckets.place(day)), buckets.len(), Asked::default())?;
    let active: Vec<RoaringBitmap> = [before].iter().chain(&metrics).map(|metric| metric.persons(view)).collect();
    let mut new = vec![0; buckets.len()];
    for (person, day) in newcomers::by_day(view, &view.span.at)? {
        let place = buckets.place(day);
        if let Some(count) = new.get_mut(place) {
            *count += u64::from(active[place + 1].contains(person));
        }
    }
    let bucket = |(place, start): (usize, &i32)| {
        let (before, now) = (&active[place], &active[place + 1]);
        let returning = now.intersection_len(before);
        LifecycleBucket {
            start: date_text(*start),
            active: now.len(),
            new: new[place],
            returning,
            resurrected: (now.len() - returning).saturating_sub(new[place]),
            dormant: before.len() - returning,
        }
    };
    let list = buckets.starts.iter().enumerate().map(bucket).collect();
    Ok(Lifecycle { interval: interval.name().to_owned(), buckets: list, stickiness })
}

fn stickiness(view: &mut View<'_, '_>) -> Result<Stickiness, Error> {
    let (days, today) = (view.span.days.clone(), view.zone.day_of(view.now));
    let end = days.end.min(today);
    let first = days.start - 29;
    if end <= days.start {
        return Ok(Stickiness::default());
    }
    let span = Span::of_days(&view.zone, first..end);
    let place = |day| usize::try_from(day - first).unwrap_or(usize::MAX);
    let count = (end - first) as usize;
    let daily = group::series(view, &span, Bucket::Days(&place), count, Asked::default())?;
    let daily: Vec<RoaringBitmap> = daily.iter().map(|metric| metric.persons(view)).collect();
    let (mut dau, mut wau, mut mau) = (0, 0, 0);
    // The last day on which each person was there so far, and how many people it is of each day: those of a window were there in it.
    let people = daily.iter().filter_map(RoaringBitmap::max).max().map_or(0, |most| most as usize + 1);
    let (mut last_day, mut last_on) = (vec![u32::MAX; people], vec![0_u64; count]);
    for (day, here) in daily.iter().enumerate() {
        for person in here {
            let before = std::mem::replace(&mut last_day[person as usize], day as u32);
            if let Some(people) = last_on.get_mut(before as usize) {
                *people -= 1;
            }
        }
        last_on[day] += here.len();
        if day >= 29 {
            dau += here.len();
            wau += last_on[day - 6..=day].iter().sum::<u64>();
            mau += last_on[day - 29..=day].iter().sum::<u64>();
        }
    }
    let days = (count - 29) as f64;
    let share = |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
    Ok(Stickiness {
        dau: dau as f64 / days,
        wau: wau as f64 / days,
        mau: mau as f64 / days,
        dau_mau: share(dau, mau),
        dau_wau: share(dau, wau),
    })
}

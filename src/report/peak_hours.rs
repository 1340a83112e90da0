use jiff::civil::Weekday;
use serde::Serialize;

use super::base::{
    group,
    grouping::{Asked, Bucket, Counted},
    metric::Metric,
    view::View,
};
use crate::error::Error;

/// When people come: by hour of the day, and by weekday and hour.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct PeakHours {
    /// The time zone of the hours.
    pub tz: String,
    /// 24 hours of the day, over the whole range.
    pub hours: Vec<HourRow>,
    /// 7 × 24 hours of the week, from Monday.
    pub week: Vec<WeekHourRow>,
}

/// An hour of the day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct HourRow {
    /// 0 to 23.
    pub hour: u8,
    /// Hits.
    pub hits: u64,
    /// Sessions that began.
    pub sessions: u64,
    /// Users, each counted once.
    pub users: u64,
}

/// An hour of the week.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct WeekHourRow {
    /// `monday` to `sunday`.
    pub weekday: String,
    /// 0 to 23.
    pub hour: u8,
    /// Hits.
    pub hits: u64,
    /// Sessions that began.
    pub sessions: u64,
    /// Users, each counted once.
    pub users: u64,
}

const WEEK: usize = 7 * 24;

pub(super) fn ask(view: &mut View<'_, '_>) -> Result<PeakHours, Error> {
    let (span, zone) = (view.span.clone(), view.hours_zone()?);
    let place = |at| {
        let civil = zone.civil(at);
        usize::from(civil.weekday().to_monday_zero_offset().unsigned_abs()) * 24 + usize::from(civil.hour().unsigned_abs())
    };
    let week = group::series(view, &span, Bucket::Moments(&place), WEEK, Asked { counted: Counted::Visits, ..Asked::default() })?;
    let mut users = vec![0; WEEK];
    let hour = |hour: usize| {
        let of_hour = || week.iter().skip(hour).step_by(24);
        let (each, users_of_hour) = Metric::count_each(of_hour(), view);
        users.iter_mut().skip(hour).step_by(24).zip(each).for_each(|(users, count)| *users = count);
        HourRow {
            hour: hour as u8,
            hits: of_hour().map(Metric::hits).sum(),
            sessions: of_hour().map(Metric::sessions).sum(),
            users: users_of_hour,
        }
    };
    let hours = (0..24).map(hour).collect();
    let hour = |(place, (metric, users)): (usize, (&Metric, u64))| WeekHourRow {
        weekday: weekday(place / 24).to_owned(),
        hour: (place % 24) as u8,
        hits: metric.hits(),
        sessions: metric.sessions(),
        users,
    };
    let week = week.iter().zip(users).enumerate().map(hour).collect();
    Ok(PeakHours { tz: zone.name().to_owned(), hours, week })
}

fn weekday(place: usize) -> &'static str {
    match Weekday::from_monday_zero_offset(place as i8).unwrap_or(Weekday::Sunday) {
        Weekday::Monday => "monday",
        Weekday::Tuesday => "tuesday",
        Weekday::Wednesday => "wednesday",
        Weekday::Thursday => "thursday",
        Weekday::Friday => "friday",
        Weekday::Saturday => "saturday",
        Weekday::Sunday => "sunday",
    }
}

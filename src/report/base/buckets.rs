use std::ops::Range;

use crate::{
    clock::Millis,
    error::Error,
    report::base::{ask::wrong, span::Span},
    zone::{Day, Zone, date},
};

/// How long each step of a chart is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Interval {
    /// A quarter of an hour.
    Quarter,
    /// An hour, by the hours' zone.
    Hour,
    /// A reporting day.
    Day,
    /// Monday to Sunday.
    Week,
    /// A month of reporting days.
    Month,
}

/// A chart must not be asked for a hundred thousand steps.
const MOST_BUCKETS: usize = 5_000;
/// Where each step is followed by all later ones, half as many as the square of it are said.
const MOST_IN_TRIANGLE: usize = 1_000;

impl Interval {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Quarter => "15min",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    /// The first day of the step that a day lies in.
    pub(in crate::report) fn start_of(self, day: Day) -> Day {
        let Some(date) = date(day) else { return day };
        match self {
            Self::Week => day - i32::from(date.weekday().to_monday_zero_offset()),
            Self::Month => day - i32::from(date.day()) + 1,
            _ => day,
        }
    }

    /// What shows a span in some 30 to 100 steps.
    pub(in crate::report) fn usual(span: &Span) -> Self {
        match span.touched.end - span.touched.start {
            ..=2 => Self::Hour,
            3..=100 => Self::Day,
            101..=700 => Self::Week,
            _ => Self::Month,
        }
    }

    /// As [`usual`](Self::usual), of whole days.
    pub(in crate::report) fn usual_days(span: &Span) -> Self {
        Self::usual(span).max(Self::Day)
    }
}

/// Steps of days: every day of a span is in one, and none is missing.
pub(in crate::report) struct DayBuckets {
    /// The first day of each.
    pub(in crate::report) starts: Vec<Day>,
    end: Day,
    first: Day,
    /// By distance from the first day.
    places: Vec<u32>,
}

impl DayBuckets {
    pub(in crate::report) fn new(days: &Range<Day>, interval: Interval) -> Result<Self, Error> {
        let length = usize::try_from(days.end - days.start).unwrap_or(0);
        if length > 200_000 {
            return Err(wrong("a range of so many days has no chart: ask for a shorter one".to_owned()).about("days"));
        }
        let (mut starts, mut places) = (Vec::new(), Vec::with_capacity(length));
        for day in days.clone() {
            if starts.is_empty() || interval.start_of(day) == day {
                starts.push(day);
            }
            places.push(starts.len() as u32 - 1);
        }
        enough(starts.len(), MOST_BUCKETS)?;
        Ok(Self { starts, end: days.end, first: days.start, places })
    }

    /// As [`new`](Self::new), for steps that are each followed by all later ones.
    pub(in crate::report) fn triangle(days: &Range<Day>, interval: Interval) -> Result<Self, Error> {
        let buckets = Self::new(days, interval)?;
        enough(buckets.len(), MOST_IN_TRIANGLE)?;
        Ok(buckets)
    }

    pub(in crate::report) fn len(&self) -> usize {
        self.starts.len()
    }

    pub(in crate::report) fn place(&self, day: Day) -> usize {
        let place = usize::try_from(day - self.first).ok().and_then(|place| self.places.get(place));
        place.map_or(usize::MAX, |place| *place as usize)
    }

    /// The days of each.
    pub(in crate::report) fn days(&self) -> impl Iterator<Item = Range<Day>> {
        let ends = self.starts.iter().skip(1).copied().chain([self.end]);
        self.starts.iter().copied().zip(ends).map(|(start, end)| start..end)
    }
}

fn enough(buckets: usize, most: usize) -> Result<(), Error> {
    if buckets > most {
        let advice = "choose a longer interval or a shorter range";
        return Err(wrong(format!("that would be {buckets} steps, at most {most} are answered: {advice}")).about("interval"));
    }
    Ok(())
}

/// Steps of moments: each begins where the one before ends.
pub(in crate::report) struct MomentBuckets(Vec<Millis>);

impl MomentBuckets {
    /// Quarters of an hour, or hours of the zone.
    pub(in crate::report) fn new(span: &Span, zone: &Zone, interval: Interval) -> Result<Self, Error> {
        let step: Millis = if interval == Interval::Hour { 3_600_000 } else { 900_000 };
        enough(((span.at.end - span.at.start) / step) as usize, MOST_BUCKETS)?;
        // Hours of zones at half an hour begin at half an hour of UTC.
        let offset = zone.offset_at(span.at.start);
        let mut at = (span.at.start + offset).div_euclid(step) * step - offset;
        let mut starts = Vec::new();
        while at < span.at.end {
            starts.push(at);
            // Where clocks are put forward by half an hour, the next full hour is nearer.
            let offset = zone.offset_at(at);
            at = (at + offset).div_euclid(step) * step + step - offset;
        }
        Ok(Self(starts))
    }

    pub(in crate::report) fn starts(&self) -> &[Millis] {
        &self.0
    }

    pub(in crate::report) fn place(&self, at: Millis) -> usize {
        self.0.partition_point(|start| *start <= at).wrapping_sub(1)
    }
}

/// As `2026-11-02`.
pub(in crate::report) fn date_text(day: Day) -> String {
    date(day).map_or_else(String::new, |date| date.to_string())
}

/// In RFC 3339, UTC.
pub(in crate::report) fn time_text(at: Millis) -> String {
    jiff::Timestamp::from_millisecond(at).map_or_else(|_| String::new(), |at| at.to_string())
}

//! Reporting days, found by looking at the clock, and the steps of charts.

use std::{cell::RefCell, collections::HashMap};

use jiff::{
    Timestamp,
    civil::{Date, date},
    tz::TimeZone,
};

pub(crate) const DAY: i64 = 86_400_000;

#[derive(Clone, Debug)]
pub(crate) struct Zone {
    zone: TimeZone,
    starts: RefCell<HashMap<i32, i64>>,
}

impl Zone {
    pub(crate) fn named(name: &str) -> Self {
        Self { zone: TimeZone::get(name).unwrap(), starts: RefCell::default() }
    }

    pub(crate) fn civil(&self, at: i64) -> jiff::civil::DateTime {
        self.zone.to_datetime(Timestamp::from_millisecond(at).unwrap())
    }

    /// The newest date that a clock there had shown by then: clocks that go back over midnight end no day twice.
    pub(crate) fn day(&self, at: i64) -> i32 {
        let moment = Timestamp::from_millisecond(at).unwrap();
        let change = self.zone.preceding(moment + jiff::SignedDuration::from_millis(1)).next();
        let before = change.map(|change| change.timestamp().as_millisecond() - 1);
        before.into_iter().chain([at]).map(|at| number(self.civil(at).date())).max().unwrap()
    }

    /// The first moment of a day.
    pub(crate) fn start(&self, day: i32) -> i64 {
        if let Some(start) = self.starts.borrow().get(&day) {
            return *start;
        }
        let (mut before, mut then) = (i64::from(day) * DAY - DAY * 3 / 2, i64::from(day) * DAY + DAY * 3 / 2);
        while then - before > 1 {
            let middle = before + (then - before) / 2;
            if self.day(middle) >= day { then = middle } else { before = middle }
        }
        self.starts.borrow_mut().insert(day, then);
        then
    }
}

pub(crate) fn number(of: Date) -> i32 {
    (of.duration_since(date(1970, 1, 1)).as_hours() / 24) as i32
}

pub(crate) fn of_number(day: i32) -> Date {
    date(1970, 1, 1).checked_add(jiff::SignedDuration::from_hours(i64::from(day) * 24)).unwrap()
}

pub(crate) fn day_text(day: i32) -> String {
    of_number(day).to_string()
}

pub(crate) fn time_text(at: i64) -> String {
    Timestamp::from_millisecond(at).unwrap().to_string()
}

/// What tells the steps of an interval apart: all days of one have the same.
pub(crate) fn step(interval: &str, day: i32) -> (i64, i64) {
    let date = of_number(day);
    match interval {
        // The epoch was a Thursday.
        "week" => ((i64::from(day) + 3).div_euclid(7), 0),
        "month" => (i64::from(date.year()), i64::from(date.month())),
        _ => (i64::from(day), 0),
    }
}

/// The days of each step in a range of days: the first and the last may be cut.
pub(crate) fn steps(interval: &str, days: std::ops::Range<i32>) -> Vec<Vec<i32>> {
    let mut steps: Vec<Vec<i32>> = Vec::new();
    for day in days {
        match steps.last_mut() {
            Some(last) if step(interval, last[0]) == step(interval, day) => last.push(day),
            _ => steps.push(vec![day]),
        }
    }
    steps
}

/// All days of the step that a day lies in.
pub(crate) fn whole_step(interval: &str, day: i32) -> Vec<i32> {
    (day - 40..day + 40).filter(|other| step(interval, *other) == step(interval, day)).collect()
}

/// The interval that nobody asked for, by the number of days: hours for two, days for a hundred, weeks for seven hundred.
pub(crate) fn usual(days: usize) -> &'static str {
    match days {
        0..=2 => "hour",
        3..=100 => "day",
        101..=700 => "week",
        _ => "month",
    }
}

pub(crate) fn usual_days(days: usize) -> &'static str {
    if days <= 2 { "day" } else { usual(days) }
}

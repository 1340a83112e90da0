//! Reporting days: the civil days of one IANA time zone.

use std::{fmt, ops::Range};

use jiff::{
    Timestamp,
    civil::Date,
    tz::{AmbiguousOffset, Offset, TimeZone},
};

use crate::{
    clock::{DAY_MS, Millis},
    error::{Error, ErrorKind},
};

/// A reporting day, as days since 1970-01-01.
pub(crate) type Day = i32;

/// The time zone that says which moment belongs to which reporting day.
///
/// A day begins with the first moment that carries its date and ends where the next one begins. So days never overlap
/// or interleave, also where clocks go back over midnight; one that a zone skipped (Apia, 2011-12-30) is empty.
#[derive(Clone)]
pub(crate) struct Zone {
    name: String,
    zone: TimeZone,
}

impl Zone {
    /// By its IANA name, such as `Europe/Berlin` or `UTC`.
    pub(crate) fn new(name: &str) -> Result<Self, Error> {
        let zone = TimeZone::get(name).map_err(|error| {
            let message = format!("there is no time zone {name:?}: name one as in \"Europe/Berlin\" or \"UTC\"");
            Error::new(ErrorKind::Config, message).with_source(error)
        })?;
        Ok(Self { name: name.to_owned(), zone })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The day a moment belongs to.
    pub(crate) fn day_of(&self, at: Millis) -> Day {
        // Beyond the years that have dates, days are not told apart.
        let at = at.clamp(EARLIEST, LATEST);
        let mut day = self.date_at(at);
        // The clock went back over midnight: the next day has begun all the same.
        while self.start_of(day + 1) <= at {
            day += 1;
        }
        day
    }

    /// A day's first moment, and that of the next.
    pub(crate) fn span_of(&self, day: Day) -> Range<Millis> {
        self.start_of(day)..self.start_of(day + 1)
    }

    /// When a day begins: its first moment.
    pub(crate) fn start_of(&self, day: Day) -> Millis {
        let Some(midnight) = date(day).map(|date| date.at(0, 0, 0, 0)) else { return Millis::from(day) * DAY_MS };
        let earliest = match self.zone.to_ambiguous_timestamp(midnight).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset,
            // Midnight comes twice: the first one.
            AmbiguousOffset::Fold { before, .. } => before,
            // There is no midnight: the moment at which the clock was put forward over it.
            AmbiguousOffset::Gap { before, after } => return self.put_forward(midnight, before, after),
        };
        earliest.to_timestamp(midnight).map_or(Millis::from(day) * DAY_MS, Timestamp::as_millisecond)
    }

    fn put_forward(&self, midnight: jiff::civil::DateTime, before: Offset, after: Offset) -> Millis {
        let fallback = before.to_timestamp(midnight).map_or(0, Timestamp::as_millisecond);
        // Read with the old offset, a skipped midnight lies after the change; with the new one, before it.
        let Ok(earlier) = after.to_timestamp(midnight) else { return fallback };
        let change = self.zone.following(earlier).next().map(|change| change.timestamp());
        change.filter(|change| change.as_millisecond() <= fallback).map_or(fallback, Timestamp::as_millisecond)
    }

    /// What its clocks show at a moment.
    pub(crate) fn civil(&self, at: Millis) -> jiff::civil::DateTime {
        self.zone.to_datetime(Timestamp::from_millisecond(at).unwrap_or_default())
    }

    /// What its clocks are ahead of UTC at a moment.
    pub(crate) fn offset_at(&self, at: Millis) -> Millis {
        let offset = Timestamp::from_millisecond(at).map(|at| self.zone.to_offset(at).seconds());
        Millis::from(offset.unwrap_or_default()) * 1000
    }

    fn date_at(&self, at: Millis) -> Day {
        let Ok(at) = Timestamp::from_millisecond(at) else { return at.div_euclid(DAY_MS) as Day };
        let civil = self.zone.to_datetime(at).date();
        civil.duration_since(EPOCH).as_hours().div_euclid(24) as Day
    }
}

/// The years -9998 to 9998, in which every date and those beside it are known.
const EARLIEST: Millis = -377_673_580_800_000;
const LATEST: Millis = 253_370_764_799_999;

const EPOCH: Date = Date::constant(1970, 1, 1);

/// From a date such as `2026-11-02`.
pub(crate) fn parse_day(text: &str) -> Option<Day> {
    let date = (text.len() == 10).then(|| text.parse::<Date>().ok())??;
    Some(date.duration_since(EPOCH).as_hours().div_euclid(24) as Day)
}

pub(crate) fn date(day: Day) -> Option<Date> {
    EPOCH.checked_add(jiff::SignedDuration::from_hours(i64::from(day) * 24)).ok()
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({})", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Millis = 3_600_000;

    fn at(text: &str) -> Millis {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    fn hours(zone: &str, date: &str) -> f64 {
        let zone = Zone::new(zone).unwrap();
        let day = date.parse::<Date>().unwrap().duration_since(EPOCH).as_hours() as Day / 24;
        (zone.start_of(day + 1) - zone.start_of(day)) as f64 / HOUR as f64
    }

    #[test]
    fn moments_that_no_clock_shows_have_a_day_all_the_same() {
        for name in ["UTC", "Pacific/Apia", "America/New_York"] {
            let zone = Zone::new(name).unwrap();
            for at in [i64::MIN, EARLIEST - 1, EARLIEST, LATEST, LATEST + 1, 948_652_487_907_054_550, i64::MAX] {
                let day = zone.day_of(at);
                assert!(zone.day_of(zone.start_of(day)) == day, "{name} {at}");
            }
        }
    }

    #[test]
    fn days_have_the_hours_that_people_there_had() {
        for (zone, date, expected) in [
            ("UTC", "2026-11-25", 24.0),
            ("Europe/Berlin", "2026-03-29", 23.0),
            ("Europe/Berlin", "2026-10-25", 25.0),
            ("Asia/Kathmandu", "2026-05-05", 24.0),
            ("Australia/Lord_Howe", "2026-04-05", 24.5),
            ("Australia/Lord_Howe", "2026-10-04", 23.5),
            // Midnight itself was skipped, and came twice.
            ("America/Sao_Paulo", "2018-11-04", 23.0),
            ("America/Sao_Paulo", "2018-02-17", 25.0),
            // The zone moved over the date line: a day that nobody there had.
            ("Pacific/Apia", "2011-12-30", 0.0),
            ("Pacific/Apia", "2011-12-29", 24.0),
            // A rule that changed: Turkey stayed on summer time in 2016.
            ("Europe/Istanbul", "2015-11-08", 25.0),
            ("Europe/Istanbul", "2016-11-06", 24.0),
            // The clock went from 00:01 back to 23:01 of the day before; that day was not resumed.
            ("America/St_Johns", "2010-11-07", 25.0),
        ] {
            assert!((hours(zone, date) - expected).abs() < 1e-9, "{zone} {date}: {} hours", hours(zone, date));
        }
    }

    #[test]
    fn days_are_half_open_and_follow_one_another() {
        let start = at("2010-01-01T00:00:00Z");
        for name in ["UTC", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns", "Pacific/Apia", "Africa/Casablanca"] {
            let zone = Zone::new(name).unwrap();
            let mut day = zone.day_of(start);
            for quarter in 0..4 * 24 * 365 * 3 {
                let at = start + quarter * HOUR / 4;
                let now = zone.day_of(at);
                assert!(now >= day, "{name}: never backwards");
                assert!((zone.start_of(now)..zone.start_of(now + 1)).contains(&at), "{name} {at}");
                if now > day {
                    assert_eq!(zone.day_of(zone.start_of(now)), now, "{name}");
                    assert!(zone.day_of(zone.start_of(now) - 1) < now, "{name}");
                }
                day = now;
            }
        }
    }

    #[test]
    fn a_half_hour_zone_turns_the_day_at_its_own_midnight() {
        let zone = Zone::new("Asia/Kolkata").unwrap();
        let day = zone.day_of(at("2026-11-24T18:29:59Z"));
        assert_eq!(zone.day_of(at("2026-11-24T18:30:00Z")), day + 1);
    }

    #[test]
    fn an_unknown_zone_is_named() {
        assert!(Zone::new("Europe/Atlantis").unwrap_err().to_string().contains("Atlantis"));
    }
}

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::Offset,
};

use crate::clock::{DAY_MS, Millis, Month, day_of};

/// A time of the panel's files: without a zone it means UTC. Whole milliseconds; what is finer goes.
pub(super) fn parse(text: &str) -> Result<Millis, String> {
    let wrong = |why: String| format!("{:?} is no time ({why})", &text[..crate::facts::cut(text.as_bytes(), 64)]);
    let zoned = text.get(10..).is_some_and(|time| time.contains(['Z', 'z', '+', '-']));
    let at: Timestamp = match zoned {
        true => text.parse().map_err(|error: jiff::Error| wrong(error.to_string()))?,
        false => {
            let civil: DateTime = text.parse().map_err(|error: jiff::Error| wrong(error.to_string()))?;
            Offset::UTC.to_timestamp(civil).map_err(|error| wrong(error.to_string()))?
        }
    };
    let at = at.as_millisecond();
    Month::of(at).map(|_| at).ok_or_else(|| wrong("it lies outside the years 1970 to 9998".to_owned()))
}

/// The day of a date such as `2025-12-01`, counted from 1970.
pub(super) fn day(date: &str) -> Option<i64> {
    let date: Date = date.parse().ok()?;
    Some(day_of(Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok()?.as_millisecond()))
}

/// `2025-12-01`
pub(super) fn date(day: i64) -> String {
    shown(day.saturating_mul(DAY_MS))[..10].to_owned()
}

/// `2025-12-01T10:00:00.123Z`
pub(super) fn shown(at: Millis) -> String {
    Timestamp::from_millisecond(at).unwrap_or_default().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_without_a_zone_mean_utc_with_and_without_a_fraction() {
        for (text, millis) in [
            ("2025-12-01T10:00:00.123456", 1_764_583_200_123),
            ("2025-12-01T10:00:00", 1_764_583_200_000),
            ("2025-12-01 10:00:00", 1_764_583_200_000),
            ("2025-12-01T10:00:00+00:00", 1_764_583_200_000),
            ("2025-12-01T12:00:00.5+02:00", 1_764_583_200_500),
            ("2025-12-01T09:00:00-01:00", 1_764_583_200_000),
            ("2025-12-01T10:00:00Z", 1_764_583_200_000),
            ("2024-02-29T00:00:00", 1_709_164_800_000),
        ] {
            assert_eq!(parse(text), Ok(millis), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused_with_what_it_says() {
        for text in [
            "",
            "2025-13-40T10:00:00",
            "2025-02-29T00:00:00",
            "2025-12-01T25:00:00",
            "yesterday",
            "1969-12-31T23:59:59",
            "9999-01-01T00:00:00",
            "1764583200",
        ] {
            assert!(parse(text).unwrap_err().contains(&format!("{text:?}")), "{text}");
        }
    }
}

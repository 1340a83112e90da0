use jiff::{civil::Date, tz::Offset};

use crate::clock::{Millis, Month};

/// Times of lines: `26/Nov/2026:03:22:47 +0100`. The day is looked up once, for lines in a row are of the same one.
#[derive(Default)]
pub(super) struct Days {
    date: [u8; 11],
    begin: Option<Millis>,
}

/// How long a time is in a line.
pub(super) const TIME: usize = 26;

impl Days {
    /// `None` if it is no time, or lies outside of all months.
    pub(super) fn time(&mut self, text: &[u8; TIME]) -> Option<Millis> {
        let (date, clock) = text.split_first_chunk::<11>()?;
        if *date != self.date {
            (self.date, self.begin) = (*date, day(date));
        }
        let begin = self.begin?;
        let [b':', hour @ .., b':', _, _, b':', _, _, b' ', sign, _, _, _, _] = clock else { return None };
        let hour = number(hour)?;
        let [minute, second, zone_hours, zone_minutes] =
            [number(&clock[4..6]), number(&clock[7..9]), number(&clock[11..13]), number(&clock[13..15])];
        let (minute, second, zone) = (minute?, second?, zone_hours? * 60 + zone_minutes?);
        // A leap second is the last one of its minute once more.
        if hour > 23 || minute > 59 || second > 60 || zone_minutes? > 59 || zone > 26 * 60 {
            return None;
        }
        let zone = match sign {
            b'+' => zone,
            b'-' => -zone,
            _ => return None,
        };
        let at = begin + ((hour * 60 + minute - zone) * 60 + second.min(59)) * 1000;
        // Days of the first and the last year may lie beyond them in UTC.
        (0..END).contains(&at).then_some(at)
    }
}

/// The end of the year 9998.
const END: Millis = 253_370_764_800_000;

fn day(date: &[u8; 11]) -> Option<Millis> {
    const MONTHS: [&[u8; 3]; 12] = [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];
    let [_, _, b'/', month @ .., b'/', _, _, _, _] = date else { return None };
    let month = MONTHS.iter().position(|name| name[..] == *month)?;
    let (year, day) = (number(&date[7..9])? * 100 + number(&date[9..])?, number(&date[..2])?);
    let date = Date::new(year as i16, month as i8 + 1, day as i8).ok()?;
    let begin = Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok()?.as_millisecond();
    Month::of(begin).map(|_| begin)
}

/// Two digits.
fn number(digits: &[u8]) -> Option<i64> {
    match digits {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => Some(i64::from((tens - b'0') * 10 + (ones - b'0'))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Option<String> {
        let mut days = Days::default();
        let first = days.time(text.as_bytes().try_into().ok()?);
        assert_eq!(days.time(text.as_bytes().try_into().ok()?), first, "the second time it is known");
        first.map(|at| jiff::Timestamp::from_millisecond(at).unwrap().to_string())
    }

    #[test]
    fn times_are_read_with_their_zone() {
        for (text, at) in [
            ("26/Nov/2026:03:22:47 +0000", "2026-11-26T03:22:47Z"),
            ("01/Jan/2026:00:30:00 +0200", "2025-12-31T22:30:00Z"),
            ("31/Dec/2025:23:30:00 -0330", "2026-01-01T03:00:00Z"),
            ("29/Feb/2024:23:59:59 +0530", "2024-02-29T18:29:59Z"),
            ("31/Dec/2016:23:59:60 +0000", "2016-12-31T23:59:59Z"),
        ] {
            assert_eq!(time(text).as_deref(), Some(at), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "29/Feb/2025:23:59:59 +0000",
            "00/Jan/2026:00:00:00 +0000",
            "01/jan/2026:00:00:00 +0000",
            "01/Jan/2026:24:00:00 +0000",
            "01/Jan/2026:00:60:00 +0000",
            "01/Jan/2026 00:00:00 +0000",
            "01/Jan/2026:00:00:00 00000",
            "01/Jan/2026:00:00:00 +0060",
            "01/Jan/2026:0x:00:00 +0000",
            "01/Jan/1970:00:00:00 +0100",
            "31/Dec/9998:23:59:59 -0100",
            "01/Jan/9999:00:00:00 +0000",
        ] {
            assert_eq!(time(text), None, "{text}");
        }
    }
}

use jiff::{Span, SpanRelativeTo, Timestamp};

use crate::auth::Seconds;

/// Until the last moment that a token can name: for what has no end of its own.
pub(super) const FOR_EVER: Seconds = 1 << 53;

/// `15m`, `12h`, `7d`, as seconds.
pub(super) fn duration(text: &str) -> Result<Seconds, String> {
    let span: Span = text.parse().map_err(|_| "it is no duration such as 15m, 12h or 7d".to_owned())?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours());
    let seconds = duration.map_err(|_| "months and years differ in length: say weeks or days, such as 30d".to_owned())?.as_secs();
    if (1..FOR_EVER / 2).contains(&seconds) { Ok(seconds) } else { Err("it must be at least a second, such as 15m, 12h or 7d".to_owned()) }
}

/// A moment in UTC, RFC 3339.
pub(super) fn moment(seconds: Seconds) -> String {
    match Timestamp::from_second(seconds) {
        Ok(at) if seconds < FOR_EVER => at.to_string(),
        _ => "for ever".to_owned(),
    }
}

/// How long that is, in its largest unit.
pub(super) fn rough(seconds: Seconds) -> String {
    let seconds = seconds.unsigned_abs();
    let (number, unit) = match seconds {
        0..=119 => (seconds, "second"),
        120..=7199 => (seconds / 60, "minute"),
        7200..=172_799 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, seconds) in
            [("15m", 900), ("12h", 43_200), ("7d", 604_800), ("1w", 604_800), ("1h 30m", 5400), ("PT1H", 3600), ("90 s", 90)]
        {
            assert_eq!(duration(text), Ok(seconds), "{text}");
        }
        for text in ["", "0s", "-1h", "h", "12", "1 month", "1y", "10ms", "999999999d", "99999999999999999999h", "1h; rm"] {
            assert!(duration(text).is_err(), "{text} {:?}", duration(text));
        }
    }
}

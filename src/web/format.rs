//! Numbers, times and sizes as people write them; the exact value stands in the title.

use std::{
    borrow::Borrow,
    time::{Duration, SystemTime},
};

use crate::{clock::to_millis, zone::Zone};

/// `1 234 567` with thin spaces; from ten million on, `12.3 M`.
pub(super) fn number(value: impl Borrow<u64>) -> String {
    let value = *value.borrow();
    match value {
        0..10_000_000 => exact(value),
        10_000_000..1_000_000_000 => format!("{:.1} M", value as f64 / 1e6),
        _ => format!("{:.1} G", value as f64 / 1e9),
    }
}

/// Every digit, in groups of three.
pub(super) fn exact(value: impl Borrow<u64>) -> String {
    let value = *value.borrow();
    let digits = value.to_string();
    let mut grouped = String::with_capacity(digits.len() * 2);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 hit`, `2 hits`
pub(super) fn counted(value: impl Borrow<u64>, one: &str) -> String {
    let value = *value.borrow();
    format!("{} {one}{}", exact(value), if value == 1 { "" } else { "s" })
}

/// `3.2 MB`
pub(super) fn bytes(value: impl Borrow<u64>) -> String {
    let value = *value.borrow();
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let (mut shown, mut unit) = (value as f64, 0);
    while shown >= 1000.0 && unit < UNITS.len() - 1 {
        shown /= 1000.0;
        unit += 1;
    }
    if unit == 0 { format!("{value} B") } else { format!("{shown:.1} {}", UNITS[unit]) }
}

/// `850 µs`, `12 ms`, `1.3 s`, `4 min`, `2 h 5 min`, `13 days`
pub(super) fn duration(value: impl Borrow<Duration>) -> String {
    let value = *value.borrow();
    let (micros, seconds) = (value.as_micros(), value.as_secs());
    match seconds {
        0 if micros == 0 => "0 s".to_owned(),
        0 if micros < 1000 => format!("{micros} µs"),
        0 if micros < 10_000 => format!("{:.1} ms", micros as f64 / 1e3),
        0 => format!("{} ms", micros / 1000),
        1..60 => format!("{:.1} s", value.as_secs_f64()),
        60..3600 => format!("{} min", seconds / 60),
        3600..172_800 => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// `just now`, `3 min ago`, `7 h ago`: the moment itself stands in the title.
pub(super) fn ago(then: impl Borrow<SystemTime>, now: impl Borrow<SystemTime>) -> String {
    let (then, now) = (*then.borrow(), *now.borrow());
    match now.duration_since(then).map_or(0, |gap| gap.as_secs()) {
        0..5 => "just now".to_owned(),
        seconds @ 5..60 => format!("{seconds} s ago"),
        seconds @ 60..3600 => format!("{} min ago", seconds / 60),
        seconds @ 3600..172_800 => format!("{} h ago", seconds / 3600),
        seconds => format!("{} days ago", seconds / 86_400),
    }
}

/// `2026-11-24 20:15:03 UTC`
pub(super) fn time<T: Borrow<SystemTime>>(value: T) -> String {
    let value = *value.borrow();
    let stamp = jiff::Timestamp::from_millisecond(to_millis(value)).unwrap_or_default();
    jiff::tz::Offset::UTC.to_datetime(stamp).strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// `2026-11`
pub(super) fn month(number: &str) -> String {
    format!("{}-{}", number.get(..4).unwrap_or_default(), number.get(4..).unwrap_or_default())
}

/// `12.5 %`
pub(super) fn share(part: u64, whole: u64) -> String {
    if whole == 0 { "–".to_owned() } else { format!("{:.1} %", part as f64 * 100.0 / whole as f64) }
}

/// `12.5 %` of a share from 0 to 1.
pub(super) fn percent(share: impl Borrow<f64>) -> String {
    let percent = *share.borrow() * 100.0;
    if percent >= 10.0 || percent == 0.0 { format!("{percent:.0} %") } else { format!("{percent:.1} %") }
}

/// `↑ 12 %`, `↓ 3 %`, `×4.2`: how much more or less, as a share.
pub(super) fn change(change: f64) -> String {
    match change {
        change if !change.is_finite() => "–".to_owned(),
        change if change.abs() < 0.005 => "= 0 %".to_owned(),
        change if change >= 3.0 => format!("↑ ×{:.1}", change + 1.0),
        change if change > 0.0 => format!("↑ {:.0} %", change * 100.0),
        change => format!("↓ {:.0} %", -change * 100.0),
    }
}

/// A value of an axis or a chart: `1.2 k`, `3 M`.
pub(super) fn rough(value: f64) -> String {
    let value = if value.is_finite() { value } else { 0.0 };
    let (shown, unit) = match value.abs() {
        1e9.. => (value / 1e9, "\u{202f}G"),
        1e6.. => (value / 1e6, "\u{202f}M"),
        1e4.. => (value / 1e3, "\u{202f}k"),
        _ => (value, ""),
    };
    let text = format!("{shown:.1}");
    format!("{}{unit}", text.trim_end_matches('0').trim_end_matches('.'))
}

/// A count in a table.
pub(super) fn count(value: f64) -> String {
    if value.fract() == 0.0 { exact(value as u64) } else { format!("{value:.2}") }
}

/// Seconds of a chart.
pub(super) fn seconds(value: f64) -> String {
    duration(Duration::try_from_secs_f64(value).unwrap_or_default())
}

/// `20:15:03`
pub(super) fn clock(zone: &Zone, at: SystemTime) -> String {
    zone.civil(to_millis(at)).strftime("%H:%M:%S").to_string()
}

/// `25 Nov 2026, 20:15:03`
pub(super) fn moment(zone: &Zone, at: SystemTime) -> String {
    zone.civil(to_millis(at)).strftime("%-d %b %Y, %H:%M:%S").to_string()
}

/// The same without the year, if it is this one: `25 Nov, 20:15:03`.
pub(super) fn near(zone: &Zone, at: SystemTime, now: SystemTime) -> String {
    let civil = zone.civil(to_millis(at));
    if civil.year() == zone.civil(to_millis(now)).year() { civil.strftime("%-d %b, %H:%M:%S").to_string() } else { moment(zone, at) }
}

/// `25 Nov` of `2026-11-25`, with the year if it is not this one.
pub(super) fn day(day: &str, zone: &Zone, now: SystemTime) -> String {
    let Ok(date) = day.parse::<jiff::civil::Date>() else { return day.to_owned() };
    let is_this_year = date.year() == zone.civil(to_millis(now)).year();
    date.strftime(if is_this_year { "%-d %b" } else { "%-d %b %Y" }).to_string()
}

/// `28 Oct – 26 Nov 2026`, of two dates.
pub(super) fn dates(from: jiff::civil::Date, to: jiff::civil::Date) -> String {
    if from == to {
        return to.strftime("%-d %b %Y").to_string();
    }
    let first = if from.year() == to.year() { from.strftime("%-d %b") } else { from.strftime("%-d %b %Y") };
    format!("{first} – {}", to.strftime("%-d %b %Y"))
}

/// A step of a chart, by its first day: on the axis, and in full.
pub(super) fn step(start: &str, interval: &str) -> (String, String) {
    let Ok(date) = start.parse::<jiff::civil::Date>() else { return (start.to_owned(), start.to_owned()) };
    let text = |format: &str| date.strftime(format).to_string();
    match interval {
        "month" => (text("%b %Y"), text("%B %Y")),
        "week" => (text("%-d %b"), text("week from %a %-d %b %Y")),
        _ => (text("%-d %b"), text("%a %-d %b %Y")),
    }
}

/// A step of a chart, by its first moment.
pub(super) fn step_at(start: SystemTime, interval: &str, days: &Zone, hours: &Zone) -> (String, String) {
    if matches!(interval, "15min" | "hour") {
        let civil = hours.civil(to_millis(start));
        return (civil.strftime("%H:%M").to_string(), civil.strftime("%a %-d %b, %H:%M").to_string());
    }
    step(&days.civil(to_millis(start)).date().to_string(), interval)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_like_numbers() {
        assert_eq!(number(0), "0");
        assert_eq!(number(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(number(12_345_678), "12.3 M");
        assert_eq!([0, 1, 2000].map(|value| counted(value, "hit")), ["0 hits", "1 hit", "2\u{202f}000 hits"]);
        assert_eq!((bytes(999), bytes(3_200_000)), ("999 B".to_owned(), "3.2 MB".to_owned()));
        assert_eq!((share(1, 8), share(0, 0)), ("12.5 %".to_owned(), "–".to_owned()));
    }

    #[test]
    fn durations_and_times_read_like_time() {
        let shown = [850, 4_200, 12_700, 1_300_000, 240_000_000, 7_500_000_000].map(|us| duration(Duration::from_micros(us)));
        assert_eq!(shown, ["850 µs", "4.2 ms", "12 ms", "1.3 s", "4 min", "2 h 5 min"]);
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(86_400);
        assert_eq!(ago(now - Duration::from_secs(180), now), "3 min ago");
        assert_eq!(
            [59, 3 * 3600 + 59, 47 * 3600, 48 * 3600].map(|s| ago(now, now + Duration::from_secs(s))),
            ["59 s ago", "3 h ago", "47 h ago", "2 days ago"]
        );
        assert_eq!(ago(now + Duration::from_secs(180), now), "just now");
        assert_eq!(time(now), "1970-01-02 00:00:00 UTC");
    }

    #[test]
    fn changes_and_axes_are_rough() {
        assert_eq!([0.123, -0.5, 0.001, 4.0, f64::NAN].map(change), ["↑ 12 %", "↓ 50 %", "= 0 %", "↑ ×5.0", "–"]);
        assert_eq!([0.0, 2.5, 9_000.0, 25_000.0, 3e6, f64::INFINITY].map(rough), ["0", "2.5", "9000", "25\u{202f}k", "3\u{202f}M", "0"]);
        let date = |text: &str| text.parse().unwrap();
        assert_eq!(dates(date("2026-10-28"), date("2026-11-26")), "28 Oct – 26 Nov 2026");
        assert_eq!(dates(date("2026-11-26"), date("2026-11-26")), "26 Nov 2026");
        assert_eq!(dates(date("2025-12-31"), date("2026-01-01")), "31 Dec 2025 – 1 Jan 2026");
        assert_eq!(step("2026-11-23", "week"), ("23 Nov".to_owned(), "week from Mon 23 Nov 2026".to_owned()));
    }
}

//! Numbers and tables for people.

use std::time::{Duration, SystemTime};

use super::output;
use crate::error::Error;

/// `1234567` as `1 234 567`.
pub(super) fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// `1 hit`, `2 000 hits`
pub(super) fn hits(value: u64) -> String {
    if value == 1 { "1 hit".to_owned() } else { format!("{} hits", number(value)) }
}

/// `1536` as `1.5 KB`; a KB has 1024 bytes.
pub(super) fn bytes(value: u64) -> String {
    const UNITS: [&str; 4] = ["KB", "MB", "GB", "TB"];
    if value < 1024 {
        return format!("{value} B");
    }
    let mut scaled = value as f64 / 1024.0;
    let mut units = UNITS.into_iter().peekable();
    let mut unit = units.next().unwrap_or_default();
    while scaled >= 1024.0 && units.peek().is_some() {
        (scaled, unit) = (scaled / 1024.0, units.next().unwrap_or_default());
    }
    if scaled < 10.0 { format!("{scaled:.1} {unit}") } else { format!("{scaled:.0} {unit}") }
}

/// `2026-11-02 08:00:00`, in UTC.
pub(super) fn moment(at: Option<SystemTime>) -> String {
    let at = at.and_then(|at| jiff::Timestamp::try_from(at).ok());
    at.map_or_else(|| "-".to_owned(), |at| at.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

/// How long ago that was.
pub(super) fn ago(at: SystemTime) -> String {
    let seconds = at.elapsed().unwrap_or(Duration::ZERO).as_secs();
    match seconds {
        0..120 => format!("{seconds} s ago"),
        120..7_200 => format!("{} min ago", seconds / 60),
        7_200..172_800 => format!("{} h ago", seconds / 3_600),
        _ => format!("{} days ago", seconds / 86_400),
    }
}

/// Columns under their heads, those of numbers to the right.
pub(super) fn table(heads: &[&str], is_number: &[bool], rows: &[Vec<String>]) -> Result<(), Error> {
    let width = |column: usize| {
        let of = |row: &Vec<String>| row.get(column).map_or(0, |text| text.chars().count());
        rows.iter().map(of).chain([heads[column].chars().count()]).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..heads.len()).map(width).collect();
    let heads = heads.iter().map(|head| (*head).to_owned()).collect::<Vec<_>>();
    for row in [&heads].into_iter().chain(rows) {
        let cell = |(column, text): (usize, &String)| {
            let width = widths.get(column).copied().unwrap_or_default();
            let to_the_right = is_number.get(column).copied().unwrap_or_default();
            if to_the_right { format!("{text:>width$}") } else { format!("{text:width$}") }
        };
        let line: Vec<String> = row.iter().enumerate().map(cell).collect();
        output::line(output::printable(line.join("  ").trim_end()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_as_people_read_them() {
        let numbers = [0, 999, 1000, 1_234_567].map(number);
        assert_eq!(numbers, ["0", "999", "1 000", "1 234 567"]);
        assert_eq!([1, 2000].map(hits), ["1 hit", "2 000 hits"]);
        let sizes = [0, 1023, 1536, 15 << 20, 3 << 40, u64::MAX].map(bytes);
        assert_eq!(sizes, ["0 B", "1023 B", "1.5 KB", "15 MB", "3.0 TB", "16777216 TB"]);
    }
}

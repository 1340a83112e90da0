use memchr::memrchr;
use serde::{Deserialize, Serialize};

/// In what a log's last field says how long each request took, see
/// [`Maintenance::import_timed_access_log`](crate::Maintenance::import_timed_access_log).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum DurationUnit {
    /// Apache's `%T`, NGINX's `$request_time`.
    Seconds,
    /// Apache's `%{ms}T`.
    Millis,
    /// Apache's `%D`.
    Micros,
}

impl DurationUnit {
    /// The last field of what stands behind the known ones, in microseconds; quoted or not, with a fraction or not.
    pub(super) fn read(self, rest: &[u8]) -> Option<u64> {
        let rest = rest.trim_ascii_end();
        let field = &rest[memrchr(b' ', rest).map_or(0, |space| space + 1)..];
        let field = field.strip_prefix(b"\"").and_then(|field| field.strip_suffix(b"\"")).unwrap_or(field);
        self.micros(field)
    }

    fn micros(self, text: &[u8]) -> Option<u64> {
        let unit = match self {
            Self::Seconds => 1_000_000,
            Self::Millis => 1000,
            Self::Micros => 1,
        };
        let point = memrchr(b'.', text).unwrap_or(text.len());
        let whole = number(&text[..point])?.checked_mul(unit)?;
        let Some(fraction) = text.get(point + 1..) else { return Some(whole) };
        let kept = &fraction[..fraction.len().min(6)];
        let fraction = number(fraction).and(number(kept))? * unit / 10_u64.pow(kept.len() as u32);
        whole.checked_add(fraction)
    }
}

pub(super) fn number(digits: &[u8]) -> Option<u64> {
    let digit = |sum: u64, digit: &u8| sum.checked_mul(10)?.checked_add(u64::from(digit.checked_sub(b'0').filter(|digit| *digit < 10)?));
    if digits.is_empty() { None } else { digits.iter().try_fold(0, digit) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_field_is_a_duration_in_the_unit_that_was_said() {
        use DurationUnit::{Micros, Millis, Seconds};
        for (unit, rest, micros) in [
            (Micros, &b" 12345"[..], Some(12_345)),
            (Micros, b"5678", Some(5678)),
            (Micros, b" \"203.0.113.9\" 77", Some(77)),
            (Millis, b" 250", Some(250_000)),
            (Millis, b" 1.5", Some(1500)),
            (Seconds, b" 3", Some(3_000_000)),
            (Seconds, b" \"0.123\"", Some(123_000)),
            (Seconds, b" rt=0.2 4.1234567", Some(4_123_456)),
            (Seconds, b" 0.123 ", Some(123_000)),
            (Seconds, b"", None),
            (Seconds, b" -", None),
            (Seconds, b" \"203.0.113.9\"", None),
            (Seconds, b" 1.", None),
            (Seconds, b" 18446744073709551615", None),
            (Micros, b" -5", None),
        ] {
            assert_eq!(unit.read(rest), micros, "{unit:?} {:?}", String::from_utf8_lossy(rest));
        }
    }
}

use memchr::{memchr, memchr_iter, memchr2};

use super::{
    day::{Days, TIME},
    duration::{DurationUnit, number},
};
use crate::clock::Millis;

/// One line, its fields as they stand there.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    pub(super) address: &'a [u8],
    /// Empty for nobody.
    pub(super) user: &'a [u8],
    pub(super) at: Millis,
    pub(super) request: &'a [u8],
    pub(super) status: u16,
    pub(super) bytes: u64,
    /// Empty if there is none, or the format has none.
    pub(super) agent: &'a [u8],
    pub(super) took_us: Option<u64>,
}

impl<'a> Line<'a> {
    /// `ADDRESS IDENT USER [TIME] "REQUEST" STATUS BYTES`, then perhaps `"REFERER" "AGENT"` and more; a name of the virtual host may stand before
    /// it. `None` if it is not that. How long it took stands in its last field if a unit was said.
    pub(super) fn parse(line: &'a [u8], days: &mut Days, unit: Option<DurationUnit>) -> Option<Self> {
        let (address, rest) = word(line)?;
        let (ident, rest) = word(rest)?;
        // A user may hold anything, brackets too: what is a time decides.
        let (user, at, rest) = memchr_iter(b'[', rest).find_map(|place| {
            let (time, after) = rest[place + 1..].split_first_chunk::<TIME>()?;
            Some((rest[..place].strip_suffix(b" ")?, days.time(time)?, after.strip_prefix(b"] \"")?))
        })?;
        let (address, user) = match user.strip_prefix(b"- ") {
            // `vhost:443 192.0.2.1 - ann [..`
            Some(user) if is_address(ident) && !is_address(address) => (ident, user),
            _ => (address, user),
        };
        let (request, rest) = quoted(rest)?;
        let (status, rest) = word(rest.strip_prefix(b" ")?)?;
        let status = match status {
            [a @ b'0'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9'] => {
                [a, b, c].iter().fold(0, |status, digit| status * 10 + u16::from(**digit - b'0'))
            }
            _ => return None,
        };
        let (bytes, mut rest) = word(rest).unwrap_or((rest, b""));
        let bytes = if bytes == b"-" { 0 } else { number(bytes)? };
        let mut agent: &[u8] = b"";
        if let Some((_, after)) = rest.strip_prefix(b"\"").and_then(quoted) {
            rest = after;
            if let Some((field, after)) = after.strip_prefix(b" \"").and_then(quoted) {
                (agent, rest) = (field, after);
            }
        }
        let took_us = unit.map_or_else(|| took(rest), |unit| unit.read(rest));
        Some(Self { address, user: none_if_dash(user), at, request, status, bytes, agent: none_if_dash(agent), took_us })
    }
}

/// Up to the next space, and what follows it.
fn word(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr(b' ', rest).filter(|end| *end > 0)?;
    Some((&rest[..end], &rest[end + 1..]))
}

/// Up to the quote that ends it, and what follows.
fn quoted(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut end = 0;
    loop {
        end += memchr2(b'"', b'\\', &rest[end..])?;
        if rest[end] == b'"' {
            return Some((&rest[..end], &rest[end + 1..]));
        }
        end += 2;
        if end > rest.len() {
            return None;
        }
    }
}

fn none_if_dash(field: &[u8]) -> &[u8] {
    if matches!(field, b"-" | b"\"\"") { b"" } else { field }
}

fn is_address(field: &[u8]) -> bool {
    std::str::from_utf8(field).is_ok_and(|field| field.parse::<std::net::IpAddr>().is_ok())
}

/// The time that a request took, in microseconds: `rt=0.123` anywhere, else a last word such as `0.123`.
fn took(mut rest: &[u8]) -> Option<u64> {
    let mut last = None;
    while let [first, after @ ..] = rest {
        rest = match first {
            b' ' => after,
            b'"' => {
                last = None;
                quoted(after).map_or(&b""[..], |(_, after)| after)
            }
            _ => {
                let (field, after) = word(rest).unwrap_or((rest, b""));
                if let Some(seconds) = field.strip_prefix(b"rt=").or(field.strip_prefix(b"request_time=")) {
                    return micros(seconds);
                }
                last = micros(field);
                after
            }
        };
    }
    last
}

/// Seconds with a fraction; a whole number could be anything.
fn micros(seconds: &[u8]) -> Option<u64> {
    let point = memchr(b'.', seconds)?;
    let (whole, fraction) = (number(&seconds[..point])?, &seconds[point + 1..]);
    let kept = &fraction[..fraction.len().min(6)];
    let fraction = number(fraction).and(number(kept))? * 10_u64.pow(6 - kept.len() as u32);
    whole.checked_mul(1_000_000)?.checked_add(fraction)
}

use std::ops::AddAssign;

use crate::store::varint;

/// How often a duration was how long: log-linear buckets, 16 to an octave, so that a percentile is off by at most 1/32.
///
/// Durations are in microseconds. Histograms add up, which percentiles do not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Histogram {
    /// The bucket of the first count. Requests of one kind take alike long, so a window is enough.
    first: usize,
    counts: Vec<u64>,
}

const SUB_BITS: u32 = 4;
const SUB: u64 = 1 << SUB_BITS;
/// About twelve days; whatever took longer counts as that.
const LONGEST: u64 = 1 << 40;
const VERSION: u8 = 1;

fn bucket(micros: u64) -> usize {
    let micros = micros.min(LONGEST);
    if micros < 2 * SUB {
        return micros as usize;
    }
    let shift = micros.ilog2() - SUB_BITS;
    ((u64::from(shift) << SUB_BITS) + (micros >> shift)) as usize
}

/// What lies in the middle of a bucket.
fn middle(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < 2 * SUB {
        return bucket;
    }
    let shift = (bucket >> SUB_BITS) - 1;
    let low = (bucket - (shift << SUB_BITS)) << shift;
    low + (1 << shift) / 2
}

/// The least that a bucket holds.
fn least(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < 2 * SUB {
        return bucket;
    }
    let shift = (bucket >> SUB_BITS) - 1;
    (bucket - (shift << SUB_BITS)) << shift
}

impl Histogram {
    pub(crate) fn add(&mut self, micros: u64) {
        *self.at(bucket(micros)) += 1;
    }

    fn at(&mut self, bucket: usize) -> &mut u64 {
        if self.counts.is_empty() {
            self.first = bucket;
        }
        if bucket < self.first {
            self.counts.splice(..0, std::iter::repeat_n(0, self.first - bucket));
            self.first = bucket;
        }
        let place = bucket - self.first;
        if place >= self.counts.len() {
            self.counts.resize(place + 1, 0);
        }
        &mut self.counts[place]
    }

    #[cfg(test)]
    fn len(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The duration that so great a share (0 to 1) did not exceed, in microseconds; `None` of nothing.
    pub(crate) fn quantile(&self, share: f64) -> Option<u64> {
        let all: u64 = self.counts.iter().sum();
        let rank = ((all as f64 * share).ceil() as u64).clamp(1, all.max(1));
        let mut seen = 0;
        let place = self.counts.iter().position(|count| {
            seen += count;
            seen >= rank
        })?;
        Some(middle(self.first + place))
    }

    /// The counts in steps of a quarter of an octave, from the first to the last that has any: from, up to without that, how many.
    pub(crate) fn steps(&self) -> Vec<(u64, u64, u64)> {
        const FINE: usize = SUB as usize / 4;
        let Some(first) = self.counts.iter().position(|count| *count > 0) else { return Vec::new() };
        let last = self.counts.iter().rposition(|count| *count > 0).unwrap_or(first);
        let (from, to) = ((self.first + first) / FINE, (self.first + last) / FINE);
        let mut counts = vec![0; to - from + 1];
        for (place, count) in self.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            counts[(self.first + place) / FINE - from] += count;
        }
        counts.into_iter().zip(from..).map(|(count, step)| (least(step * FINE), least((step + 1) * FINE), count)).collect()
    }

    /// A version, then the distance to the next bucket with a count, and the count, for each.
    pub(crate) fn to_blob(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        let mut before = 0;
        for (place, count) in self.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            varint::put(&mut bytes, (self.first + place - before) as u64);
            varint::put(&mut bytes, *count);
            before = self.first + place;
        }
        bytes
    }

    pub(crate) fn from_blob(blob: &[u8]) -> Option<Self> {
        let mut histogram = Self::default();
        histogram.add_blob(blob)?;
        Some(histogram)
    }

    /// Adds what lies on disk; `None` if that is damaged, and some of it may have been added then.
    pub(crate) fn add_blob(&mut self, blob: &[u8]) -> Option<()> {
        let (version, rest) = blob.split_first()?;
        let (mut numbers, mut place) = (varint::numbers(rest), 0);
        while let (Some(step), Some(count)) = (numbers.next(), numbers.next()) {
            place += usize::try_from(step).ok()?;
            if place > bucket(LONGEST) {
                return None;
            }
            // Mostly there is a place for it already.
            match place.checked_sub(self.first).and_then(|place| self.counts.get_mut(place)) {
                Some(known) => *known += count,
                None => *self.at(place) += count,
            }
        }
        (*version == VERSION).then_some(())
    }
}

impl AddAssign<&Self> for Histogram {
    fn add_assign(&mut self, other: &Self) {
        for (place, count) in other.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            *self.at(other.first + place) += count;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_bucket_is_off_by_a_thirty_second_at_most() {
        for micros in (0..5000).chain((0..3000).map(|n| n * n * 97 + 5000)) {
            let shown = middle(bucket(micros));
            assert!((shown as f64 - micros as f64).abs() <= micros as f64 / 32.0, "{micros} as {shown}");
        }
        assert_eq!(bucket(u64::MAX), bucket(LONGEST));
    }

    proptest! {
        #[test]
        fn quantiles_are_those_of_the_sorted_durations(mut all in prop::collection::vec(0_u64..10_000_000, 1..300), share in 0.0_f64..1.0) {
            let (mut left, mut right) = (Histogram::default(), Histogram::default());
            for (n, micros) in all.iter().enumerate() {
                if n % 3 == 0 { left.add(*micros) } else { right.add(*micros) }
            }
            left += &right;
            prop_assert_eq!(left.len(), all.len() as u64);
            prop_assert_eq!(Histogram::from_blob(&left.to_blob()).unwrap().to_blob(), left.to_blob());
            all.sort_unstable();
            let exact = all[((all.len() as f64 * share).ceil() as usize).clamp(1, all.len()) - 1] as f64;
            let found = left.quantile(share).unwrap() as f64;
            prop_assert!((found - exact).abs() <= exact / 32.0, "{} for {}", found, exact);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = Histogram::from_blob(&bytes);
        }
    }

    #[test]
    fn steps_hold_exactly_what_lies_between_their_edges() {
        let values: Vec<u64> = (0..2_000).map(|n: u64| n * n * 37 % 900_001).collect();
        let mut histogram = Histogram::default();
        values.iter().for_each(|value| histogram.add(*value));
        let steps = histogram.steps();
        assert_eq!(steps.iter().map(|(.., count)| count).sum::<u64>(), values.len() as u64);
        for pair in steps.windows(2) {
            assert_eq!(pair[0].1, pair[1].0, "no gaps");
        }
        for (from, to, count) in steps {
            assert_eq!(values.iter().filter(|value| (from..to).contains(*value)).count() as u64, count, "{from} to {to}");
        }
        assert!(Histogram::default().steps().is_empty());
    }
}

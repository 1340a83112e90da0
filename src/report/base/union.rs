//! Many sets of users as they lie on disk, joined at once when it is asked who they are, or only counted: joining one after the
//! other would copy what is there each time.

use roaring::RoaringBitmap;

use crate::store::bitmap::{self, Lows, PIECE};

/// Numbers of users or of visitors, each once.
#[derive(Clone, Debug, Default)]
pub(super) struct Crowd {
    set: RoaringBitmap,
    /// Sets still to be joined, as blobs that were found sound, one after the other, each after its length.
    more: Vec<u8>,
}

/// So many bytes wait at most.
const ENOUGH: usize = 256 << 10;
/// So many numbers of a set are put beside what waits one by one.
const FEW: u64 = 8192;

impl Crowd {
    /// Adds a set as it lies on disk; none if it is no set of ours.
    pub(super) fn add(&mut self, blob: &[u8]) -> Option<()> {
        if blob.is_empty() {
            return Some(());
        }
        bitmap::each(blob, |_, _| ())?;
        self.more.extend((blob.len() as u32).to_le_bytes());
        self.more.extend(blob);
        self.limit();
        Some(())
    }

    pub(super) fn insert(&mut self, number: u32) {
        self.set.insert(number);
    }

    pub(super) fn join(&mut self, other: &Self) {
        self.set |= &other.set;
        self.more.extend(&other.more);
        self.limit();
    }

    fn limit(&mut self) {
        if self.more.len() > ENOUGH {
            self.set = self.set(&mut Bits::default());
            self.more = Vec::new();
        }
    }

    pub(super) fn count(&self, bits: &mut Bits) -> u64 {
        if self.more.is_empty() {
            return self.set.len();
        }
        if self.set.len() > FEW {
            return self.set(bits).len();
        }
        self.each_waiting(|high, lows| bits.insert(high, lows));
        self.set.iter().for_each(|number| bits.insert((number >> 16) as u16, Lows::Listed(&[(number as u16).to_le_bytes()])));
        bits.count_and_clear()
    }

    pub(super) fn set(&self, bits: &mut Bits) -> RoaringBitmap {
        let mut set = self.set.clone();
        if self.more.is_empty() {
            return set;
        }
        self.each_waiting(|high, lows| bits.insert(high, lows));
        bits.take_into(&mut set);
        set
    }

    pub(super) fn is_empty(&self) -> bool {
        self.set.is_empty() && self.more.is_empty()
    }

    fn each_waiting(&self, mut show: impl FnMut(u16, Lows<'_>)) {
        let mut rest = &self.more[..];
        while let Some((length, after)) = rest.split_first_chunk() {
            let (blob, after) = after.split_at(u32::from_le_bytes(*length) as usize);
            // It was found sound when it came.
            let _ = bitmap::each(blob, &mut show);
            rest = after;
        }
    }
}

/// One bit a number, in pieces of 2^16; used for one set after the other.
#[derive(Debug, Default)]
pub(in crate::report) struct Bits {
    pieces: Vec<(u16, Box<[u8; PIECE]>)>,
    free: Vec<Box<[u8; PIECE]>>,
}

impl Bits {
    fn insert(&mut self, high: u16, lows: Lows<'_>) {
        let place = match self.pieces.binary_search_by_key(&high, |(high, _)| *high) {
            Ok(place) => place,
            Err(place) => {
                self.pieces.insert(place, (high, self.free.pop().unwrap_or_else(|| Box::new([0; PIECE]))));
                place
            }
        };
        let (_, bytes) = &mut self.pieces[place];
        match lows {
            Lows::Listed(lows) => {
                for low in lows {
                    let low = u16::from_le_bytes(*low);
                    bytes[usize::from(low >> 3)] |= 1 << (low & 7);
                }
            }
            Lows::Runs(runs) => {
                for [a, b, c, d] in runs {
                    let first = u16::from_le_bytes([*a, *b]);
                    for low in first..=first.saturating_add(u16::from_le_bytes([*c, *d])) {
                        bytes[usize::from(low >> 3)] |= 1 << (low & 7);
                    }
                }
            }
            Lows::Bits(more) => bytes.iter_mut().zip(more).for_each(|(byte, more)| *byte |= more),
        }
    }

    fn count_and_clear(&mut self) -> u64 {
        let mut count = 0;
        for (_, mut bytes) in self.pieces.drain(..) {
            count += bytes.as_chunks().0.iter().map(|word| u64::from(u64::from_le_bytes(*word).count_ones())).sum::<u64>();
            bytes.fill(0);
            self.free.push(bytes);
        }
        count
    }

    /// Joins everything to a set, and leaves nothing behind.
    fn take_into(&mut self, set: &mut RoaringBitmap) {
        for (high, mut bytes) in self.pieces.drain(..) {
            *set |= RoaringBitmap::from_lsb0_bytes(u32::from(high) << 16, &*bytes);
            bytes.fill(0);
            self.free.push(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn sets_joined_at_once_are_those_joined_one_by_one(
            sets in prop::collection::vec((prop::collection::vec(0_u32..200_000, 0..60), 0_u32..300_000, 0_u32..9000), 0..12),
        ) {
            let (mut crowd, mut both, mut expected, mut bits) =
                (Crowd::default(), Crowd::default(), RoaringBitmap::new(), Bits::default());
            for (single, start, length) in sets {
                let step = if start % 2 == 0 { 1 } else { 3 };
                let mut set: RoaringBitmap = single.iter().copied().chain((start..start + length).step_by(step)).collect();
                expected |= &set;
                let mut one = Crowd::default();
                one.add(&bitmap::to_blob(&mut set)).unwrap();
                prop_assert_eq!(one.set(&mut bits), set);
                both.join(&one);
                // Now and then a single hit's.
                if let Some(number) = single.first() {
                    crowd.insert(*number);
                }
                crowd.add(&bitmap::to_blob(&mut set)).unwrap();
                prop_assert_eq!(crowd.count(&mut bits), expected.len());
                prop_assert_eq!(both.count(&mut bits), expected.len());
            }
            prop_assert_eq!(crowd.set(&mut bits), expected.clone());
            prop_assert_eq!(both.set(&mut bits), expected);
        }
    }

    #[test]
    fn what_is_no_set_is_refused() {
        let (mut crowd, mut bits) = (Crowd::default(), Bits::default());
        let whole = bitmap::to_blob(&mut (0..20_000).step_by(2).chain(100_000..180_000).collect());
        for cut in [1, 3, 7, 20, 900, whole.len() - 1] {
            assert_eq!(crowd.add(&whole[..cut]), None, "{cut}");
        }
        assert_eq!(crowd.add(&[9, 0, 0]), None);
        assert!(crowd.is_empty());
        crowd.add(&whole).unwrap();
        assert_eq!(crowd.count(&mut bits), 90_000);
    }
}

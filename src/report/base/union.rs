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
    /// Pieces of the set when something was last joined to it.
    pieces: usize,
}

/// So many bytes wait at most: more if there are many users, as to join takes longer then.
const ENOUGH: std::ops::RangeInclusive<usize> = 64 << 10..=256 << 10;

impl Crowd {
    /// Adds a set as it lies on disk; none if it is no set of ours.
    pub(super) fn add(&mut self, blob: &[u8]) -> Option<()> {
        if blob.is_empty() {
            return Some(());
        }
        bitmap::each(blob, |_, _| ())?;
        if self.more.is_empty() {
            self.more.reserve(4 * (blob.len() + 4));
        }
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
        if self.more.len() > (4 * PIECE * self.pieces).clamp(*ENOUGH.start(), *ENOUGH.end()) {
            let mut bits = Bits::default();
            self.put_waiting(&mut bits);
            self.pieces = bits.pieces.len();
            bits.take_into(&mut self.set);
            self.more.clear();
        }
    }

    pub(super) fn count(&self, bits: &mut Bits) -> u64 {
        if self.more.is_empty() {
            return self.set.len();
        }
        self.put(bits);
        bits.count_and_clear(None)
    }

    /// How many are in each, and how many in all of them together.
    pub(super) fn count_each<'a>(crowds: impl Iterator<Item = &'a Self>, bits: &mut Bits) -> (Vec<u64>, u64) {
        let mut all = Bits::default();
        let count = |crowd: &Self| {
            crowd.put(bits);
            bits.count_and_clear(Some(&mut all))
        };
        let each = crowds.map(count).collect();
        (each, all.count_and_clear(None))
    }

    pub(super) fn set(&self, bits: &mut Bits) -> RoaringBitmap {
        let mut set = self.set.clone();
        if self.more.is_empty() {
            return set;
        }
        self.put_waiting(bits);
        bits.take_into(&mut set);
        set
    }

    fn put(&self, bits: &mut Bits) {
        self.put_waiting(bits);
        if !self.set.is_empty() {
            bitmap::each_of(&self.set, |high, lows| bits.insert(high, lows));
        }
    }

    fn put_waiting(&self, bits: &mut Bits) {
        let mut rest = &self.more[..];
        while let Some((length, after)) = rest.split_first_chunk() {
            let (blob, after) = after.split_at(u32::from_le_bytes(*length) as usize);
            // It was found sound when it came.
            let _ = bitmap::each(blob, |high, lows| bits.insert(high, lows));
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
        let bytes = self.piece(high);
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

    fn piece(&mut self, high: u16) -> &mut [u8; PIECE] {
        let place = self.pieces.binary_search_by_key(&high, |(high, _)| *high).unwrap_or_else(|place| {
            self.pieces.insert(place, (high, self.free.pop().unwrap_or_else(|| Box::new([0; PIECE]))));
            place
        });
        &mut self.pieces[place].1
    }

    /// Counts everything, and leaves nothing behind; what was there is joined to another.
    fn count_and_clear(&mut self, mut all: Option<&mut Self>) -> u64 {
        let mut count = 0;
        for (high, mut bytes) in self.pieces.drain(..) {
            count += bytes.as_chunks().0.iter().map(|word| u64::from(u64::from_le_bytes(*word).count_ones())).sum::<u64>();
            if let Some(all) = &mut all {
                all.piece(high).iter_mut().zip(&*bytes).for_each(|(byte, more)| *byte |= more);
            }
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
            let (mut crowds, mut counts) = (Vec::new(), Vec::new());
            for (single, start, length) in sets {
                let step = if start % 2 == 0 { 1 } else { 3 };
                let mut set: RoaringBitmap = single.iter().copied().chain((start..start + length).step_by(step)).collect();
                expected |= &set;
                let mut one = Crowd::default();
                one.add(&bitmap::to_blob(&mut set)).unwrap();
                prop_assert_eq!(&one.set(&mut bits), &set);
                both.join(&one);
                counts.push(set.len());
                crowds.push(one);
                // Now and then a single hit's.
                if let Some(number) = single.first() {
                    crowd.insert(*number);
                }
                crowd.add(&bitmap::to_blob(&mut set)).unwrap();
                prop_assert_eq!(crowd.count(&mut bits), expected.len());
                prop_assert_eq!(both.count(&mut bits), expected.len());
            }
            prop_assert_eq!(crowd.set(&mut bits), expected.clone());
            prop_assert_eq!(Crowd::count_each(crowds.iter(), &mut bits), (counts, expected.len()));
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
        assert_eq!(crowd.count(&mut bits), 0);
        crowd.add(&whole).unwrap();
        assert_eq!(crowd.count(&mut bits), 90_000);
    }
}

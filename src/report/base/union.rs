//! Many sets of users as they lie on disk, joined at once: joining one after the other would copy what is there each time.

use roaring::RoaringBitmap;

use crate::store::bitmap;

/// Sets still to be joined, as blobs one after the other, each after its length.
#[derive(Clone, Debug, Default)]
pub(super) struct Pending(Vec<u8>);

/// So many bytes wait at most.
const ENOUGH: usize = 256 << 10;

impl Pending {
    /// None if a blob is no set of ours.
    pub(super) fn add(&mut self, set: &mut RoaringBitmap, blob: &[u8], bits: &mut Bits) -> Option<()> {
        if blob.is_empty() {
            return Some(());
        }
        if set.is_empty() && self.0.is_empty() {
            *set = bitmap::from_blob(blob)?;
            return Some(());
        }
        self.0.extend((blob.len() as u32).to_le_bytes());
        self.0.extend(blob);
        if self.0.len() > ENOUGH { self.join(set, bits) } else { Some(()) }
    }

    pub(super) fn join(&mut self, set: &mut RoaringBitmap, bits: &mut Bits) -> Option<()> {
        let mut rest = &self.0[..];
        while let Some((length, after)) = rest.split_first_chunk() {
            let (blob, after) = after.split_at_checked(u32::from_le_bytes(*length) as usize)?;
            if !bitmap::each(blob, |high, lows| bits.insert(high, lows))? {
                // Runs and bitmaps are rare: Roaring reads them itself.
                *set |= bitmap::from_blob(blob)?;
            }
            rest = after;
        }
        self.0 = Vec::new();
        bits.take_into(set);
        Some(())
    }
}

/// One bit a number, in pieces of 2^16; used for one set after the other.
#[derive(Default)]
pub(super) struct Bits {
    pieces: Vec<(u16, Box<[u8; PIECE]>)>,
    free: Vec<Box<[u8; PIECE]>>,
}

const PIECE: usize = 1 << 13;

impl Bits {
    fn insert(&mut self, high: u16, lows: &[[u8; 2]]) {
        let place = match self.pieces.binary_search_by_key(&high, |(high, _)| *high) {
            Ok(place) => place,
            Err(place) => {
                self.pieces.insert(place, (high, self.free.pop().unwrap_or_else(|| Box::new([0; PIECE]))));
                place
            }
        };
        let (_, bytes) = &mut self.pieces[place];
        for low in lows {
            let low = u16::from_le_bytes(*low);
            bytes[usize::from(low >> 3)] |= 1 << (low & 7);
        }
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
            let (mut joined, mut expected, mut pending, mut bits) =
                (RoaringBitmap::new(), RoaringBitmap::new(), Pending::default(), Bits::default());
            for (single, start, length) in sets {
                let step = if start % 2 == 0 { 1 } else { 3 };
                let mut set: RoaringBitmap = single.into_iter().chain((start..start + length).step_by(step)).collect();
                expected |= &set;
                pending.add(&mut joined, &bitmap::to_blob(&mut set), &mut bits).unwrap();
            }
            pending.join(&mut joined, &mut bits).unwrap();
            prop_assert_eq!(joined, expected);
        }
    }
}

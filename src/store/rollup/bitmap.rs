//! Sets of user numbers as they lie on disk.

use roaring::RoaringBitmap;

use crate::store::varint;

/// Few numbers: the distance of each to the one before.
const LIST: u8 = 1;
/// Roaring's own portable form, <https://github.com/RoaringBitmap/RoaringFormatSpec>.
const ROARING: u8 = 2;
/// Up to so many numbers a list is the smaller form.
const LISTED: u64 = 8;

/// The same bytes for the same set, however it came to be; none for the empty set.
pub(crate) fn to_blob(set: &mut RoaringBitmap) -> Vec<u8> {
    let mut bytes = Vec::new();
    if set.len() <= LISTED {
        let mut before = 0;
        for number in set.iter() {
            bytes.extend((bytes.is_empty()).then_some(LIST));
            varint::put(&mut bytes, u64::from(number - before));
            before = number;
        }
        return bytes;
    }
    // A set that was once read with runs in it may keep them where an array would do.
    set.remove_run_compression();
    set.optimize();
    bytes.reserve(1 + set.serialized_size());
    bytes.push(ROARING);
    // Writing into memory does not fail.
    drop(set.serialize_into(&mut bytes));
    bytes
}

pub(crate) fn from_blob(blob: &[u8]) -> Option<RoaringBitmap> {
    match blob.split_first() {
        None => Some(RoaringBitmap::new()),
        Some((&LIST, rest)) => {
            let mut before = 0_u64;
            let number = |step: u64| {
                before = before.checked_add(step)?;
                u32::try_from(before).ok()
            };
            varint::numbers(rest).map(number).collect()
        }
        Some((&ROARING, rest)) => RoaringBitmap::deserialize_from(rest).ok(),
        Some(_) => None,
    }
}

/// Numbers with the same high half, as they lie on disk: their low halves.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Lows<'a> {
    /// Each in two bytes.
    Listed(&'a [[u8; 2]]),
    /// The first of each run, and how many come after it, in two bytes each.
    Runs(&'a [[u8; 4]]),
    /// One bit each.
    Bits(&'a [u8; PIECE]),
}

/// So many bytes hold a bit for each low half.
pub(crate) const PIECE: usize = 1 << 13;

/// Shows a set's numbers by their high half. None if it is damaged; some of it may have been shown then.
pub(crate) fn each(blob: &[u8], mut show: impl FnMut(u16, Lows<'_>)) -> Option<()> {
    match blob.split_first() {
        None => Some(()),
        Some((&LIST, rest)) => {
            let mut before = 0_u64;
            varint::numbers(rest).try_for_each(|step| {
                before = before.checked_add(step)?;
                let number = u32::try_from(before).ok()?;
                show((number >> 16) as u16, Lows::Listed(&[(number as u16).to_le_bytes()]));
                Some(())
            })
        }
        Some((&ROARING, rest)) => each_container(rest, show),
        Some(_) => None,
    }
}

/// Shows the numbers of a set that does not lie on disk.
pub(crate) fn each_of(set: &RoaringBitmap, show: impl FnMut(u16, Lows<'_>)) {
    let mut bytes = Vec::with_capacity(set.serialized_size());
    // Writing into memory does not fail, and what was just written is sound.
    drop(set.serialize_into(&mut bytes));
    let _ = each_container(&bytes, show);
}

/// The portable form: a cookie and the number of containers, which of them hold runs, of each its high half and how many numbers,
/// where it begins; then the low halves.
fn each_container(bytes: &[u8], mut show: impl FnMut(u16, Lows<'_>)) -> Option<()> {
    let (cookie, rest) = bytes.split_first_chunk()?;
    let cookie = u32::from_le_bytes(*cookie);
    let (count, runs, rest) = if cookie == NO_RUNS {
        let (count, rest) = rest.split_first_chunk()?;
        (u32::from_le_bytes(*count) as usize, &[][..], rest)
    } else if cookie & 0xffff == RUNS {
        let count = (cookie >> 16) as usize + 1;
        let (runs, rest) = rest.split_at_checked(count.div_ceil(8))?;
        (count, runs, rest)
    } else {
        return None;
    };
    let (heads, rest) = rest.split_at_checked(count.checked_mul(4)?)?;
    // They lie in order: where they begin need not be known.
    let mut rest = if runs.is_empty() || count >= LEAST_WITH_PLACES { rest.get(count * 4..)? } else { rest };
    for (place, [a, b, c, d]) in heads.as_chunks().0.iter().enumerate() {
        let (high, size) = (u16::from_le_bytes([*a, *b]), usize::from(u16::from_le_bytes([*c, *d])) + 1);
        let lows;
        if runs.get(place / 8).is_some_and(|runs| runs >> (place % 8) & 1 == 1) {
            let (count, after) = rest.split_first_chunk()?;
            (lows, rest) = after.split_at_checked(usize::from(u16::from_le_bytes(*count)) * 4)?;
            show(high, Lows::Runs(lows.as_chunks().0));
        } else if size > LONGEST_LIST {
            let (bits, after) = rest.split_first_chunk()?;
            rest = after;
            show(high, Lows::Bits(bits));
        } else {
            (lows, rest) = rest.split_at_checked(size * 2)?;
            show(high, Lows::Listed(lows.as_chunks().0));
        }
    }
    Some(())
}

/// The cookie of a set without runs, and half of the one of a set with some.
const NO_RUNS: u32 = 12_346;
const RUNS: u32 = 12_347;
/// A container of more numbers is one bit each.
const LONGEST_LIST: usize = 4096;
/// With runs and fewer containers it is not said where these begin.
const LEAST_WITH_PLACES: usize = 4;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_set_comes_back_and_its_bytes_do_not_tell_how_it_grew(
            starts in prop::collection::vec((any::<u32>(), 1_u32..3000), 0..8),
            single in prop::collection::vec(any::<u32>(), 0..100),
            from_disk in any::<bool>(),
        ) {
            let mut at_once: RoaringBitmap =
                starts.iter().flat_map(|(start, len)| *start..start.saturating_add(*len)).chain(single.iter().copied()).collect();
            let mut stored = Vec::new();
            for number in at_once.iter().step_by(2).chain(at_once.iter().skip(1).step_by(2)).collect::<Vec<_>>().chunks(97) {
                let mut set = from_blob(&stored).unwrap();
                set |= number.iter().copied().collect::<RoaringBitmap>();
                stored = to_blob(&mut set);
            }
            prop_assert_eq!(&from_blob(&stored).unwrap(), &at_once);
            let mut shown = RoaringBitmap::new();
            let mut show = |high, lows: Lows<'_>| {
                let high = u32::from(high) << 16;
                let low = |low: &[u8]| high | u32::from(u16::from_le_bytes([low[0], low[1]]));
                match lows {
                    Lows::Listed(lows) => shown.extend(lows.iter().map(|number| low(number))),
                    Lows::Runs(runs) => runs.iter().for_each(|run| {
                        shown.insert_range(low(run)..=low(run) + (low(&run[2..]) - high));
                    }),
                    Lows::Bits(bits) => shown |= RoaringBitmap::from_lsb0_bytes(high, bits),
                }
            };
            if from_disk { each(&stored, &mut show).unwrap() } else { each_of(&at_once, &mut show) }
            prop_assert_eq!(&shown, &at_once);
            prop_assert_eq!(stored, to_blob(&mut at_once));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = from_blob(&bytes);
            let _ = each(&bytes, |_, _| ());
        }
    }
}

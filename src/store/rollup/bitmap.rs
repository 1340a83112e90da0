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

/// Shows a set's numbers, those with the same high half together, each low half in two bytes; says no, and shows nothing, if
/// some of it does not lie on disk as a list of numbers. None if it is damaged.
pub(crate) fn each(blob: &[u8], mut show: impl FnMut(u16, &[[u8; 2]])) -> Option<bool> {
    let (form, bytes) = match blob.split_first() {
        None => return Some(true),
        Some((form, bytes)) => (*form, bytes),
    };
    if form == LIST {
        let mut before = 0_u64;
        let number = |step| {
            before = before.checked_add(step)?;
            let number = u32::try_from(before).ok()?;
            show((number >> 16) as u16, &[(number as u16).to_le_bytes()]);
            Some(true)
        };
        return varint::numbers(bytes).map(number).try_fold(true, |_, known| known.map(|_| true));
    }
    // The portable form: a cookie, the number of containers, of each its high half and how many numbers, where it begins; then
    // the low halves.
    let u32_at = |place: usize| Some(u32::from_le_bytes(*bytes.get(place..)?.first_chunk()?));
    if form != ROARING || u32_at(0)? != NO_RUNS {
        return (form == ROARING).then_some(false);
    }
    let count = u32_at(4)? as usize;
    let heads = bytes.get(8..)?.get(..count.checked_mul(4)?)?.as_chunks::<4>().0;
    let heads = || heads.iter().map(|[a, b, c, d]| (u16::from_le_bytes([*a, *b]), usize::from(u16::from_le_bytes([*c, *d])) + 1));
    if heads().any(|(_, size)| size > LONGEST_ARRAY) {
        return Some(false);
    }
    let mut rest = bytes.get(8 + count * 8..)?;
    for (high, size) in heads() {
        let (lows, after) = rest.split_at_checked(size * 2)?;
        show(high, lows.as_chunks().0);
        rest = after;
    }
    Some(true)
}

/// The cookie of a set without runs.
const NO_RUNS: u32 = 12_346;
/// A container of more numbers is a bitmap.
const LONGEST_ARRAY: usize = 4096;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_set_comes_back_and_its_bytes_do_not_tell_how_it_grew(
            starts in prop::collection::vec((any::<u32>(), 1_u32..3000), 0..8),
            single in prop::collection::vec(any::<u32>(), 0..100),
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
            let number = |high: u16, low: &[u8; 2]| u32::from(high) << 16 | u32::from(u16::from_le_bytes(*low));
            if each(&stored, |high, lows| shown.extend(lows.iter().map(|low| number(high, low)))).unwrap() {
                prop_assert_eq!(&shown, &at_once);
            }
            prop_assert_eq!(stored, to_blob(&mut at_once));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = from_blob(&bytes);
            let _ = each(&bytes, |_, _| ());
        }
    }
}

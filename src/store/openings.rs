//! What a session is told by, for those that no fold has put among the open ones yet: all else of them follows from their raw rows.

use std::num::NonZeroU64;

use hashbrown::HashMap;
use rusqlite::Connection;

use super::varint;
use crate::{clock::Month, hit::SessionId};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Opening {
    pub(super) key: u64,
    pub(super) visitor: Option<NonZeroU64>,
}

/// Those of a batch in one row: a row for each would be a good part of all writing.
pub(super) fn write(tx: &Connection, batch: u64, opened: impl ExactSizeIterator<Item = (SessionId, Opening)>) -> rusqlite::Result<()> {
    if opened.len() == 0 {
        return Ok(());
    }
    let mut bytes = Vec::with_capacity(opened.len() * 16);
    for (id, opening) in opened {
        let numbers = [id.month.number().unsigned_abs(), u64::from(id.number), opening.key, opening.visitor.map_or(0, NonZeroU64::get)];
        numbers.into_iter().for_each(|number| varint::put(&mut bytes, number));
    }
    let mut statement = tx.prepare_cached("insert or replace into openings (batch, sessions) values (?, ?)")?;
    statement.execute(rusqlite::params![batch as i64, bytes]).map(drop)
}

/// After a fold. Those of a batch whose raw rows are still to be written stay.
pub(super) fn forget(tx: &Connection, pending: u64) -> rusqlite::Result<()> {
    tx.prepare_cached("delete from openings where batch <> ?")?.execute([pending as i64]).map(drop)
}

pub(super) fn load(main: &Connection) -> rusqlite::Result<HashMap<SessionId, Opening>> {
    let mut openings = HashMap::new();
    let mut statement = main.prepare("select sessions from openings")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let numbers: Vec<u64> = varint::numbers(row.get_ref(0)?.as_blob()?).collect();
        for opening in numbers.chunks_exact(4) {
            let month = i64::try_from(opening[0]).ok().and_then(Month::from_number);
            let (Some(month), Ok(number)) = (month, u32::try_from(opening[1])) else { continue };
            openings.insert(SessionId { month, number }, Opening { key: opening[2], visitor: NonZeroU64::new(opening[3]) });
        }
    }
    Ok(openings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openings_come_back_as_they_went_in_and_go_with_the_fold() {
        let main = Connection::open_in_memory().unwrap();
        main.execute_batch(include_str!("analytics.sql")).unwrap();
        let id = |number| SessionId { month: Month::from_number(202_611).unwrap(), number };
        let opened: Vec<_> = [(1, 0, None), (2, u64::MAX, None), (u32::MAX, 7, NonZeroU64::new(u64::MAX))]
            .map(|(number, key, visitor)| (id(number), Opening { key, visitor }))
            .into();
        write(&main, 1, opened[..2].iter().copied()).unwrap();
        write(&main, 2, opened[2..].iter().copied()).unwrap();
        let loaded = load(&main).unwrap();
        assert_eq!(loaded.len(), 3);
        assert!(opened.iter().all(|(id, opening)| loaded[id] == *opening));
        forget(&main, 2).unwrap();
        assert_eq!(load(&main).unwrap().into_keys().collect::<Vec<_>>(), [id(u32::MAX)]);
    }
}

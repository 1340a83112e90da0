//! What was folded goes into the tables: added to the rows that are there.

use std::borrow::Cow;

use hashbrown::HashMap;
use rusqlite::{CachedStatement, Connection, OptionalExtension, ToSql, params};

use super::{
    bitmap,
    cell::{Cell, Sums},
    fold::Fold,
    key::{Audience, Dimension, Group, Value, of_device},
    user_total,
};
use crate::{store::devices::Devices, zone::Day};

/// Adds a part's fold to its roll-ups; gives the bytes of all blobs written. Nothing of the fold changes, so that it
/// can be tried again after an error.
pub(in crate::store) fn write(tx: &Connection, part: i64, fold: &Fold, devices: &Devices) -> rusqlite::Result<usize> {
    let mut bytes = 0;
    let mut slots = Table::open(tx, include_str!("slot_get.sql"), include_str!("slot_set.sql"), include_str!("slot_new.sql"), true)?;
    for (key, cell) in fold.cells.iter().filter(|(key, _)| key.group == Group::Slot) {
        bytes += slots.add(&[&part, &(key.audience as i64), &key.when], cell)?;
    }
    let mut daily = Table::open(tx, include_str!("daily_get.sql"), include_str!("daily_set.sql"), include_str!("daily_new.sql"), false)?;
    let mut rows: Vec<_> = taken_apart(fold, devices).into_iter().collect();
    rows.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    for ((dimension, audience, day, value), cell) in rows {
        bytes += daily.add(&[&part, &(audience as i64), &(dimension as i64), &day, &value], &cell)?;
    }
    user_total::write(tx, part, fold.users.iter())?;
    Ok(bytes)
}

/// Rows of `daily_metrics`: devices become all, platform, version, name and bot class.
fn taken_apart<'a>(fold: &'a Fold, devices: &Devices) -> HashMap<(Dimension, Audience, Day, Value), Cow<'a, Cell>> {
    let mut rows: HashMap<_, Cow<'a, Cell>> = HashMap::new();
    for (key, cell) in fold.cells.iter() {
        let mut add = |dimension, value| {
            let row = rows.entry((dimension, key.audience, key.when, value));
            row.and_modify(|sum| *sum.to_mut() += cell).or_insert(Cow::Borrowed(cell));
        };
        match key.group {
            Group::Slot => {}
            Group::Endpoint => add(Dimension::Endpoint, Value::Number(key.value)),
            Group::Failure => add(Dimension::Failure, Value::Number(key.value)),
            Group::Error => add(Dimension::Error, Value::Number(key.value)),
            Group::Device => of_device(devices.get(key.value)).for_each(|(dimension, value)| add(dimension, value)),
        }
    }
    rows
}

/// A table of cells, by the statements that find, change and add a row.
struct Table<'a> {
    get: CachedStatement<'a>,
    set: CachedStatement<'a>,
    new: CachedStatement<'a>,
    /// Whether it keeps the first and the last raw row.
    has_rows: bool,
}

impl<'a> Table<'a> {
    fn open(tx: &'a Connection, get: &str, set: &str, new: &str, has_rows: bool) -> rusqlite::Result<Self> {
        Ok(Self { get: tx.prepare_cached(get)?, set: tx.prepare_cached(set)?, new: tx.prepare_cached(new)?, has_rows })
    }

    fn add(&mut self, key: &[&dyn ToSql], cell: &Cell) -> rusqlite::Result<usize> {
        let there = |row: &rusqlite::Row<'_>| {
            let rows = row.get::<_, Option<i64>>(1)?.zip(row.get(2)?);
            let mut sum = Cell::read(row, 3)?;
            sum.rows = rows;
            Ok((row.get::<_, i64>(0)?, sum))
        };
        let found = self.get.query_row(key, there).optional()?;
        let (id, mut cell) = match found {
            Some((id, mut sum)) => {
                sum += cell;
                (Some(id), sum)
            }
            None => (None, cell.clone()),
        };
        let blobs = [cell.latency.to_blob(), bitmap::to_blob(&mut cell.users), bitmap::to_blob(&mut cell.visitors)];
        let sums = cell.sums.values();
        let (first, last) = cell.rows.unzip();
        let mut row: Vec<&dyn ToSql> = sums.iter().map(|sum| sum as &dyn ToSql).collect();
        row.extend(blobs.iter().map(|blob| blob as &dyn ToSql));
        row.extend(self.has_rows.then_some([&first as &dyn ToSql, &last]).into_iter().flatten());
        match &id {
            Some(id) => row.push(id),
            None => drop(row.splice(0..0, key.iter().copied())),
        }
        if id.is_some() {
            self.set.execute(&*row)?
        } else {
            self.new.execute(&*row)?
        };
        Ok(blobs.iter().map(Vec::len).sum::<usize>() + Sums::COLUMNS * 2)
    }
}

/// Everything that follows from raw rows, each row of it naming its part.
const TABLES: [&str; 4] = ["aggregated_metrics", "daily_metrics", "part_totals", "user_totals"];

/// Takes back everything that follows from a part, before it is made anew.
pub(in crate::store) fn delete(tx: &Connection, part: i64) -> rusqlite::Result<()> {
    for table in TABLES {
        tx.prepare_cached(&format!("delete from {table} where part = ?"))?.execute(params![part])?;
    }
    Ok(())
}

/// Puts what was made aside, under a number of its own, in the place of a part's roll-ups.
pub(in crate::store) fn replace(tx: &Connection, part: i64, aside: i64) -> rusqlite::Result<()> {
    delete(tx, part)?;
    for table in TABLES {
        tx.prepare_cached(&format!("update {table} set part = ? where part = ?"))?.execute(params![part, aside])?;
    }
    Ok(())
}

/// Takes back what a reprocess had made aside when the last writer stopped.
pub(in crate::store) fn delete_aside(tx: &Connection) -> rusqlite::Result<()> {
    TABLES.iter().try_for_each(|table| tx.execute(&format!("delete from {table} where part < 0"), []).map(drop))
}

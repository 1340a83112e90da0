//! A part that is complete gets one row for each value of each dimension, so that long ranges need not read its days.

use rusqlite::{Connection, params, params_from_iter, types::Value as Sql};

use super::{bitmap, cell::Cell, key::Value};

/// Adds up a part's days. Its UTC days lie in it whole, so of its visitors a number is enough.
pub(in crate::store) fn write(tx: &Connection, part: i64) -> rusqlite::Result<()> {
    tx.prepare_cached("delete from part_totals where part = ?")?.execute(params![part])?;
    let mut statement = tx.prepare_cached(include_str!("totals.sql"))?;
    let mut rows = statement.query([part])?;
    let mut sum: Option<(i64, i64, Value, Cell)> = None;
    while let Some(row) = rows.next()? {
        let (audience, dimension, value) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let cell = Cell::read(row, 3)?;
        match &mut sum {
            Some((a, d, v, sum)) if (*a, *d, &*v) == (audience, dimension, &value) => *sum += &cell,
            _ => {
                if let Some(full) = sum.replace((audience, dimension, value, cell)) {
                    put(tx, part, full)?;
                }
            }
        }
    }
    sum.map_or(Ok(()), |full| put(tx, part, full))
}

fn put(tx: &Connection, part: i64, (audience, dimension, value, mut cell): (i64, i64, Value, Cell)) -> rusqlite::Result<()> {
    let value = match value {
        Value::Number(number) => Sql::Integer(number),
        Value::Name(name) => Sql::Text(name.into()),
    };
    let key = [Sql::Integer(part), Sql::Integer(audience), Sql::Integer(dimension), value];
    let sums = cell.sums.values().map(Sql::Integer);
    let blobs = [cell.latency.to_blob(), bitmap::to_blob(&mut cell.users)].map(Sql::Blob);
    let visitors = Sql::Integer(cell.visitors.len() as i64);
    let row = key.into_iter().chain(sums).chain(blobs).chain([visitors]);
    tx.prepare_cached(include_str!("total_new.sql"))?.execute(params_from_iter(row)).map(drop)
}

/// Days were added after the totals were made: they no longer hold.
pub(in crate::store) fn forget(tx: &Connection, part: i64) -> rusqlite::Result<()> {
    tx.prepare_cached("delete from part_totals where part = ?")?.execute(params![part]).map(drop)
}

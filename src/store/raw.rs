use rusqlite::{CachedStatement, Connection, OptionalExtension, params};

use super::outcome::Packed;
use crate::clock::Month;

/// One hit as it lies on disk: integers only.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) id: i64,
    /// Milliseconds since the month's start.
    pub(crate) at: i64,
    pub(crate) session: u32,
    pub(crate) user: u32,
    pub(crate) endpoint: u32,
    pub(crate) device: u32,
    pub(crate) outcome: Packed,
    pub(crate) head_us: i64,
    pub(crate) body_us: i64,
    pub(crate) bytes_in: i64,
    pub(crate) bytes_out: i64,
    pub(crate) error: u32,
}

impl Row {
    /// In the place of a time that is not known.
    pub(crate) const UNTIMED: i64 = -1;

    /// Microseconds to the head, if they are known.
    pub(crate) fn latency(&self) -> Option<u64> {
        u64::try_from(self.head_us).ok()
    }

    /// Whose hit it is and how it ended; everything else is zero.
    fn read_who(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            at: row.get(1)?,
            session: row.get(2)?,
            user: row.get(3)?,
            endpoint: row.get(4)?,
            device: row.get(5)?,
            outcome: Packed(row.get(6)?),
            head_us: 0,
            body_us: 0,
            bytes_in: 0,
            bytes_out: 0,
            error: 0,
        })
    }

    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            head_us: row.get(7)?,
            body_us: row.get(8)?,
            bytes_in: row.get(9)?,
            bytes_out: row.get(10)?,
            error: row.get(11)?,
            ..Self::read_who(row)?
        })
    }
}

pub(super) fn insert(tx: &Connection, month: Month, rows: &[Row]) -> rusqlite::Result<()> {
    let single = for_month(include_str!("raw_insert.sql"), month);
    let values = single.rsplit_once("values").map_or("", |(_, values)| values.trim());
    // Beginning and ending a statement is a good part of a row's cost.
    let many = format!("{}{}", single.trim_end(), format!(", {values}").repeat(ROWS_A_STATEMENT - 1));
    let (full, rest) = rows.as_chunks::<ROWS_A_STATEMENT>();
    let mut statement = tx.prepare_cached(&many)?;
    full.iter().try_for_each(|rows| insert_with(&mut statement, rows))?;
    let mut statement = tx.prepare_cached(&single)?;
    rest.chunks(1).try_for_each(|row| insert_with(&mut statement, row))
}

const ROWS_A_STATEMENT: usize = 16;

fn insert_with(statement: &mut CachedStatement<'_>, rows: &[Row]) -> rusqlite::Result<()> {
    let mut place = 0;
    for row in rows {
        let Row { id, at, session, user, endpoint, device, outcome, head_us, body_us, bytes_in, bytes_out, error } = *row;
        let [session, user, endpoint, device, error] = [session, user, endpoint, device, error].map(i64::from);
        for value in [id, at, session, user, endpoint, device, outcome.0, head_us, body_us, bytes_in, bytes_out, error] {
            place += 1;
            statement.raw_bind_parameter(place, value)?;
        }
    }
    statement.raw_execute().map(drop)
}

/// Reads rows after one and up to another, in order, at most so many.
pub(super) fn slice(
    part: &Connection,
    month: Month,
    after: i64,
    up_to: i64,
    limit: usize,
    mut each: impl FnMut(Row),
) -> rusqlite::Result<()> {
    let mut statement = part.prepare_cached(&for_month(include_str!("raw_slice.sql"), month))?;
    let mut rows = statement.query(params![after, up_to, limit as i64])?;
    while let Some(row) = rows.next()? {
        each(Row::read(row)?);
    }
    Ok(())
}

const COLUMNS: &str = "id, at, session, user, endpoint, device, outcome, head_us, body_us, bytes_in, bytes_out, error";
const WHO: &str = "id, at, session, user, endpoint, device, outcome";

/// How much of each row is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Columns {
    All,
    /// Whose hit it is and how it ended; everything else is zero.
    Who,
}

/// Reads rows from one to another for which `only`, such as ` and endpoint in (1, 2)`, is so.
pub(crate) fn scan(
    part: &Connection,
    month: Month,
    columns: Columns,
    only: &str,
    (first, last): (i64, i64),
    mut each: impl FnMut(&Row),
) -> rusqlite::Result<()> {
    let (names, read): (_, fn(&rusqlite::Row<'_>) -> rusqlite::Result<Row>) = match columns {
        Columns::All => (COLUMNS, Row::read),
        Columns::Who => (WHO, Row::read_who),
    };
    let sql = format!("select {names} from session_actions_NNNNNN where id between ? and ?{only}");
    let mut statement = part.prepare(&for_month(&sql, month))?;
    let mut rows = statement.query([first, last])?;
    while let Some(row) = rows.next()? {
        each(&read(row)?);
    }
    Ok(())
}

/// The least number of a session that one of these rows opens.
pub(crate) fn first_opened(part: &Connection, month: Month, (first, last): (i64, i64)) -> rusqlite::Result<Option<u32>> {
    let sql = format!("select min(session) from session_actions_NNNNNN where id between ? and ? and outcome & {} <> 0", Packed::OPENS);
    part.prepare_cached(&for_month(&sql, month))?.query_row([first, last], |row| row.get(0))
}

/// One row by its number.
pub(crate) fn one(part: &Connection, month: Month, id: i64) -> rusqlite::Result<Option<Row>> {
    let sql = format!("select {COLUMNS} from session_actions_NNNNNN where id = ?");
    part.prepare_cached(&for_month(&sql, month))?.query_row([id], Row::read).optional()
}

/// Takes back the newest rows from one on; gives how many.
pub(super) fn cut_off(part: &Connection, month: Month, from: i64) -> rusqlite::Result<usize> {
    part.execute(&for_month("delete from session_actions_NNNNNN where id >= ?", month), [from])
}

pub(super) fn last(part: &Connection, month: Month) -> rusqlite::Result<i64> {
    part.query_row(&for_month("select max(coalesce(max(id), 0), (select since from part)) from session_actions_NNNNNN", month), [], |row| {
        row.get(0)
    })
}

/// Table names come from a [`Month`] and from nothing else.
pub(crate) fn for_month(sql: &str, month: Month) -> String {
    sql.replace("NNNNNN", &month.to_string())
}

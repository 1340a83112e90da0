use std::ops::AddAssign;

use roaring::RoaringBitmap;
use rusqlite::{Row as SqlRow, types::Type};

use super::bitmap;
pub(crate) use super::histogram::Histogram;

use crate::{
    clock::DAY_MS,
    store::{raw::Row, visitors::FIRST_VISITOR},
};

/// What adds up. Times are in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) hits: i64,
    pub(crate) actions: i64,
    /// Sessions that began here.
    pub(crate) sessions: i64,
    /// The time of those sessions, wherever their later hits fell.
    pub(crate) time: i64,
    pub(crate) errors: i64,
    pub(crate) client_errors: i64,
    pub(crate) aborted: i64,
    pub(crate) bytes_in: i64,
    pub(crate) bytes_out: i64,
}

impl Sums {
    pub(crate) const COLUMNS: usize = 9;

    /// What a hit adds to whatever it counts under; sessions and their time are counted apart.
    pub(crate) fn of(row: &Row) -> Self {
        Self {
            hits: 1,
            actions: i64::from(row.outcome.is_action()),
            sessions: 0,
            time: 0,
            errors: i64::from(row.outcome.is_error()),
            client_errors: i64::from(row.outcome.is_client_error()),
            aborted: i64::from(row.outcome.is_aborted()),
            bytes_in: row.bytes_in,
            bytes_out: row.bytes_out,
        }
    }

    pub(super) fn values(&self) -> [i64; Self::COLUMNS] {
        let Self { hits, actions, sessions, time, errors, client_errors, aborted, bytes_in, bytes_out } = *self;
        [hits, actions, sessions, time, errors, client_errors, aborted, bytes_in, bytes_out]
    }

    pub(super) fn of_values(values: [i64; Self::COLUMNS]) -> Self {
        let [hits, actions, sessions, time, errors, client_errors, aborted, bytes_in, bytes_out] = values;
        Self { hits, actions, sessions, time, errors, client_errors, aborted, bytes_in, bytes_out }
    }
}

impl AddAssign for Sums {
    fn add_assign(&mut self, other: Self) {
        self.hits += other.hits;
        self.actions += other.actions;
        self.sessions += other.sessions;
        self.time += other.time;
        self.errors += other.errors;
        self.client_errors += other.client_errors;
        self.aborted += other.aborted;
        // What an app says of lengths may be anything.
        self.bytes_in = self.bytes_in.saturating_add(other.bytes_in);
        self.bytes_out = self.bytes_out.saturating_add(other.bytes_out);
    }
}

/// One row of a roll-up: sums, how long it took, and who it was.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Cell {
    pub(crate) sums: Sums,
    /// From the call to the head of the response.
    pub(crate) latency: Histogram,
    /// Numbers of users, below 2^31.
    pub(crate) users: RoaringBitmap,
    /// Visitors of each UTC day of the part's month, see [`visitor`].
    pub(crate) visitors: RoaringBitmap,
    /// First and last raw row; of slots alone.
    pub(super) rows: Option<(i64, i64)>,
}

/// A visitor's number means something within its UTC day alone: the day of the month stands before it.
pub(super) fn visitor(day_of_month: u32, number: u32) -> u32 {
    day_of_month << VISITOR_BITS | number & ((1 << VISITOR_BITS) - 1)
}

/// The visitor of a raw row, as it stands in a bitmap of its part.
pub(crate) fn visitor_at(row: &Row) -> u32 {
    visitor((row.at / DAY_MS) as u32, row.user.wrapping_sub(FIRST_VISITOR))
}

/// More visitors than this number cannot be told apart in a day.
const VISITOR_BITS: u32 = 24;

impl Cell {
    /// From columns as they stand in all roll-ups: the sums, then latency, users and visitors.
    pub(crate) fn read(row: &SqlRow<'_>, first: usize) -> rusqlite::Result<Self> {
        let mut cell = Self { sums: sums(row, first)?, ..Self::default() };
        let blobs = first + Sums::COLUMNS;
        cell.latency = histogram_at(row, blobs)?;
        cell.users = bitmap_at(row, blobs + 1)?;
        cell.visitors = bitmap_at(row, blobs + 2)?;
        Ok(cell)
    }
}

impl AddAssign<&Self> for Cell {
    fn add_assign(&mut self, other: &Self) {
        self.sums += other.sums;
        self.latency += &other.latency;
        self.users |= &other.users;
        self.visitors |= &other.visitors;
        self.rows = match (self.rows, other.rows) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (one, other) => one.or(other),
        };
    }
}

pub(crate) fn sums(row: &SqlRow<'_>, first: usize) -> rusqlite::Result<Sums> {
    let mut values = [0; Sums::COLUMNS];
    for (place, value) in values.iter_mut().enumerate() {
        *value = row.get(first + place)?;
    }
    Ok(Sums::of_values(values))
}

fn histogram_at(row: &SqlRow<'_>, column: usize) -> rusqlite::Result<Histogram> {
    Histogram::from_blob(row.get_ref(column)?.as_blob()?).ok_or_else(|| damaged(column))
}

fn bitmap_at(row: &SqlRow<'_>, column: usize) -> rusqlite::Result<RoaringBitmap> {
    bitmap::from_blob(row.get_ref(column)?.as_blob()?).ok_or_else(|| damaged(column))
}

pub(crate) fn damaged(column: usize) -> rusqlite::Error {
    let advice = "a roll-up is damaged or was written by a newer version: `reprocess` makes it anew from the raw hits";
    rusqlite::Error::FromSqlConversionFailure(column, Type::Blob, advice.into())
}

use std::time::Duration;

use roaring::RoaringBitmap;
use rusqlite::{Row as SqlRow, types::ValueRef};

use crate::{
    report::base::{
        group::Grouping,
        union::{Bits, Pending},
        view::View,
    },
    store::{FIRST_VISITOR, Histogram, Row, Sums, cell, visitor_at},
};

/// Sums of a range, and who was in it.
#[derive(Clone, Debug, Default)]
pub(in crate::report) struct Metric {
    pub(in crate::report) sums: Sums,
    pub(in crate::report) users: RoaringBitmap,
    pub(in crate::report) visitors: u64,
    pub(super) latency: Histogram,
    /// Users since the moment that was said, of single hits alone.
    pub(super) recent: RoaringBitmap,
    /// Visitors of the part that is being read: within it they are joined, from part to part their numbers are added.
    pub(super) here: RoaringBitmap,
    /// Users and visitors that are still to be joined.
    more_users: Pending,
    more_here: Pending,
    /// Sessions of that part whose time is still to be looked up.
    pub(super) sessions_here: RoaringBitmap,
}

/// How long it took to the head of the response: half of the hits at most so long, and so on. Off by 1/32 at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Latency {
    /// The median.
    pub p50: Duration,
    /// Nineteen of twenty took at most so long.
    pub p95: Duration,
    /// All but one of a hundred took at most so long.
    pub p99: Duration,
}

impl Metric {
    /// Users, each person once.
    pub(in crate::report) fn count_users(&self, view: &View<'_, '_>) -> u64 {
        if view.aliases.is_empty() { self.users.len() } else { view.persons(&self.users).len() }
    }

    pub(in crate::report) fn count_recent(&self, view: &View<'_, '_>) -> u64 {
        view.persons(&self.recent).len()
    }

    pub(in crate::report) fn latency(&self) -> Latency {
        let at = |share| Duration::from_micros(self.latency.quantile(share).unwrap_or_default());
        Latency { p50: at(0.5), p95: at(0.95), p99: at(0.99) }
    }

    /// From, up to without that, how many; in microseconds.
    pub(in crate::report) fn latency_steps(&self) -> Vec<(u64, u64, u64)> {
        self.latency.steps()
    }

    pub(in crate::report) fn hits(&self) -> u64 {
        self.sums.hits.unsigned_abs()
    }

    pub(in crate::report) fn errors(&self) -> u64 {
        self.sums.errors.unsigned_abs()
    }

    pub(in crate::report) fn sessions(&self) -> u64 {
        self.sums.sessions.unsigned_abs()
    }

    /// Joins what another group counted.
    pub(in crate::report) fn join(&mut self, other: &Self) {
        self.sums += other.sums;
        self.latency += &other.latency;
        self.users |= &other.users;
        self.visitors += other.visitors;
    }

    /// Adds a row of a roll-up, of its blobs those that are asked for: they lie after the sums, and these begin at a column.
    pub(super) fn add(&mut self, row: &SqlRow<'_>, first: usize, asked: &Grouping<'_>, bits: &mut Bits) -> rusqlite::Result<()> {
        self.sums += cell::sums(row, first)?;
        let column = first + Sums::COLUMNS;
        let blob = |column| row.get_ref(column)?.as_blob().map_err(rusqlite::Error::from);
        if asked.latency {
            self.latency.add_blob(blob(column)?).ok_or_else(|| cell::damaged(column))?;
        }
        self.more_users.add(&mut self.users, blob(column + 1)?, bits).ok_or_else(|| cell::damaged(column + 1))?;
        match row.get_ref(column + 2)? {
            // Of whole parts a number is enough.
            ValueRef::Integer(visitors) => self.visitors += visitors.unsigned_abs(),
            ValueRef::Blob(visitors) if asked.visitors => {
                self.more_here.add(&mut self.here, visitors, bits).ok_or_else(|| cell::damaged(column + 2))?;
            }
            _ => {}
        }
        Ok(())
    }

    pub(super) fn add_row(&mut self, row: &Row) {
        self.sums += row.sums();
        if let Some(latency) = row.latency() {
            self.latency.add(latency);
        }
        if row.user >= FIRST_VISITOR {
            self.here.insert(visitor_at(row));
        } else if row.user != 0 {
            self.users.insert(row.user);
        }
    }

    pub(super) fn end_part(&mut self, bits: &mut Bits) -> Option<()> {
        self.more_here.join(&mut self.here, bits)?;
        self.visitors += self.here.len();
        self.here.clear();
        Some(())
    }

    pub(super) fn end(&mut self, bits: &mut Bits) -> Option<()> {
        self.more_users.join(&mut self.users, bits)
    }
}

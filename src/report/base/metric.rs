use std::time::Duration;

use roaring::RoaringBitmap;

use crate::{
    report::base::view::View,
    store::{Cell, FIRST_VISITOR, Histogram, Row, Sums, visitor_at},
};

/// Sums of a range, and who was in it.
#[derive(Clone, Debug, Default)]
pub(in crate::report) struct Metric {
    pub(in crate::report) sums: Sums,
    pub(in crate::report) users: RoaringBitmap,
    pub(in crate::report) visitors: u64,
    pub(super) latency: Histogram,
    /// Visitors of the part that is being read: within it they are joined, from part to part their numbers are added.
    pub(super) here: RoaringBitmap,
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

    pub(in crate::report) fn latency(&self) -> Latency {
        let at = |share| Duration::from_micros(self.latency.quantile(share).unwrap_or_default());
        Latency { p50: at(0.5), p95: at(0.95), p99: at(0.99) }
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

    pub(super) fn add(&mut self, cell: &Cell) {
        self.sums += cell.sums;
        self.latency += &cell.latency;
        self.users |= &cell.users;
        self.here |= &cell.visitors;
    }

    pub(super) fn add_row(&mut self, row: &Row) {
        self.sums += row.sums();
        self.latency.add(row.head_us.unsigned_abs());
        if row.user >= FIRST_VISITOR {
            self.here.insert(visitor_at(row));
        } else if row.user != 0 {
            self.users.insert(row.user);
        }
    }

    pub(super) fn end_part(&mut self) {
        self.visitors += self.here.len();
        self.here.clear();
    }
}

use std::time::Duration;

use roaring::RoaringBitmap;
use rusqlite::{Row as SqlRow, types::ValueRef};

use crate::{
    report::base::{
        grouping::{Counted, Grouping},
        union::{Bits, Crowd},
        view::View,
    },
    store::{FIRST_VISITOR, Histogram, Row, Sums, Value, cell, visitor_at},
};

/// Sums of a range, and who was in it.
#[derive(Clone, Debug, Default)]
pub(in crate::report) struct Metric {
    pub(in crate::report) sums: Sums,
    users: Crowd,
    pub(in crate::report) visitors: u64,
    pub(super) latency: Histogram,
    /// Users since the moment that was said, of single hits alone.
    pub(super) recent: RoaringBitmap,
    /// Visitors of the part that is being read: within it they are joined, from part to part their numbers are added.
    here: Crowd,
    /// Sessions of that part whose time is still to be looked up.
    pub(super) sessions_here: RoaringBitmap,
}

/// By place in time and by what they were grouped by.
pub(in crate::report) type Groups = hashbrown::HashMap<(usize, Value), Metric>;

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
        if view.aliases.is_empty() { self.users.count(&mut view.bits.borrow_mut()) } else { self.persons(view).len() }
    }

    /// How many people are in each of some, and how many in all of them together.
    pub(in crate::report) fn count_each<'a>(metrics: impl Iterator<Item = &'a Self>, view: &View<'_, '_>) -> (Vec<u64>, u64) {
        if view.aliases.is_empty() {
            return Crowd::count_each(metrics.map(|metric| &metric.users), &mut view.bits.borrow_mut());
        }
        let mut all = RoaringBitmap::new();
        let count = |metric: &Self| {
            let persons = metric.persons(view);
            all |= &persons;
            persons.len()
        };
        let each = metrics.map(count).collect();
        (each, all.len())
    }

    /// People, each once.
    pub(in crate::report) fn persons(&self, view: &View<'_, '_>) -> RoaringBitmap {
        let mut persons = self.users.set(&mut view.bits.borrow_mut());
        view.aliases.apply(&mut persons);
        persons
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
        self.join_sums(other);
        self.users.join(&other.users);
    }

    /// The same without users.
    pub(in crate::report) fn join_sums(&mut self, other: &Self) {
        self.sums += other.sums;
        self.latency += &other.latency;
        self.visitors += other.visitors;
    }

    /// Joins what single hits of the part that is being read were added up to.
    pub(super) fn join_hits(&mut self, hits: &Self) {
        self.join(hits);
        self.recent |= &hits.recent;
        self.here.join(&hits.here);
        self.sessions_here |= &hits.sessions_here;
    }

    /// Adds a row of a roll-up, of its sums and blobs those that are asked for. They begin at a column.
    pub(super) fn add(&mut self, row: &SqlRow<'_>, first: usize, asked: &Grouping<'_>) -> rusqlite::Result<()> {
        let column = first + asked.counted.add(&mut self.sums, row, first)?;
        let blob = |column| row.get_ref(column)?.as_blob().map_err(rusqlite::Error::from);
        if asked.latency {
            self.latency.add_blob(blob(column)?).ok_or_else(|| cell::damaged(column))?;
        }
        if asked.users {
            self.users.add(blob(column + 1)?).ok_or_else(|| cell::damaged(column + 1))?;
        }
        match row.get_ref(column + 2)? {
            // Of whole parts a number is enough.
            ValueRef::Integer(visitors) => self.visitors += visitors.unsigned_abs(),
            ValueRef::Blob(visitors) if asked.visitors => {
                self.here.add(visitors).ok_or_else(|| cell::damaged(column + 2))?;
            }
            _ => {}
        }
        Ok(())
    }

    pub(super) fn add_row(&mut self, row: &Row, asked: &Grouping<'_>) {
        self.sums += Sums::of(row);
        if let Some(latency) = row.latency().filter(|_| asked.latency) {
            self.latency.add(latency);
        }
        if row.user >= FIRST_VISITOR {
            if asked.visitors {
                self.here.insert(visitor_at(row));
            }
        } else if row.user != 0 && asked.users {
            self.users.insert(row.user);
        }
    }

    pub(super) fn end_part(&mut self, bits: &mut Bits) {
        self.visitors += self.here.count(bits);
        self.here = Crowd::default();
    }
}

impl Counted {
    /// The columns that are read, in the order of their table.
    pub(super) fn columns(self) -> &'static str {
        match self {
            Self::All | Self::Single => ALL_SUMS,
            Self::Faults => "hits, errors, client_errors, aborted",
            Self::Visits => "hits, sessions",
            Self::Hits => "hits",
        }
    }

    /// Adds them; gives how many columns they are.
    fn add(self, sums: &mut Sums, row: &SqlRow<'_>, first: usize) -> rusqlite::Result<usize> {
        let at = |place: usize| row.get::<_, i64>(first + place);
        let (more, columns) = match self {
            Self::All | Self::Single => (cell::sums(row, first)?, Sums::COLUMNS),
            Self::Faults => (Sums { hits: at(0)?, errors: at(1)?, client_errors: at(2)?, aborted: at(3)?, ..Sums::default() }, 4),
            Self::Visits => (Sums { hits: at(0)?, sessions: at(1)?, ..Sums::default() }, 2),
            Self::Hits => (Sums { hits: at(0)?, ..Sums::default() }, 1),
        };
        *sums += more;
        Ok(columns)
    }
}

/// As they stand in each statement that reads a roll-up.
pub(super) const ALL_SUMS: &str = "hits, actions, sessions, time, errors, client_errors, aborted, bytes_in, bytes_out";

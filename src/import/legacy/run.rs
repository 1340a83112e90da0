use super::rows::Row;
use crate::clock::Millis;

/// Hits of one record that are still to come, at the next of them. Ordered by it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Run {
    pub(super) at: Millis,
    /// None for what is in no session.
    pub(super) visit: Option<u32>,
    pub(super) kind: Kind,
    /// The record, or the error.
    pub(super) from: u32,
    /// How many came before it.
    before: u32,
    /// The endpoint it is of, and how many of that came before it.
    pub(super) place: u32,
    before_of_it: u32,
}

/// In the order in which they come at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Begin,
    Action,
    Screen,
    Error,
    End,
}

impl Run {
    pub(super) fn single(at: Millis, visit: Option<u32>, kind: Kind, from: u32) -> Self {
        Self { at, visit, kind, from, before: 0, place: 0, before_of_it: 0 }
    }

    /// So many hits over the span of a record, if there are any.
    pub(super) fn spread(visit: u32, kind: Kind, from: u32, row: &Row, all: u32) -> Option<Self> {
        (all > 0).then(|| Self::single(moment(row, 0, all), Some(visit), kind, from))
    }

    /// Moves on to the next hit; `false` if there is none.
    pub(super) fn step(&mut self, row: &Row, all: u32, counts: &[(u32, u32)]) -> bool {
        self.before += 1;
        self.before_of_it += 1;
        if counts.get(self.place as usize).is_none_or(|(_, count)| self.before_of_it >= *count) {
            (self.place, self.before_of_it) = (self.place + 1, 0);
        }
        if self.before < all {
            self.at = moment(row, self.before, all);
        }
        self.before < all
    }
}

/// Evenly from the beginning to the end; a single one at the end, which is when the last activity was.
fn moment(row: &Row, before: u32, all: u32) -> Millis {
    if all < 2 {
        return row.end;
    }
    let span = i128::from(row.end - row.start);
    row.start + (span * i128::from(before) / i128::from(all - 1)) as Millis
}

use crate::{
    clock::Millis,
    store::Dimension,
    zone::{Day, Zone},
};

/// By what hits are added up.
pub(in crate::report) struct Grouping<'a> {
    pub(in crate::report) by: Dimension,
    pub(in crate::report) bucket: Bucket<'a>,
    /// Which sums are asked for.
    pub(in crate::report) counted: Counted,
    /// Whether percentiles are asked for.
    pub(in crate::report) latency: bool,
    /// Whether users are asked for.
    pub(in crate::report) users: bool,
    /// Whether visitors are asked for.
    pub(in crate::report) visitors: bool,
    /// Since when users are asked for once more; only where single hits are read.
    pub(in crate::report) recent: Option<Millis>,
}

/// Sums that are asked for; the others may hold anything. To read a column of each row takes as long as the rest of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::report) enum Counted {
    All,
    /// All but sessions and their time.
    Single,
    /// Hits, errors, client errors and hits given up.
    Faults,
    /// Hits and sessions.
    Visits,
    Hits,
}

impl Counted {
    /// Whether sessions are among them.
    pub(super) fn sessions(self) -> bool {
        matches!(self, Self::All | Self::Visits)
    }
}

/// Which place in time a hit is added to.
#[derive(Clone, Copy)]
pub(in crate::report) enum Bucket<'a> {
    One,
    Days(&'a dyn Fn(Day) -> usize),
    /// The moment of a quarter of an hour, or of the hit itself.
    Moments(&'a dyn Fn(Millis) -> usize),
}

impl Bucket<'_> {
    pub(super) fn of(&self, at: Millis, zone: &Zone) -> usize {
        match self {
            Self::One => 0,
            Self::Days(place) => place(zone.day_of(at)),
            Self::Moments(place) => place(at),
        }
    }
}

/// What is asked for besides users.
#[derive(Clone, Copy)]
pub(in crate::report) struct Asked {
    pub(in crate::report) counted: Counted,
    pub(in crate::report) latency: bool,
    pub(in crate::report) visitors: bool,
}

impl Default for Asked {
    fn default() -> Self {
        Self { counted: Counted::Hits, latency: false, visitors: false }
    }
}

use std::ops::Range;

use crate::{
    clock::Millis,
    zone::{Day, Zone},
};

/// The zone's days, with the two asked for last at hand: today, and the day a session began.
pub(in crate::store) struct Days {
    zone: Zone,
    last: [(Range<Millis>, Day); 2],
}

impl Days {
    pub(in crate::store) fn new(zone: Zone) -> Self {
        Self { zone, last: [(0..0, 0), (0..0, 0)] }
    }

    pub(in crate::store) fn zone(&self) -> &Zone {
        &self.zone
    }

    pub(super) fn of(&mut self, at: Millis) -> Day {
        if self.last[0].0.contains(&at) {
            return self.last[0].1;
        }
        self.last.swap(0, 1);
        if !self.last[0].0.contains(&at) {
            let day = self.zone.day_of(at);
            self.last[0] = (self.zone.span_of(day), day);
        }
        self.last[0].1
    }
}

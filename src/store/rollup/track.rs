use crate::{clock::Millis, store::part_key::FIRST_IMPORTED};

/// How a session's time grows: each action adds its distance to the action before. So the time of open sessions is in
/// it, it adds up, and rows that are read again give the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::store) struct Track {
    /// The time of its first hit.
    pub(in crate::store) opened: Millis,
    /// The device of its first hit.
    pub(in crate::store) device: u32,
    /// Its newest action, or its first hit.
    pub(in crate::store) acted: Millis,
}

/// What one hit adds to its session, and where the session is counted.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct Step {
    pub(in crate::store) opened: Millis,
    pub(in crate::store) device: u32,
    pub(in crate::store) gap: Millis,
}

impl Track {
    pub(in crate::store) fn new(opened: Millis, device: u32) -> Self {
        Self { opened, device, acted: opened }
    }

    pub(in crate::store) fn step(&mut self, at: Millis, is_action: bool) -> Step {
        // Two requests at once may end in the other order; what lies before the newest action adds nothing.
        let gap = if is_action { (at - self.acted).max(0) } else { 0 };
        self.acted += gap;
        Step { opened: self.opened, device: self.device, gap }
    }
}

/// The sessions of one part while all of it is read: their numbers are given in order, so a row of tracks is enough.
#[derive(Default)]
pub(in crate::store) struct Tracks(Vec<Option<Packed>>);

/// A track in twelve bytes: a month's milliseconds fit in 32 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::store) struct Packed {
    opened: u32,
    device: u32,
    acted: u32,
}

impl Track {
    /// With times since the month's `start`.
    pub(in crate::store) fn pack(self, start: Millis) -> Packed {
        let since = |at: Millis| (at - start) as u32;
        Packed { opened: since(self.opened), device: self.device, acted: since(self.acted) }
    }
}

impl Packed {
    pub(in crate::store) fn unpack(self, start: Millis) -> Track {
        Track { opened: start + i64::from(self.opened), device: self.device, acted: start + i64::from(self.acted) }
    }
}

const MOST: u32 = 1 << 27;

impl Tracks {
    /// As [`Track::step`], with times as milliseconds since the month's `start`.
    pub(in crate::store) fn step(&mut self, start: Millis, row: &crate::store::raw::Row) -> Step {
        // A damaged row may say anything; nobody has so many sessions in a month.
        // Imported sessions have numbers of their own, which begin far behind.
        let place = (row.session & (FIRST_IMPORTED - 1)).min(MOST) as usize;
        if self.0.len() <= place {
            self.0.resize(place + 1, None);
        }
        let track = match self.0[place] {
            Some(track) => Some(track.unpack(start)),
            None => row.outcome.opens().then(|| Track::new(start + row.at, row.device)),
        };
        // Its opening row was lost with a damaged file: its time counts from here.
        let mut track = track.unwrap_or_else(|| Track::new(start + row.at, row.device));
        let step = track.step(start + row.at, row.outcome.is_action());
        self.0[place] = Some(track.pack(start));
        step
    }
}

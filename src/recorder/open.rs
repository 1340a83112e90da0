use crate::{clock::Millis, hit::SessionId};

/// A session that goes on.
pub(super) struct Open {
    pub(super) id: SessionId,
    pub(super) key: u64,
    /// In milliseconds since the month's start, as `last`: a session ends with its month, and a hundred thousand are open.
    pub(super) started: u32,
    pub(super) last: u32,
    /// Made of hits of the past: it ends by their time, not by the clock on the wall.
    pub(super) past: bool,
}

impl Open {
    pub(super) fn last(&self) -> Millis {
        self.id.month.start() + Millis::from(self.last)
    }
}

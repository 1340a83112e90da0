use std::collections::BTreeMap;

use super::{
    active::{Active, Session},
    raw::Row,
};
use crate::{clock::Month, hit::SessionId};

/// A batch, resolved once and kept until every commit of it is known.
#[derive(Default)]
pub(super) struct Pending {
    pub(super) batch: u64,
    pub(super) rows: BTreeMap<Month, Vec<Row>>,
    pub(super) opened: Vec<(SessionId, Session)>,
    pub(super) visitors: Vec<(SessionId, u64)>,
    /// Hits of months that are closed.
    pub(super) refused: u64,
    /// Hits of months that are over, and whose files are damaged.
    pub(super) lost: u64,
    pub(super) main_done: bool,
    pub(super) tried: bool,
}

impl Pending {
    /// What is left of a batch of which raw rows may have been written; one of which none was is resolved anew.
    pub(super) fn if_begun(self) -> Self {
        if self.main_done { Self { tried: true, ..self } } else { Self::default() }
    }

    pub(super) fn last_rows(&self) -> impl Iterator<Item = (Month, i64)> {
        self.rows.iter().filter_map(|(month, rows)| Some((*month, rows.last()?.id)))
    }

    /// Puts the sessions that it opens back among those that go on: a start takes sessions without a hit for dead.
    pub(super) fn open_again(&mut self, active: &mut Active) {
        self.opened.retain(|(id, _)| active.get(*id).is_none());
        self.opened.iter().for_each(|(id, session)| active.open(*id, session.clone()));
        self.main_done = false;
    }

    /// Forgets the rows of each month of which the last is written.
    pub(super) fn forget_written(&mut self, is_written: impl Fn(Month, i64) -> bool) {
        self.rows.retain(|month, rows| rows.last().is_some_and(|last| !is_written(*month, last.id)));
    }
}

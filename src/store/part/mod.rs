mod file;
mod glance;
mod listing;
mod state;

use rusqlite::Connection;

pub(super) use self::file::{ensure_tables, unsafe_writer};
pub(crate) use self::{glance::looks_whole, state::PartState};
use super::{archive::Archived, connection::Inode, part_key::PartKey, raw::Row, rollup::Fold};
use crate::{
    clock::{Millis, Month},
    sink::Salt,
    zone::Zone,
};

/// One month's raw file, and what analytics.db says of it.
pub(super) struct Part {
    pub(super) number: i64,
    pub(super) key: PartKey,
    pub(super) month: Month,
    pub(super) start: Millis,
    pub(super) file_id: Salt,
    pub(super) state: PartState,
    /// The zone whose days its roll-ups have.
    pub(super) zone: String,
    /// What its rows past the watermark add to its roll-ups.
    pub(super) fold: Fold,
    /// The last raw row that is in everything derived.
    pub(super) watermark: i64,
    pub(super) next_row: i64,
    pub(super) hits: i64,
    pub(super) least: Option<Millis>,
    pub(super) greatest: Option<Millis>,
    pub(super) next_session: u32,
    /// Whether analytics.db knows it.
    pub(super) listed: bool,
    pub(super) changed: bool,
    pub(super) used: u64,
    /// When rows last came, by the clock of the checkpoints.
    pub(super) touched: Option<Millis>,
    /// The last row of files that are gone: this one began after it, and its roll-ups hold more than it does.
    pub(super) since: i64,
    /// The last row that is written, and counted.
    pub(super) newest: i64,
    /// Whether the file of a sealed part is known to be a plain one.
    pub(super) is_plain: bool,
    /// Where its raw file was put away; there may be a raw file all the same.
    pub(super) archived: Option<Archived>,
    /// Whether nothing was written to its file since somebody began to read all of it.
    pub(super) is_kept_still: bool,
    /// Whether it was said that its file cannot be used. Its month is over, so that nobody waits for it but whoever wants its hits.
    pub(super) has_fault: bool,
    connection: Option<Connection>,
    inode: Inode,
}

impl Part {
    fn new(number: i64, key: PartKey, file_id: Salt, zone: String, connection: Option<Connection>) -> Self {
        Self {
            number,
            key,
            month: key.month,
            start: key.month.start(),
            file_id,
            state: PartState::Open,
            zone,
            fold: Fold::new(key.month),
            watermark: 0,
            next_row: 1,
            hits: 0,
            least: None,
            greatest: None,
            next_session: 1,
            listed: false,
            changed: true,
            used: 0,
            touched: None,
            since: 0,
            newest: 0,
            is_plain: false,
            archived: None,
            is_kept_still: false,
            has_fault: false,
            connection,
            inode: Inode::default(),
        }
    }

    /// What an import has written: complete from the beginning.
    pub(super) fn imported(number: i64, key: PartKey, file_id: Salt, zone: String, counted: Counted) -> Self {
        let Counted { hits, least, greatest, next_session } = counted;
        Self {
            state: PartState::Sealed,
            watermark: hits,
            next_row: hits + 1,
            hits,
            least,
            greatest,
            next_session,
            changed: false,
            newest: hits,
            is_plain: true,
            ..Self::new(number, key, file_id, zone, None)
        }
    }

    /// Whether its raw rows hold all that its roll-ups do, so that these can be made from them.
    pub(super) fn is_whole(&self) -> bool {
        self.state.has_raw() && self.since == 0 && !self.has_fault
    }

    /// Whether its roll-ups have days of another zone, and can be made anew.
    pub(super) fn has_other_days(&self, zone: &Zone) -> bool {
        self.zone != zone.name() && self.is_whole()
    }

    /// Whether nothing is known of it but that it was.
    pub(super) fn is_forgotten(&self) -> bool {
        self.state == PartState::Dropped && self.hits == 0
    }

    pub(super) fn count(&mut self, row: &Row) {
        let at = self.start + row.at;
        self.least = Some(self.least.map_or(at, |least| least.min(at)));
        self.greatest = Some(self.greatest.map_or(at, |greatest| greatest.max(at)));
        self.hits += 1;
        self.newest = row.id;
        self.next_session = self.next_session.max(row.session + 1);
        self.changed = true;
    }
}

/// What the rows of a part add up to.
#[derive(Clone, Copy)]
pub(super) struct Counted {
    pub(super) hits: i64,
    pub(super) least: Option<Millis>,
    pub(super) greatest: Option<Millis>,
    pub(super) next_session: u32,
}

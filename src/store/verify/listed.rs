use rusqlite::{Connection, OptionalExtension, Row};

use crate::{
    clock::{Millis, Month},
    sink::Salt,
    store::archive::Archived,
};

/// A part as analytics.db lists it.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    pub(super) number: i64,
    pub(super) month: Month,
    pub(super) file: String,
    pub(super) file_id: Salt,
    pub(super) state: String,
    pub(super) least: Option<Millis>,
    pub(super) greatest: Option<Millis>,
    pub(super) watermark: i64,
    pub(super) hits: i64,
    pub(super) next_session: i64,
    pub(super) source: String,
    /// Empty while its days are of two zones, and are about to be made anew.
    pub(super) zone: String,
    /// What is known of its archive.
    pub(super) archived: Option<Archived>,
}

const SQL: &str = "select number, month, file, file_id, state, least, greatest, watermark, hits, next_session, source, zone,
    archive, archive_hash, archive_bytes, raw_bytes from parts";

impl Listed {
    pub(super) fn all(main: &Connection) -> rusqlite::Result<Vec<Self>> {
        main.prepare(&format!("{SQL} order by number"))?.query_map([], Self::read)?.collect()
    }

    pub(super) fn one(main: &Connection, number: i64) -> rusqlite::Result<Option<Self>> {
        main.prepare_cached(&format!("{SQL} where number = ?"))?.query_row([number], Self::read).optional()
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let month: i64 = row.get(1)?;
        let month = Month::from_number(month).ok_or(rusqlite::Error::IntegralValueOutOfRange(1, month))?;
        Ok(Self {
            number: row.get(0)?,
            month,
            file: row.get(2)?,
            file_id: row.get(3)?,
            state: row.get(4)?,
            least: row.get(5)?,
            greatest: row.get(6)?,
            watermark: row.get(7)?,
            hits: row.get(8)?,
            next_session: row.get(9)?,
            source: row.get(10)?,
            zone: row.get(11)?,
            archived: Archived::read(row, 12)?,
        })
    }

    /// Whether its raw file was put away or given up.
    pub(super) fn is_closed(&self) -> bool {
        matches!(&*self.state, "archived" | "dropped")
    }

    /// Whether its sessions that go on are in analytics.db.
    pub(super) fn has_active_sessions(&self) -> bool {
        self.source == "recorder"
    }
}

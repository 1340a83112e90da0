//! What analytics.db says of a part.

use rusqlite::{Connection, params};

use super::{Part, PartState};
use crate::store::{archive::Archived, connection::Inode, part_key::PartKey, rollup::Fold};

impl Part {
    pub(in crate::store) fn list(main: &Connection) -> rusqlite::Result<Vec<Self>> {
        let mut statement = main.prepare_cached(include_str!("part_all.sql"))?;
        let rows = statement.query_map([], |row| {
            let watermark: i64 = row.get(6)?;
            let state: String = row.get(3)?;
            let Some(key) = PartKey::from_name(row.get_ref(1)?.as_str()?) else { return Ok(None) };
            Ok(Some(Self {
                number: row.get(0)?,
                key,
                month: key.month,
                start: key.month.start(),
                file_id: row.get(2)?,
                state: PartState::from_name(&state),
                zone: row.get(9)?,
                fold: Fold::new(key.month),
                watermark,
                next_row: watermark + 1,
                hits: row.get(7)?,
                least: row.get(4)?,
                greatest: row.get(5)?,
                next_session: row.get(8)?,
                listed: true,
                changed: false,
                used: 0,
                touched: None,
                since: 0,
                newest: watermark,
                is_plain: false,
                archived: Archived::read(row, 10)?,
                is_kept_still: false,
                has_fault: false,
                connection: None,
                inode: Inode::default(),
            }))
        })?;
        rows.filter_map(Result::transpose).collect()
    }

    /// Puts what is known of it into analytics.db.
    pub(in crate::store) fn put(&self, tx: &Connection, watermark: i64) -> rusqlite::Result<()> {
        tx.prepare_cached(include_str!("part_put.sql"))?
            .execute(params![
                self.number,
                self.month.number(),
                self.key.to_string(),
                self.file_id,
                self.state.name(),
                self.least,
                self.greatest,
                watermark,
                self.hits,
                self.next_session,
                if self.key.is_import() { "import" } else { "recorder" },
                self.zone,
            ])
            .map(drop)
    }

    /// Puts what is known of its archive into analytics.db.
    pub(in crate::store) fn put_archived(&self, tx: &Connection) -> rusqlite::Result<()> {
        let (place, hash, bytes, raw_bytes) = match &self.archived {
            Some(archived) => (&*archived.place, &*archived.hash, archived.bytes, archived.raw_bytes),
            None => ("", "", 0, 0),
        };
        let row = params![place, hash, bytes, raw_bytes, self.number];
        tx.prepare_cached(include_str!("part_archived.sql"))?.execute(row).map(drop)
    }
}

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::{
    connection::{Context, Inode, Synchronous, gone, part_file, part_name, writer},
    raw::{self, Row, for_month},
};
use crate::{
    clock::{Millis, Month},
    error::{Error, ErrorKind},
    sink::Salt,
};

/// One month's raw file, and what analytics.db says of it.
pub(super) struct Part {
    pub(super) month: Month,
    pub(super) start: Millis,
    pub(super) file_id: Salt,
    pub(super) state: &'static str,
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
    connection: Option<Connection>,
    inode: Inode,
}

pub(super) const OPEN: &str = "open";
pub(super) const MISSING: &str = "missing";

impl Part {
    fn new(month: Month, file_id: Salt, connection: Connection) -> Self {
        Self {
            month,
            start: month.start(),
            file_id,
            state: OPEN,
            watermark: 0,
            next_row: 1,
            hits: 0,
            least: None,
            greatest: None,
            next_session: 1,
            listed: false,
            changed: true,
            used: 0,
            connection: Some(connection),
            inode: Inode::default(),
        }
    }

    /// A part that no one has listed: a new file, or one left behind by a crash before its listing.
    pub(super) fn create(directory: &Path, month: Month) -> Result<Self, Error> {
        let file = part_file(directory, month);
        let mut connection = writer(&file, true, Synchronous::Normal).context(&format!("create {}", part_name(month)))?;
        let file_id = ensure_tables(&mut connection, month).context(&format!("create the tables of {}", part_name(month)))?;
        let mut part = Self::new(month, file_id, connection);
        part.next_row = part.last_row()? + 1;
        part.inode = Inode::of(&file);
        Ok(part)
    }

    pub(super) fn list(main: &Connection) -> rusqlite::Result<Vec<Self>> {
        let mut statement =
            main.prepare("select month, file_id, state, least, greatest, watermark, hits, next_session from parts order by month")?;
        let rows = statement.query_map([], |row| {
            let state: String = row.get(2)?;
            let watermark: i64 = row.get(5)?;
            Ok(Month::from_number(row.get(0)?).map(|month| Self {
                month,
                start: month.start(),
                file_id: row.get(1).unwrap_or_default(),
                state: if state == MISSING { MISSING } else { OPEN },
                watermark,
                next_row: watermark + 1,
                hits: row.get(6).unwrap_or_default(),
                least: row.get(3).unwrap_or_default(),
                greatest: row.get(4).unwrap_or_default(),
                next_session: row.get(7).unwrap_or(1),
                listed: true,
                changed: false,
                used: 0,
                connection: None,
                inode: Inode::default(),
            }))
        })?;
        rows.filter_map(Result::transpose).collect()
    }

    /// The open file. One that is gone is made anew; its row numbers go on.
    pub(super) fn connection(&mut self, directory: &Path) -> Result<&mut Connection, Error> {
        let file = part_file(directory, self.month);
        if self.connection.is_some() && self.inode != Inode::of(&file) {
            self.connection = None;
            return Err(gone(&file));
        }
        if self.connection.is_none() {
            if file.exists() {
                let mut connection = writer(&file, false, Synchronous::Normal).context(&format!("open {}", part_name(self.month)))?;
                ensure_tables(&mut connection, self.month).context(&format!("read {}", part_name(self.month)))?;
                (self.connection, self.inode) = (Some(connection), Inode::of(&file));
            } else {
                let anew = Self::create(directory, self.month)?;
                (self.connection, self.inode, self.file_id) = (anew.connection, anew.inode, anew.file_id);
                (self.state, self.changed) = (OPEN, true);
                (self.hits, self.least, self.greatest) = (0, None, None);
            }
        }
        self.connection.as_mut().ok_or_else(|| Error::new(ErrorKind::Storage, "a part has no connection"))
    }

    pub(super) fn close(&mut self) {
        self.connection = None;
    }

    pub(super) fn is_open(&self) -> bool {
        self.connection.is_some()
    }

    pub(super) fn last_row(&self) -> Result<i64, Error> {
        let connection = self.connection.as_ref().ok_or_else(|| Error::new(ErrorKind::Storage, "a part has no connection"))?;
        raw::last(connection, self.month).context(&format!("read {}", part_name(self.month)))
    }

    /// Counts every row past the watermark, and moves it there.
    pub(super) fn replay(&mut self, mut each: impl FnMut(Month, &Row)) -> rusqlite::Result<()> {
        let Some(connection) = self.connection.take() else { return Ok(()) };
        let (month, watermark) = (self.month, self.watermark);
        raw::after(&connection, month, watermark, |row| {
            self.count(&row);
            self.watermark = row.id;
            each(month, &row);
        })
    }

    /// Writes raw rows in one transaction. `again` asks first whether an earlier try did arrive.
    pub(super) fn write(&mut self, directory: &Path, rows: &[Row], again: bool) -> Result<(), Error> {
        let month = self.month;
        let Some(last) = rows.last() else { return Ok(()) };
        let connection = self.connection(directory)?;
        let write = |connection: &mut Connection| -> rusqlite::Result<()> {
            if again && raw::last(connection, month)? >= last.id {
                return Ok(());
            }
            let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            raw::insert(&tx, month, rows)?;
            tx.commit()
        };
        write(connection).context(&format!("write hits to {}", part_name(month)))
    }

    /// Commits once more with everything before it forced to the disk: only then may anything derived be committed.
    pub(super) fn sync(&mut self, directory: &Path, now: Millis, more: impl Fn(&Connection) -> rusqlite::Result<()>) -> Result<(), Error> {
        let month = self.month;
        let connection = self.connection(directory)?;
        let sync = |connection: &mut Connection| -> rusqlite::Result<()> {
            Synchronous::Full.set(connection)?;
            let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            more(&tx)?;
            tx.prepare_cached("update part set synced = ?")?.execute([now])?;
            tx.commit()
        };
        let result = sync(connection);
        let back = Synchronous::Normal.set(connection);
        result.and(back).context(&format!("put sessions away in {}", part_name(month)))
    }

    /// Puts what is known of it into analytics.db.
    pub(super) fn put(&self, tx: &Connection, watermark: i64) -> rusqlite::Result<()> {
        tx.prepare_cached(include_str!("part_put.sql"))?
            .execute(params![
                self.month.number(),
                part_name(self.month),
                self.file_id,
                self.state,
                self.least,
                self.greatest,
                watermark,
                self.hits,
                self.next_session,
                "recorder",
            ])
            .map(drop)
    }

    pub(super) fn count(&mut self, row: &Row) {
        let at = self.start + row.at;
        self.least = Some(self.least.map_or(at, |least| least.min(at)));
        self.greatest = Some(self.greatest.map_or(at, |greatest| greatest.max(at)));
        self.hits += 1;
        self.next_session = self.next_session.max(row.session + 1);
        self.changed = true;
    }
}

/// Makes the tables of a new file; tells the id of an old one.
fn ensure_tables(connection: &mut Connection, month: Month) -> rusqlite::Result<Salt> {
    let there = connection.query_row("select 1 from sqlite_schema where name = 'part'", [], |_| Ok(())).optional()?;
    if there.is_some() {
        return connection.query_row("select file_id from part", [], |row| row.get(0));
    }
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tx.execute_batch(&for_month(include_str!("part.sql"), month))?;
    tx.execute("insert into part (month, file_id, synced) values (?, randomblob(16), 0)", [month.number()])?;
    tx.pragma_update(None, "user_version", 1)?;
    let file_id = tx.query_row("select file_id from part", [], |row| row.get(0))?;
    tx.commit()?;
    Ok(file_id)
}

use std::{path::Path, time::Duration};

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, TransactionBehavior, params};

use super::{
    archive::Archived,
    connection::{Context, Inode, Synchronous, gone, writer},
    part_key::PartKey,
    raw::{self, Row, for_month},
    rollup::Fold,
};
use crate::{
    clock::{Millis, Month},
    error::{Error, ErrorKind},
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
    connection: Option<Connection>,
    inode: Inode,
}

/// How far a part has come in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PartState {
    Open,
    /// Complete: its totals stand, and its file is a plain one without a log beside it.
    Sealed,
    /// Its raw file was put away; its roll-ups stay.
    Archived,
    /// Its raw file was given up; its roll-ups stay.
    Dropped,
    /// Its raw file is not where it should be.
    Missing,
}

impl PartState {
    const ALL: [(Self, &str); 5] = [
        (Self::Open, "open"),
        (Self::Sealed, "sealed"),
        (Self::Archived, "archived"),
        (Self::Dropped, "dropped"),
        (Self::Missing, "missing"),
    ];

    pub(crate) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(state, _)| *state == self).map_or("open", |(_, name)| name)
    }

    fn from_name(name: &str) -> Self {
        Self::ALL.iter().find(|(_, known)| *known == name).map_or(Self::Open, |(state, _)| *state)
    }

    /// Whether there is a raw file to read.
    pub(crate) fn has_raw(self) -> bool {
        matches!(self, Self::Open | Self::Sealed)
    }

    /// Whether nothing is recorded into it any more.
    pub(super) fn is_closed(self) -> bool {
        matches!(self, Self::Archived | Self::Dropped)
    }
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

    /// A part that no one has listed: a new file, or one left behind by a crash before its listing.
    pub(super) fn create(directory: &Path, number: i64, key: PartKey, zone: &Zone) -> Result<Self, Error> {
        let (connection, file_id) = Self::create_file(&key.file(directory), key, 0)?;
        let mut part = Self::new(number, key, file_id, zone.name().to_owned(), Some(connection));
        part.next_row = part.last_row()? + 1;
        part.inode = Inode::of(&key.file(directory));
        Ok(part)
    }

    fn create_file(file: &Path, key: PartKey, since: i64) -> Result<(Connection, Salt), Error> {
        let mut connection = writer(file, true, Synchronous::Normal).context(&format!("create {key}"))?;
        let file_id = ensure_tables(&mut connection, key.month, since).context(&format!("create the tables of {key}"))?;
        Ok((connection, file_id))
    }

    pub(super) fn list(main: &Connection) -> rusqlite::Result<Vec<Self>> {
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
                archived: archived(row)?,
                is_kept_still: false,
                connection: None,
                inode: Inode::default(),
            }))
        })?;
        rows.filter_map(Result::transpose).collect()
    }

    /// The open file. One that is gone is made anew; its row numbers go on.
    pub(super) fn connection(&mut self, directory: &Path) -> Result<&mut Connection, Error> {
        self.is_kept_still = false;
        let (key, file) = (self.key, self.key.file(directory));
        if self.connection.is_some() && self.inode != Inode::of(&file) {
            self.connection = None;
            return Err(gone(&file));
        }
        if self.connection.is_none() {
            if file.exists() {
                let mut connection = writer(&file, false, Synchronous::Normal).context(&format!("open {key}"))?;
                ensure_tables(&mut connection, self.month, self.watermark).context(&format!("read {key}"))?;
                let since = connection.query_row("select since from part", [], |row| row.get(0));
                self.since = since.context(&format!("read {key}"))?;
                self.connection = Some(connection);
            } else {
                let (connection, file_id) = Self::create_file(&file, key, self.watermark)?;
                (self.connection, self.file_id, self.since) = (Some(connection), file_id, self.watermark);
            }
            self.inode = Inode::of(&file);
            self.reopen();
        }
        self.connection.as_mut().ok_or_else(|| Error::new(ErrorKind::Storage, "a part has no connection"))
    }

    /// Whether its raw rows hold all that its roll-ups do, so that these can be made from them.
    pub(super) fn is_whole(&self) -> bool {
        self.state.has_raw() && self.since == 0
    }

    /// A sealed part that is written again is one no longer: its totals go with the next fold.
    fn reopen(&mut self) {
        (self.state, self.is_plain, self.changed) = (PartState::Open, false, true);
    }

    /// The open file, for whoever changes the part while reading it; it is opened anew when next needed.
    pub(super) fn take_connection(&mut self, directory: &Path) -> Result<Connection, Error> {
        self.connection(directory)?;
        self.connection.take().ok_or_else(|| Error::new(ErrorKind::Storage, "a part has no connection"))
    }

    pub(super) fn close(&mut self) {
        self.connection = None;
    }

    pub(super) fn is_open(&self) -> bool {
        self.connection.is_some()
    }

    /// Whether its file is the one that was opened last.
    pub(super) fn is_in_place(&self, directory: &Path) -> bool {
        self.inode != Inode::default() && self.inode == Inode::of(&self.key.file(directory))
    }

    pub(super) fn last_row(&self) -> Result<i64, Error> {
        let connection = self.connection.as_ref().ok_or_else(|| Error::new(ErrorKind::Storage, "a part has no connection"))?;
        raw::last(connection, self.month).context(&format!("read {}", self.key))
    }

    /// Writes raw rows in one transaction. `again` asks first whether an earlier try did arrive.
    pub(super) fn write(&mut self, directory: &Path, rows: &[Row], again: bool) -> Result<(), Error> {
        let (key, month) = (self.key, self.month);
        let Some(last) = rows.last() else { return Ok(()) };
        if self.state != PartState::Open {
            self.reopen();
        }
        let connection = self.connection(directory)?;
        let write = |connection: &mut Connection| -> rusqlite::Result<()> {
            if again && raw::last(connection, month)? >= last.id {
                return Ok(());
            }
            let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            raw::insert(&tx, month, rows)?;
            tx.commit()
        };
        write(connection).context(&format!("write hits to {key}"))
    }

    /// Commits once more with everything before it forced to the disk: only then may anything derived be committed.
    pub(super) fn sync(&mut self, directory: &Path, fold: i64, more: impl Fn(&Connection) -> rusqlite::Result<()>) -> Result<(), Error> {
        let key = self.key;
        let connection = self.connection(directory)?;
        let sync = |connection: &mut Connection| -> rusqlite::Result<()> {
            Synchronous::Full.set(connection)?;
            let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            more(&tx)?;
            tx.prepare_cached("update part set synced = max(synced, ?)")?.execute([fold])?;
            tx.commit()
        };
        let result = sync(connection);
        let back = Synchronous::Normal.set(connection);
        result.and(back).context(&format!("put sessions away in {key}"))
    }

    /// Puts what is known of it into analytics.db.
    pub(super) fn put(&self, tx: &Connection, watermark: i64) -> rusqlite::Result<()> {
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
    pub(super) fn put_archived(&self, tx: &Connection) -> rusqlite::Result<()> {
        let (place, hash, bytes, raw_bytes) = match &self.archived {
            Some(archived) => (&*archived.place, &*archived.hash, archived.bytes, archived.raw_bytes),
            None => ("", "", 0, 0),
        };
        let row = params![place, hash, bytes, raw_bytes, self.number];
        tx.prepare_cached(include_str!("part_archived.sql"))?.execute(row).map(drop)
    }

    /// Whether nothing is known of it but that it was.
    pub(super) fn is_forgotten(&self) -> bool {
        self.state == PartState::Dropped && self.hits == 0
    }

    /// Whether all of it stands in its file, and nothing in a log beside it.
    pub(super) fn is_settled(&self, directory: &Path) -> bool {
        let log = self.key.file(directory).with_extension("db-wal");
        self.is_plain || std::fs::metadata(log).map_or(0, |meta| meta.len()) == 0
    }

    /// Makes the file of a complete part a plain one: no log beside it, and the planner's statistics in it. `false` if
    /// somebody reads it just now.
    pub(super) fn seal_file(&mut self, directory: &Path) -> Result<bool, Error> {
        let (file, month) = (self.key.file(directory), self.month);
        let seal = || -> rusqlite::Result<bool> {
            let connection = Connection::open_with_flags(&file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
            connection.busy_timeout(Duration::ZERO)?;
            let mode: String = connection.query_row("pragma journal_mode", [], |row| row.get(0))?;
            if mode == "delete" {
                return Ok(true);
            }
            // Raw rows have no index that a plan could choose.
            let analyze = format!("pragma analysis_limit = 400; analyze sessions_{month}; pragma wal_checkpoint(truncate);");
            connection.execute_batch(&analyze)?;
            connection.pragma_update_and_check(None, "journal_mode", "DELETE", |row| Ok(row.get::<_, String>(0)? == "delete"))
        };
        self.close();
        match seal() {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => Ok(false),
            sealed => sealed.context(&format!("seal {}", self.key)),
        }
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

/// A file that is thrown away after a crash needs no journal: it is forced to the disk once, when it is complete.
pub(super) fn unsafe_writer(file: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(file)?;
    connection.pragma_update(None, "journal_mode", "OFF")?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.pragma_update(None, "cache_size", -3072)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

fn archived(row: &rusqlite::Row<'_>) -> rusqlite::Result<Option<Archived>> {
    let place: String = row.get(10)?;
    Ok((!place.is_empty()).then_some(Archived { place, hash: row.get(11)?, bytes: row.get(12)?, raw_bytes: row.get(13)? }))
}

/// Makes the tables of a new file; tells the id of an old one.
pub(super) fn ensure_tables(connection: &mut Connection, month: Month, since: i64) -> rusqlite::Result<Salt> {
    let there = connection.query_row("select 1 from sqlite_schema where name = 'part'", [], |_| Ok(())).optional()?;
    if there.is_some() {
        return connection.query_row("select file_id from part", [], |row| row.get(0));
    }
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tx.execute_batch(&for_month(include_str!("part.sql"), month))?;
    tx.execute("insert into part (month, file_id, synced, since) values (?, randomblob(16), 0, ?)", [month.number(), since])?;
    tx.pragma_update(None, "user_version", 1)?;
    let file_id = tx.query_row("select file_id from part", [], |row| row.get(0))?;
    tx.commit()?;
    Ok(file_id)
}

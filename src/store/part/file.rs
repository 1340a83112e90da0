//! The raw file of a part: made, opened, written, forced to the disk, closed for good.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, TransactionBehavior};

use super::{Part, PartState};
use crate::{
    clock::Month,
    error::{Error, ErrorKind},
    sink::Salt,
    store::{
        connection::{Context, Inode, Synchronous, gone, is_damaged, reader, writer},
        part_key::PartKey,
        raw::{self, Row, for_month},
    },
    zone::Zone,
};

impl Part {
    /// A part that no one has listed: a new file, or one left behind by a crash before its listing.
    pub(in crate::store) fn create(directory: &Path, number: i64, key: PartKey, zone: &Zone) -> Result<Self, Error> {
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

    /// The open file. One that is gone is made anew; its row numbers go on.
    pub(in crate::store) fn connection(&mut self, directory: &Path) -> Result<&mut Connection, Error> {
        self.is_kept_still = false;
        let (key, file) = (self.key, self.key.file(directory));
        if self.connection.is_some() && self.inode != Inode::of(&file) {
            self.connection = None;
            return Err(gone(&file));
        }
        if self.connection.is_none() {
            if file.exists() {
                let mut connection = writer(&file, false, Synchronous::Normal).context(&format!("open {key}"))?;
                ensure_tables(&mut connection, self.month, self.newest.max(self.watermark)).context(&format!("read {key}"))?;
                let since = connection.query_row("select since from part", [], |row| row.get(0));
                self.since = since.context(&format!("read {key}"))?;
                self.connection = Some(connection);
            } else {
                // Those that are counted and not yet folded were in the other one, too.
                let since = self.newest.max(self.watermark);
                let (connection, file_id) = Self::create_file(&file, key, since)?;
                (self.connection, self.file_id, self.since) = (Some(connection), file_id, since);
            }
            self.inode = Inode::of(&file);
            self.reopen();
        }
        self.connection.as_mut().ok_or_else(|| Error::new(ErrorKind::Storage, "a part has no connection"))
    }

    /// A sealed part that is written again is one no longer: its totals go with the next fold.
    fn reopen(&mut self) {
        (self.state, self.is_plain, self.changed) = (PartState::Open, false, true);
    }

    /// Once, not each time: its file is looked at again now and then.
    pub(in crate::store) fn say_fault(&mut self, error: &Error) {
        if !std::mem::replace(&mut self.has_fault, true) {
            let (part, hits) = (self.key, self.hits);
            tracing::error!(%part, hits, error = %error.chain(), "a month that is over cannot be used; what was counted of it stays, and recording goes on");
        }
    }

    /// An error if its file is still what it was when that was said.
    pub(in crate::store) fn try_again(&mut self, directory: &Path) -> Result<(), Error> {
        let read = || -> rusqlite::Result<i64> {
            let connection = reader(&self.key.file(directory))?;
            raw::last(&connection, self.month)?;
            connection.query_row("select since from part", [], |row| row.get(0))
        };
        self.since = read().context(&format!("read {}", self.key))?;
        self.say_whole();
        Ok(())
    }

    fn say_whole(&mut self) {
        if std::mem::take(&mut self.has_fault) {
            tracing::info!(part = %self.key, "a month that could not be used is whole again");
        }
    }

    /// The open file, for whoever changes the part while reading it; it is opened anew when next needed.
    pub(in crate::store) fn take_connection(&mut self, directory: &Path) -> Result<Connection, Error> {
        self.connection(directory)?;
        self.connection.take().ok_or_else(|| Error::new(ErrorKind::Storage, "a part has no connection"))
    }

    pub(in crate::store) fn close(&mut self) {
        self.connection = None;
    }

    pub(in crate::store) fn is_open(&self) -> bool {
        self.connection.is_some()
    }

    /// Whether its file is the one that was opened last.
    pub(in crate::store) fn is_in_place(&self, directory: &Path) -> bool {
        self.inode != Inode::default() && self.inode == Inode::of(&self.key.file(directory))
    }

    pub(in crate::store) fn last_row(&self) -> Result<i64, Error> {
        let connection = self.connection.as_ref().ok_or_else(|| Error::new(ErrorKind::Storage, "a part has no connection"))?;
        raw::last(connection, self.month).context(&format!("read {}", self.key))
    }

    /// Writes raw rows in one transaction. `again` asks first whether an earlier try did arrive.
    pub(in crate::store) fn write(&mut self, directory: &Path, rows: &[Row], again: bool) -> Result<(), Error> {
        let (key, month) = (self.key, self.month);
        let Some(last) = rows.last() else { return Ok(()) };
        let was_complete = self.state == PartState::Sealed;
        self.connection(directory)?;
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
        let written = write(connection).context(&format!("write hits to {key}"));
        if was_complete && written.as_ref().is_err_and(is_damaged) {
            // Nothing of them is in it: it is as complete as it was.
            self.close();
            (self.state, self.changed) = (PartState::Sealed, false);
        }
        written
    }

    /// Commits once more with everything before it forced to the disk: only then may anything derived be committed.
    pub(in crate::store) fn sync(
        &mut self,
        directory: &Path,
        fold: i64,
        more: impl Fn(&Connection) -> rusqlite::Result<()>,
    ) -> Result<(), Error> {
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
        result.and(back).context(&format!("put sessions away in {key}"))?;
        self.say_whole();
        Ok(())
    }

    /// Whether all of it stands in its file, and nothing in a log beside it.
    pub(in crate::store) fn is_settled(&self, directory: &Path) -> bool {
        let log = self.key.file(directory).with_extension("db-wal");
        self.is_plain || std::fs::metadata(log).map_or(0, |meta| meta.len()) == 0
    }

    /// Makes the file of a complete part a plain one: no log beside it, and the planner's statistics in it. `false` if
    /// somebody reads it just now.
    pub(in crate::store) fn seal_file(&mut self, directory: &Path) -> Result<bool, Error> {
        let (file, month, mut since) = (self.key.file(directory), self.month, self.since);
        let mut seal = || -> rusqlite::Result<bool> {
            let connection = Connection::open_with_flags(&file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
            connection.busy_timeout(Duration::ZERO)?;
            let mode: String = connection.query_row("pragma journal_mode", [], |row| row.get(0))?;
            since = connection.query_row("select since from part", [], |row| row.get(0))?;
            if mode == "delete" {
                return Ok(true);
            }
            // Raw rows have no index that a plan could choose.
            let analyze = format!("pragma analysis_limit = 400; analyze sessions_{month}; pragma wal_checkpoint(truncate);");
            connection.execute_batch(&analyze)?;
            connection.pragma_update_and_check(None, "journal_mode", "DELETE", |row| Ok(row.get::<_, String>(0)? == "delete"))
        };
        self.close();
        let sealed = match seal() {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => return Ok(false),
            sealed => sealed.context(&format!("seal {}", self.key))?,
        };
        // Not known of one that could not be read at the start.
        self.since = since;
        self.say_whole();
        Ok(sealed)
    }
}

/// A file that is thrown away after a crash needs no journal: it is forced to the disk once, when it is complete.
pub(in crate::store) fn unsafe_writer(file: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(file)?;
    connection.pragma_update(None, "journal_mode", "OFF")?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.pragma_update(None, "cache_size", -3072)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Makes the tables of a new file; tells the id of an old one.
pub(in crate::store) fn ensure_tables(connection: &mut Connection, month: Month, since: i64) -> rusqlite::Result<Salt> {
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

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use rusqlite::Connection;

use crate::{
    clock::{Millis, Month},
    error::Error,
    hit::SessionId,
    sink::Salt,
    store::{
        active::{self, Active},
        beside::Beside,
        connection::{Context, Inode},
        opened::Opened,
        part::{ensure_tables, unsafe_writer},
        part_key::{FIRST_IMPORTED, PartKey, parts_on_disk},
        raw::{self, Row},
        replay::ROWS_A_FOLD,
        rollup::{self, Fold, Scene, totals},
    },
};

/// One month of an import, while it is written.
pub(super) struct NewPart {
    pub(super) key: PartKey,
    pub(super) file_id: Salt,
    pub(super) hits: i64,
    pub(super) least: Option<Millis>,
    pub(super) greatest: Option<Millis>,
    pub(super) next_session: u32,
    pub(super) start: Millis,
    /// What the numbers of its sessions are moved by.
    base: u32,
    /// Until it is closed.
    raw: Option<Connection>,
    rows: Vec<Row>,
    active: Active,
    fold: Fold,
}

/// Where a part's file is until it is listed.
fn unlisted(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".new");
    name.into()
}

fn create_file(file: &Path, month: Month) -> Result<(Connection, Salt), Error> {
    let mut raw = unsafe_writer(file).context(&format!("create {}", file.display()))?;
    let file_id = ensure_tables(&mut raw, month, 0).context(&format!("create the tables of {}", file.display()))?;
    // Made anew at the end: row by row it would cost more than all the rest.
    raw.execute_batch(&format!("drop index sessions_user_{month}; begin")).context(&format!("write to {}", file.display()))?;
    Ok((raw, file_id))
}

impl NewPart {
    pub(super) fn create(opened: &Opened, month: Month, directory: &Path) -> Result<Self, Error> {
        let imports = || opened.parts.values().filter(|part| part.key.is_import());
        // A file that lies there and is not known is left alone.
        let on_disk = parts_on_disk(directory)?;
        let taken = imports().map(|part| part.key).chain(on_disk).map(|key| key.import).max().unwrap_or(0);
        let base = imports().filter(|part| part.month == month).map(|part| part.next_session).max().unwrap_or(FIRST_IMPORTED + 1) - 1;
        let key = PartKey { month, import: taken + 1 };
        let file = unlisted(&key.file(directory));
        let (raw, file_id) = create_file(&file, month).inspect_err(|_| drop(fs::remove_file(&file)))?;
        Ok(Self {
            key,
            file_id,
            hits: 0,
            least: None,
            greatest: None,
            next_session: base + 1,
            start: month.start(),
            base,
            raw: Some(raw),
            rows: Vec::new(),
            active: Active::default(),
            fold: Fold::new(month),
        })
    }

    /// Roll-ups lie aside under this number until the part has one. Those of a reprocess have that of their part, which is less.
    pub(super) fn aside(&self) -> i64 {
        -(i64::from(self.key.import) << 32) - self.key.month.number()
    }

    /// Takes a row, numbers it, and moves its session's number behind those that are there.
    pub(super) fn add(&mut self, mut row: Row, scene: &mut Scene<'_>) {
        row.id = self.hits + 1;
        let at = self.start + row.at;
        if row.session > 0 {
            row.session += self.base;
            self.next_session = self.next_session.max(row.session + 1);
        }
        self.hits += 1;
        self.least = Some(self.least.map_or(at, |least| least.min(at)));
        self.greatest = Some(self.greatest.map_or(at, |greatest| greatest.max(at)));
        let step = self.active.add(self.key.month, self.start, &row);
        self.fold.add(&row, &step, scene);
        self.rows.push(row);
    }

    /// Rows go to the file, and the sessions that have ended; with numbers as the source gave them.
    pub(super) fn write(&mut self, ended: &[SessionId]) -> Result<(), Error> {
        let (month, base) = (self.key.month, self.base);
        let moved: Vec<_> = ended.iter().filter(|id| id.month == month).map(|id| SessionId { month, number: id.number + base }).collect();
        let Some(raw) = &self.raw else { return Ok(()) };
        let write = || -> rusqlite::Result<()> {
            raw::insert(raw, month, &self.rows)?;
            active::put_ended(raw, month, &self.active, &moved)
        };
        write().context(&format!("write hits to {}", self.key))?;
        self.rows.clear();
        self.active.forget_changed(|_| false);
        moved.into_iter().for_each(|id| self.active.remove(id));
        Ok(())
    }

    /// Enough was folded to be put aside.
    pub(super) fn is_full(&self) -> bool {
        self.fold.len() >= ROWS_A_FOLD
    }

    pub(super) fn put_aside(&mut self, opened: &Opened) -> Result<(), Error> {
        let put = || -> rusqlite::Result<()> {
            let tx = opened.main.unchecked_transaction()?;
            rollup::write(&tx, self.aside(), &self.fold, opened.dictionary.devices())?;
            tx.commit()
        };
        put().context("write roll-ups of an import aside")?;
        self.fold.clear();
        Ok(())
    }

    /// The rest of its file, on a thread of its own: sessions that the source has not ended, the index, all of it forced to the disk.
    pub(super) fn close(&mut self, directory: &Path) -> Result<Beside, Error> {
        let (month, file) = (self.key.month, unlisted(&self.key.file(directory)));
        let (raw, active) = (self.raw.take(), std::mem::take(&mut self.active));
        Beside::start(move || {
            let Some(raw) = raw else { return Ok(()) };
            let ids: Vec<_> = active.iter().map(|(id, _)| id).filter(|id| id.number > 0).collect();
            let end = || -> rusqlite::Result<()> {
                active::put_ended(&raw, month, &active, &ids)?;
                raw.execute_batch(&format!(
                    "commit; create index sessions_user_{month} on sessions_{month} (user); pragma analysis_limit = 400; analyze sessions_{month};"
                ))
            };
            end().context(&format!("finish {}", file.display()))?;
            File::open(&file)?.sync_all()?;
            Ok(())
        })
    }

    /// The rest of what follows from it.
    pub(super) fn total(&mut self, opened: &Opened) -> Result<(), Error> {
        self.put_aside(opened)?;
        let total = || -> rusqlite::Result<()> {
            let tx = opened.main.unchecked_transaction()?;
            totals::write(&tx, self.aside())?;
            tx.commit()
        };
        total().context("write the totals of an import aside")
    }

    /// Gives the file its name beside the other, right before the part is listed: whoever reads finds it from then on. Where a file
    /// can have but one name it gets it afterwards.
    pub(super) fn name(&self, directory: &Path) -> Result<(), Error> {
        let file = self.key.file(directory);
        if let Err(error) = fs::hard_link(unlisted(&file), &file) {
            tracing::debug!(part = %self.key, %error, "a file cannot have two names here");
        }
        File::open(directory)?.sync_all()?;
        Ok(())
    }

    /// Takes the name away that it had before it was listed.
    pub(super) fn settle(&self, directory: &Path) -> Result<(), Error> {
        let file = self.key.file(directory);
        match file.exists() {
            true => fs::remove_file(unlisted(&file))?,
            false => fs::rename(unlisted(&file), &file)?,
        }
        File::open(directory)?.sync_all()?;
        Ok(())
    }

    pub(super) fn delete(self, opened: &Opened, directory: &Path) {
        drop(rollup::delete(&opened.main, self.aside()));
        drop(self.raw);
        drop(remove_both(&self.key.file(directory)));
    }
}

/// Deletes a file that was never listed, under whatever name it has already.
fn remove_both(file: &Path) -> std::io::Result<()> {
    let new = unlisted(file);
    // Another file of this name is none of ours.
    if new.exists() && Inode::of(file) == Inode::of(&new) {
        fs::remove_file(file)?;
    }
    fs::remove_file(new)
}

/// After a crash: a file that was listed gets its name, one that was not is deleted.
pub(in crate::store) fn tidy(directory: &Path, is_listed: impl Fn(PartKey) -> bool) -> Result<(), Error> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let (name, is_journal) = match name.strip_suffix("-journal") {
            Some(name) => (name, true),
            None => (name, false),
        };
        let Some(key) = name.strip_suffix(".new").and_then(PartKey::from_name) else { continue };
        let file = key.file(directory);
        if is_journal || (is_listed(key) && file.exists()) {
            fs::remove_file(&path)?;
        } else if is_listed(key) {
            fs::rename(&path, file)?;
            tracing::info!(part = %key, "an import was interrupted right at its end; its file has its name now");
        } else {
            remove_both(&file)?;
            tracing::info!(part = %key, "what an import that was interrupted had written is deleted");
        }
    }
    Ok(())
}

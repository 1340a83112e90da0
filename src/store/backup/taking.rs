use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use rusqlite::Connection;
use sha2::{Digest, Sha256};

use super::{
    Backup, BackupFile, MANIFEST, database,
    place::{self, Place, in_words, refused},
    trim::trim,
};
use crate::{
    clock::Clock,
    error::{Error, ErrorKind},
    store::{
        connection::{Context, main_file, reader},
        part::{Part, PartState},
        plain_files::{archived_files, files_of_plugins},
        schema::{MetaKey, check_version, meta_get},
    },
};

/// As often everything begins again because a month was put away or fetched back meanwhile.
const TRIES: usize = 3;

/// Copies a directory to a place that is not there yet, with what was put away of it or without; tells the bytes done and of how many.
pub(crate) fn take(
    from: &Path,
    to: &Path,
    with_archives: bool,
    clock: &Clock,
    mut progress: impl FnMut(u64, u64),
) -> Result<Backup, Error> {
    let mut place = Place::new(from, to)?;
    place.make()?;
    for _ in 0..TRIES {
        let mut taking = Taking { from, to: place.partial(), with_archives, done: 0, total: 0, progress: &mut progress };
        if let Some(mut backup) = taking.all(clock)? {
            backup.replaced = place.replaced;
            backup.directory = place.finish()?;
            return Ok(backup);
        }
        tracing::info!("months were put away, fetched back or deleted while they were copied: the backup begins again");
        place.clear()?;
        place.make()?;
    }
    let message =
        "months were put away, fetched back or deleted again and again while they were copied: let that end, and make the backup again";
    Err(Error::new(ErrorKind::Storage, message))
}

pub(super) struct Taking<'a> {
    pub(super) from: &'a Path,
    pub(super) to: &'a Path,
    pub(super) with_archives: bool,
    done: u64,
    total: u64,
    progress: &'a mut dyn FnMut(u64, u64),
}

impl Taking<'_> {
    /// None if it is of no one moment.
    fn all(&mut self, clock: &Clock) -> Result<Option<Backup>, Error> {
        let access = Some(self.from.join("access.db")).filter(|file| file.exists());
        let plain = self.plain_files()?;
        let live = reader(&main_file(self.from)).context("open analytics.db for reading")?;
        check_version(&live, self.from)?;
        let parts = Part::list(&live).context("read the parts in analytics.db")?;
        let elsewhere: Vec<PathBuf> = match self.with_archives {
            true => parts.iter().filter_map(|part| part.archived.as_ref()).map(|archived| archived.file(self.from)).collect(),
            false => Vec::new(),
        };
        let elsewhere = elsewhere.iter().filter(|file| !plain.contains(file));
        let parts: Vec<PathBuf> = parts.iter().filter(|part| part.state.has_raw()).map(|part| part.key.file(self.from)).collect();
        let databases = parts.iter().chain(access.iter()).chain([&main_file(self.from)]).map(|file| database::size(file)).sum::<u64>();
        let length = |file: &PathBuf| fs::metadata(file).map_or(0, |meta| meta.len());
        self.total = databases + plain.iter().chain(elsewhere).map(length).sum::<u64>();
        // What is recorded meanwhile comes on top, and is cut off again.
        place::check_room(self.to, self.total + self.total / 50 + (4 << 20))?;

        let taken = clock.now();
        let main = self.database(&main_file(self.from))?;
        let folds = meta_get::<i64>(&main, MetaKey::Folds).context("read the copy of analytics.db")?.unwrap_or(0);
        let mut copied = vec![main_file(Path::new(""))];
        let mut parts = Part::list(&main).context("read the parts in the copy of analytics.db")?;
        for part in parts.iter().filter(|part| part.state.has_raw()) {
            let file = part.key.file(self.from);
            if !file.exists() {
                return Ok(None);
            }
            let copy = self.database(&file)?;
            trim(&copy, part, &main, folds).context(&format!("cut the copy of {} off", part.key))?;
            copied.push(part.key.file(Path::new("")));
        }
        if let Some(access) = access {
            self.database(&access)?;
            copied.push("access.db".into());
        }
        for file in plain {
            if let Some(path) = self.plain(&file)? {
                copied.push(path);
            }
        }
        let archives = self.archives(&mut parts)?;
        for part in parts.iter().filter(|_| self.with_archives) {
            part.put_archived(&main).context("say in the copy of analytics.db where archives lie")?;
        }
        copied.extend(archives.fetched);
        if states(&parts) != states(&Part::list(&live).context("read the parts in analytics.db")?) {
            return Ok(None);
        }
        drop(main);
        let is_missed = |part: &Part| archives.missed.iter().any(|(month, _)| *month == part.month.to_string());
        let is_without = |part: &&Part| match part.state {
            PartState::Dropped | PartState::Missing => true,
            PartState::Archived => !self.with_archives || is_missed(part),
            PartState::Open | PartState::Sealed => false,
        };
        let without_raw = parts.iter().filter(is_without);
        let mut backup = Backup {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            taken: jiff::Timestamp::try_from(taken).unwrap_or_default().to_string(),
            without_raw: without_raw.map(|part| part.month.to_string()).collect(),
            faults: archives.missed.iter().map(|(month, what)| format!("{month}: {what}")).collect(),
            ..Backup::default()
        };
        for path in copied {
            backup.files.push(self.seal(&path)?);
        }
        self.manifest(&backup)?;
        Ok(Some(backup))
    }

    fn plain_files(&self) -> Result<Vec<PathBuf>, Error> {
        let archived = || if self.with_archives { archived_files(self.from) } else { Ok(Vec::new()) };
        let files = || -> io::Result<Vec<PathBuf>> { Ok([archived()?, files_of_plugins(self.from)?].concat()) };
        let mut files = files().map_err(|error| refused(self.from, error))?;
        files.retain(|file| !is_beside_a_database(file));
        Ok(files)
    }

    fn database(&mut self, from: &Path) -> Result<Connection, Error> {
        let to = self.to.join(from.file_name().unwrap_or_default());
        let Self { done, total, progress, .. } = self;
        database::copy(from, &to, |bytes| {
            *done += bytes;
            progress((*done).min(*total), *total);
        })
    }

    /// Its path in the directory; none if it went away meanwhile, as files of plugins may.
    fn plain(&mut self, from: &Path) -> Result<Option<PathBuf>, Error> {
        let path = from.strip_prefix(self.from).unwrap_or(from).to_owned();
        let to = self.to.join(&path);
        to.parent().map_or(Ok(()), place::make_private).map_err(|error| refused(&to, error))?;
        if is_called_a_database(from) {
            // A plugin has it open in this process, perhaps: were it opened and closed as a plain file, all locks on it would be lost.
            match database::copy(from, &to, |bytes| self.done += bytes) {
                Ok(_) => return Ok(Some(path)),
                Err(_) if !from.exists() => return Ok(None),
                Err(error) if error.kind() != ErrorKind::Directory => return Err(error),
                // It is none.
                Err(_) => drop(fs::remove_file(&to)),
            }
        }
        match fs::copy(from, &to) {
            Ok(bytes) => self.tell(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound && !from.exists() => return Ok(None),
            Err(error) => return Err(refused(&to, error)),
        }
        Ok(Some(path))
    }

    pub(super) fn tell(&mut self, bytes: u64) {
        self.done += bytes;
        (self.progress)(self.done.min(self.total), self.total);
    }

    /// Forces a file to the disk, and reads once more what is there.
    fn seal(&self, path: &Path) -> Result<BackupFile, Error> {
        let file = self.to.join(path);
        let seal = || -> io::Result<BackupFile> {
            let mut file = File::open(&file)?;
            file.sync_all()?;
            let (mut hash, mut bytes, mut piece) = (Sha256::new(), 0, vec![0; 1 << 16]);
            loop {
                let read = file.read(&mut piece)?;
                if read == 0 {
                    break;
                }
                hash.update(&piece[..read]);
                bytes += read as u64;
            }
            let sha256 = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
            Ok(BackupFile { path: in_words(path), bytes, sha256 })
        };
        seal().map_err(|error| refused(&file, error))
    }

    fn manifest(&self, backup: &Backup) -> Result<(), Error> {
        let write = || -> io::Result<()> {
            let mut file = File::create(self.to.join(MANIFEST))?;
            writeln!(file, "{}", serde_json::to_string_pretty(backup)?)?;
            file.sync_all()
        };
        write().map_err(|error| refused(&self.to.join(MANIFEST), error))
    }
}

fn is_called_a_database(file: &Path) -> bool {
    let extension = file.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| ["db", "sqlite", "sqlite3"].contains(&extension))
}

/// What SQLite keeps beside a database is of it.
fn is_beside_a_database(file: &Path) -> bool {
    let name = file.to_str().unwrap_or_default();
    let main = ["-wal", "-shm", "-journal"].iter().find_map(|suffix| name.strip_suffix(suffix));
    main.is_some_and(|main| is_called_a_database(Path::new(main)))
}

/// Which raw files there are to copy, and which were put away.
fn states(parts: &[Part]) -> Vec<(i64, bool, bool)> {
    let is_here = |part: &Part| (part.number, part.state.has_raw(), part.state == PartState::Archived);
    parts.iter().filter(|part| part.state != PartState::Missing).map(is_here).collect()
}

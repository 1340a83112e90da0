use std::{
    fs, io,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

use super::{Step, Work};
use crate::{
    error::{Error, ErrorKind},
    sink::{LetGo, Salt},
    store::{
        archive,
        compact::{compact, empty_log},
        connection::{Context, Synchronous},
        opened::Opened,
        part::Part,
        part_key::PartKey,
        plain_files::archived_files,
        schema::{self, MetaKey, meta_get, meta_set},
    },
};

/// What a [`reset`](crate::Maintenance::reset) has deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Reset {
    /// Files of raw hits, archived ones among them.
    pub files: u64,
    /// What they and what followed from them took of the disk, in bytes.
    pub bytes: u64,
}

/// Empties analytics.db in one transaction that says so; the files are deleted by the start that follows, in this process or after
/// a crash.
pub(super) struct BeginAnew {
    job: i64,
}

impl BeginAnew {
    pub(super) fn asked(job: i64) -> Self {
        Self { job }
    }
}

impl Work for BeginAnew {
    fn slice(&mut self, opened: &mut Opened, _: &Path) -> Result<Step, Error> {
        // Of what was replayed into memory nothing is to be written any more: from here on it is the start's.
        Synchronous::Full.set(&opened.main).context("begin anew")?;
        let elsewhere = serde_json::to_string(&elsewhere(opened)).unwrap_or_default();
        let emptied = empty(&mut opened.main, self.job, &elsewhere).context("empty analytics.db");
        Synchronous::Normal.set(&opened.main).context("begin anew")?;
        emptied?;
        tracing::warn!("everything that was recorded is deleted, as was asked for");
        opened.let_go = LetGo::Everything;
        Ok(Step::More { done: 0, total: 1 })
    }
}

/// Archives that lie in no place of ours, each with the id of what it holds: analytics.db is about to forget them.
fn elsewhere(opened: &Opened) -> Vec<(String, Salt)> {
    let archived = |part: &Part| Some((part.archived.as_ref()?.place.clone(), part.file_id));
    opened.parts.values().filter_map(archived).filter(|(place, _)| Path::new(place).is_absolute()).collect()
}

fn empty(main: &mut Connection, job: i64, elsewhere: &str) -> rusqlite::Result<()> {
    // Statements that are kept ready hold their tables.
    main.flush_prepared_statement_cache();
    let tx = main.transaction()?;
    schema::begin_anew(&tx)?;
    meta_set(&tx, MetaKey::Resetting, job)?;
    let running = "insert into jobs (id, kind, argument, state, done, total, message, changed) values (?, 'reset', ?, 'running', 0, 1, '', unixepoch())";
    tx.execute(running, params![job, elsewhere])?;
    tx.commit()
}

/// At a start: what a reset has left to do. Only then is the job done, and whatever is recorded next is new.
pub(in crate::store) fn finish(main: &Connection, directory: &Path) -> Result<(), Error> {
    let Some(job) = meta_get::<i64>(main, MetaKey::Resetting).context("read analytics.db")? else { return Ok(()) };
    let mut reset = Reset { files: 0, bytes: size(&directory.join("analytics.db")) };
    let refused = |error: io::Error| {
        let message = format!("cannot delete what was recorded in {}: check who owns the files in it", directory.display());
        Error::new(ErrorKind::Directory, message).with_source(error)
    };
    let elsewhere: String = main
        .query_row("select argument from jobs where id = ?", [job], |row| row.get(0))
        .optional()
        .context("read analytics.db")?
        .unwrap_or_default();
    let elsewhere: Vec<(String, Salt)> = serde_json::from_str(&elsewhere).unwrap_or_default();
    // Whatever else lies there by that name is somebody's.
    let ours = elsewhere.iter().filter(|(place, id)| archive::is_of(Path::new(place), id).unwrap_or(false));
    let ours: Vec<PathBuf> = ours.map(|(place, _)| PathBuf::from(place)).collect();
    for file in recorded_files(directory).map_err(refused)?.into_iter().chain(ours) {
        reset.bytes += size(&file);
        reset.files += u64::from(file.extension().is_some_and(|extension| extension == "db" || extension == "zst"));
        fs::remove_file(&file).map_err(refused)?;
    }
    #[cfg(unix)]
    fs::File::open(directory).and_then(|directory| directory.sync_all()).map_err(refused)?;
    compact(main).context("make analytics.db small")?;
    // Somebody may still read: it becomes small with the next one.
    drop(empty_log(main));
    reset.bytes = reset.bytes.saturating_sub(size(&directory.join("analytics.db")));
    let end = || -> rusqlite::Result<()> {
        let tx = main.unchecked_transaction()?;
        tx.execute("delete from meta where key = ?", [MetaKey::Resetting.name()])?;
        let result = serde_json::to_string(&reset).unwrap_or_default();
        tx.execute("update jobs set state = 'done', done = 1, result = ?, argument = '' where id = ?", params![result, job])?;
        tx.commit()
    };
    end().context("end the reset in analytics.db")
}

/// Raw files with what SQLite keeps beside them, and archived ones.
fn recorded_files(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = archived_files(directory)?;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let is_raw = entry.file_name().to_str().is_some_and(|name| {
            let main = ["-wal", "-shm", "-journal"].iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name);
            PartKey::from_name(main).is_some()
        });
        files.extend(is_raw.then(|| entry.path()));
    }
    Ok(files)
}

fn size(file: &Path) -> u64 {
    fs::metadata(file).map_or(0, |meta| meta.len())
}

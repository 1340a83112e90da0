//! What a reset leaves to the start that follows it: all that was recorded is deleted, whether it is this process or another.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

use super::{
    archive,
    compact::{compact, empty_log},
    connection::Context,
    part_key::PartKey,
    plain_files::archived_files,
    schema::{MetaKey, meta_get},
};
use crate::{
    error::{Error, ErrorKind},
    sink::Salt,
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
    let ours = elsewhere.iter().filter(|(place, id)| archive::is_of(&directory.join(place), id).unwrap_or(false));
    let ours: Vec<PathBuf> = ours.map(|(place, _)| directory.join(place)).collect();
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

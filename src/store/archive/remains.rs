//! What a process that was killed may have left behind.

use std::{collections::BTreeMap, fs, io, path::Path};

use rusqlite::Connection;

use super::Archived;
use crate::{
    sink::Salt,
    store::{
        connection::reader,
        part::{Part, PartState},
        part_key::PartKey,
    },
};

/// Deletes a raw file with what lies beside it. Whoever reads it goes on doing so.
pub(in crate::store) fn remove_raw(file: &Path) -> io::Result<()> {
    for file in [file.to_owned(), file.with_extension("db-wal"), file.with_extension("db-shm")] {
        gone(fs::remove_file(file))?;
    }
    Ok(())
}

/// Deletes what was put away; an error too if the disk that it is on is not there.
pub(in crate::store) fn remove_archive(archived: &Archived, directory: &Path) -> io::Result<()> {
    let file = archived.file(directory);
    file.parent().map_or(Ok(()), |parent| fs::metadata(parent).map(drop))?;
    gone(fs::remove_file(file))
}

fn gone(result: io::Result<()>) -> io::Result<()> {
    result.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

/// At a start: files that were not finished, and those whose end was written down and that were not deleted any more.
pub(in crate::store) fn tidy(main: &Connection, parts: &mut BTreeMap<PartKey, Part>, directory: &Path) -> rusqlite::Result<()> {
    for place in [directory.to_owned(), directory.join("archive")] {
        for file in fs::read_dir(place).into_iter().flatten().flatten() {
            let name = file.file_name().to_string_lossy().into_owned();
            let stem = name.strip_suffix(".part").map(|stem| stem.trim_end_matches(".zst"));
            if stem.and_then(PartKey::from_name).is_some() {
                tracing::info!(file = name, "a file that was not finished is deleted");
                warn(&name, fs::remove_file(file.path()));
            }
        }
    }
    for part in parts.values_mut().filter(|part| part.state.is_closed()) {
        let file = part.key.file(directory);
        let archive = part.archived.as_ref().map(|archived| archived.file(directory));
        let is_safe = part.state == PartState::Dropped || archive.is_some_and(|archive| archive.exists());
        if file.exists() {
            match is_safe && id_of(&file).is_ok_and(|id| id == part.file_id) {
                true => warn(&part.key.to_string(), remove_raw(&file)),
                false => {
                    tracing::warn!(part = %part.key, state = part.state.name(), "a raw file is there that should not be; it is left alone")
                }
            }
        } else {
            // Of a file that is gone there may be these.
            warn(&part.key.to_string(), remove_raw(&file));
        }
        if part.state == PartState::Dropped && part.archived.is_some() {
            give_up_archive(main, part, directory)?;
        }
    }
    Ok(())
}

/// Deletes what was put away of a part that is given up, and then forgets where it was.
pub(in crate::store) fn give_up_archive(main: &Connection, part: &mut Part, directory: &Path) -> rusqlite::Result<()> {
    let Some(archived) = &part.archived else { return Ok(()) };
    match remove_archive(archived, directory) {
        Ok(()) => {
            part.archived = None;
            part.put_archived(main)
        }
        Err(error) => {
            let file = archived.file(directory);
            tracing::warn!(file = %file.display(), %error, "an archive of dropped hits cannot be deleted; it is tried again at the next start");
            Ok(())
        }
    }
}

fn id_of(file: &Path) -> rusqlite::Result<Salt> {
    reader(file)?.query_row("select file_id from part", [], |row| row.get(0))
}

fn warn(name: &str, result: io::Result<()>) {
    if let Err(error) = result {
        tracing::warn!(file = name, %error, "a file that is needed no longer cannot be deleted");
    }
}

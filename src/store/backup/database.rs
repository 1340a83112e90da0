use std::{fs::OpenOptions, io, path::Path, thread, time::Duration};

use rusqlite::{Connection, ErrorCode, OpenFlags, backup};

use super::place::{is_full, refused};
use crate::{
    error::Error,
    store::connection::{Context, reader},
};

const PAGES_A_STEP: i32 = 1024;
/// So long whoever holds a file is waited for, between tries.
const MOMENT: Duration = Duration::from_millis(20);

/// Copies a database as it is at one moment, into a file of its owner alone; tells the bytes of each step.
pub(super) fn copy(from: &Path, to: &Path, mut step: impl FnMut(u64)) -> Result<Connection, Error> {
    let name = from.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(to).map_err(|error| refused(to, error))?;
    let source = reader(from).context(&format!("open {name} for reading"))?;
    let mut copy = || -> rusqlite::Result<Connection> {
        let mut target = Connection::open_with_flags(to, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        // Until it has its name it is worth nothing, and then all of it is forced to the disk.
        target.pragma_update(None, "synchronous", "OFF")?;
        let page: u64 = source.query_row("pragma page_size", [], |row| row.get::<_, i64>(0))?.unsigned_abs();
        let mode: String = source.query_row("pragma journal_mode", [], |row| row.get(0))?;
        if mode == "wal" {
            // One snapshot for all steps. A plain file has none: its steps let the writer in between, and begin again if it came.
            source.execute_batch("begin; select count(*) from sqlite_schema")?;
        }
        let backup = backup::Backup::new(&source, &mut target)?;
        let mut done = 0;
        loop {
            let stepped = backup.step(PAGES_A_STEP)?;
            let progress = backup.progress();
            let now = u64::from((progress.pagecount - progress.remaining).unsigned_abs()) * page;
            step(now.saturating_sub(done));
            if now < done && source.is_autocommit() {
                // It was written meanwhile and has a log now.
                source.execute_batch("begin; select count(*) from sqlite_schema")?;
            }
            done = now;
            match stepped {
                backup::StepResult::Done => break,
                backup::StepResult::More => {}
                _ => thread::sleep(MOMENT),
            }
        }
        drop(backup);
        // A plain file: what is cut off goes into it and not into a log beside it.
        target.pragma_update_and_check(None, "journal_mode", "DELETE", |row| row.get::<_, String>(0))?;
        Ok(target)
    };
    match copy() {
        Err(error) if is_of_full_disk(&error, to) => Err(refused(to, io::ErrorKind::StorageFull.into())),
        copied => copied.context(&format!("copy {name}")),
    }
}

fn is_of_full_disk(error: &rusqlite::Error, to: &Path) -> bool {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => true,
        Some(ErrorCode::SystemIoFailure) => is_full(to),
        _ => false,
    }
}

/// How many bytes a database has, in its pages.
pub(super) fn size(file: &Path) -> u64 {
    let pages = || -> rusqlite::Result<i64> {
        let connection = reader(file)?;
        let number = |pragma: &str| connection.query_row(&format!("pragma {pragma}"), [], |row| row.get::<_, i64>(0));
        Ok(number("page_count")? * number("page_size")?)
    };
    pages().map_or(0, i64::unsigned_abs)
}

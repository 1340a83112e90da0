//! What SQLite says of the pages of each file, as far as it comes in a given time: newest months first.

use std::{
    path::Path,
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, ErrorCode};

use super::look::Look;
use crate::{
    error::Error,
    store::{connection::is_damage, part_key::PartKey},
};

/// What a short look found.
#[derive(Debug, Default)]
pub(crate) struct Quick {
    /// Each file that is damaged, and the first thing that is wrong with it.
    pub(crate) damaged: Vec<(String, String)>,
    /// Files for which there was no time.
    pub(crate) unchecked: Vec<String>,
}

/// Looks at the pages of every file for at most so long. Values in a page may be wrong all the same: `verify` compares them.
pub(crate) fn quick(directory: &Path, limit: Duration) -> Result<Quick, Error> {
    let (mut look, mut found) = (Look::new(directory), Quick::default());
    let deadline = Instant::now() + limit;
    let mut files = look.files(&[])?;
    files.retain(|file| file == "analytics.db" || file == "access.db" || PartKey::from_name(file).is_some());
    files.sort_by_key(|file| (PartKey::from_name(file).map(std::cmp::Reverse), file.clone()));
    for file in files {
        match look.open(&file).and_then(|connection| first_fault(&connection, deadline)) {
            Ok(None) => {}
            Ok(Some(what)) => found.damaged.push((file, what)),
            Err(error) if is_damage(&error) => found.damaged.push((file, error.to_string())),
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => found.unchecked.push(file),
            // Who may not read it, or holds it, is said by whoever needs it.
            Err(_) => {}
        }
    }
    look.finish()?;
    Ok(found)
}

fn first_fault(connection: &Connection, deadline: Instant) -> rusqlite::Result<Option<String>> {
    let interrupt = connection.get_interrupt_handle();
    let (done, waits) = mpsc::channel::<()>();
    // Again and again: one that comes before the statement has begun is for nobody.
    let watch = move || {
        let left = || deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(5));
        while waits.recv_timeout(left()) == Err(RecvTimeoutError::Timeout) {
            interrupt.interrupt();
        }
    };
    thread::scope(|scope| {
        // Without a thread to end it nothing is begun.
        if Instant::now() >= deadline || thread::Builder::new().spawn_scoped(scope, watch).is_err() {
            return Err(interrupted());
        }
        let word = connection.query_row("pragma quick_check(1)", [], |row| row.get::<_, String>(0));
        drop(done);
        word.map(|word| (word != "ok").then_some(word))
    })
}

fn interrupted() -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_INTERRUPT), None)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Two parts and analytics.db, each with many pages.
    fn directory() -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        for file in ["analytics.db", "analytics-202610.db", "analytics-202611.db"] {
            let filled = "create table t (x); with recursive n (n) as (select 1 union all select n + 1 from n where n < 20000)
                          insert into t select randomblob(100) from n";
            Connection::open(directory.path().join(file)).unwrap().execute_batch(filled).unwrap();
        }
        directory
    }

    #[test]
    fn a_page_that_is_no_page_is_found_in_any_file_and_newest_months_come_first() {
        let directory = directory();
        let all = ["analytics.db", "analytics-202611.db", "analytics-202610.db"];
        let quick_look = |limit| quick(directory.path(), limit).unwrap();
        let found = quick_look(Duration::from_secs(60));
        assert!(found.damaged.is_empty() && found.unchecked.is_empty(), "{found:?}");
        assert_eq!(quick_look(Duration::ZERO).unchecked, all);
        for file in all {
            let file = directory.path().join(file);
            let mut bytes = fs::read(&file).unwrap();
            let middle = bytes.len() / 8192 * 4096;
            bytes[middle..middle + 4096].fill(0xa5);
            fs::write(&file, bytes).unwrap();
        }
        let damaged: Vec<_> = quick_look(Duration::from_secs(60)).damaged.into_iter().map(|(file, _)| file).collect();
        assert_eq!(damaged, all);
    }

    #[test]
    fn a_look_ends_when_its_time_is_over_in_the_middle_of_a_file() {
        let directory = directory();
        let connection = Connection::open(directory.path().join("analytics.db")).unwrap();
        // Far more than a millisecond's work.
        for _ in 0..6 {
            connection.execute_batch("insert into t select x from t").unwrap();
        }
        let error = first_fault(&connection, Instant::now() + Duration::from_millis(1)).unwrap_err();
        assert_eq!(error.sqlite_error_code(), Some(ErrorCode::OperationInterrupted));
        assert_eq!(first_fault(&connection, Instant::now() + Duration::from_secs(60)).unwrap(), None);
    }
}

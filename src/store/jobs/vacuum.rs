use std::{
    collections::VecDeque,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rusqlite::{Connection, ErrorCode, OpenFlags};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{FailedFile, Step, Work, failed};
use crate::{
    error::{Error, ErrorKind},
    store::{
        compact::{compact, empty_log, pages},
        connection::{Context, main_file},
        opened::Opened,
    },
};

/// What a [`vacuum`](crate::Maintenance::vacuum) did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Vacuumed {
    /// Each file that was looked at.
    pub files: Vec<VacuumedFile>,
    /// Files that are as they were, and why.
    #[serde(default)]
    pub failed: Vec<FailedFile>,
}

/// A file of the directory, with the log beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct VacuumedFile {
    /// Its name in the directory.
    pub name: String,
    /// Bytes before.
    pub before: u64,
    /// Bytes afterwards.
    pub after: u64,
}

/// One file a slice. Recording waits for it in the bounded queue.
pub(super) struct MakeSmall {
    files: VecDeque<PathBuf>,
    done: Vec<VacuumedFile>,
    failed: Vec<FailedFile>,
    in_hand: Option<InHand>,
}

/// A file that somebody reads just now.
#[derive(Clone, Copy)]
struct InHand {
    before: u64,
    since: Instant,
    /// It was written anew: what is left is its log.
    is_small: bool,
}

/// So long whoever reads a file is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

impl MakeSmall {
    pub(super) fn asked(opened: &Opened, directory: &Path) -> Self {
        let parts = opened.parts.values().filter(|part| part.state.has_raw()).map(|part| part.key.file(directory));
        let files = [main_file(directory), directory.join("access.db")].into_iter().chain(parts);
        Self { files: files.filter(|file| file.exists()).collect(), done: Vec::new(), failed: Vec::new(), in_hand: None }
    }

    fn total(&self) -> i64 {
        (self.done.len() + self.failed.len() + self.files.len()) as i64
    }
}

impl Work for MakeSmall {
    fn slice(&mut self, opened: &mut Opened, directory: &Path) -> Result<Step, Error> {
        let Some(file) = self.files.front().cloned() else {
            return failed::end(self.done.len(), &self.failed, json!({ "files": self.done, "failed": self.failed }));
        };
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        self.go_on(opened, &file, &name, directory).or_else(|error| {
            // It comes first, and nothing was done.
            if file == main_file(directory) {
                return Err(error);
            }
            failed::note(&mut self.failed, name, &error);
            self.files.pop_front();
            self.in_hand = None;
            Ok(Step::More { done: (self.done.len() + self.failed.len()) as i64, total: self.total() })
        })
    }
}

impl MakeSmall {
    /// The front one, or as much of it as whoever reads it lets.
    fn go_on(&mut self, opened: &mut Opened, file: &Path, name: &str, directory: &Path) -> Result<Step, Error> {
        let is_main = file == main_file(directory);
        let mut own = None;
        if !is_main {
            // Its pages are cached by nobody here: the writer opens it again when it next needs it.
            opened.parts.values_mut().filter(|part| part.key.file(directory) == file).for_each(|part| part.close());
            own = Some(open(file).context(&format!("open {name} to make it small"))?);
        }
        let connection = own.as_ref().unwrap_or(&opened.main);
        let begun = InHand { before: size(file), since: Instant::now(), is_small: false };
        let mut in_hand = self.in_hand.take().unwrap_or(begun);
        let emptied = make_small(connection, is_main, &mut in_hand.is_small);
        match emptied {
            Ok(true) => {
                drop(own);
                self.done.push(VacuumedFile { name: name.to_owned(), before: in_hand.before, after: size(file) });
                self.files.pop_front();
            }
            Ok(false) if in_hand.since.elapsed() < PATIENCE => self.in_hand = Some(in_hand),
            Ok(false) => {
                let message = format!(
                    "somebody has read {name} for more than {} s: its log cannot be emptied before that ends (a backup, a long question, a shell of SQLite); vacuum again then",
                    PATIENCE.as_secs()
                );
                return Err(Error::new(ErrorKind::Storage, message));
            }
            Err(error) => {
                // What it has written of itself into the log takes room that is now missing.
                drop(empty_log(connection));
                return Err(error).context(&format!("make {name} small (it is as it was)"));
            }
        }
        Ok(Step::More { done: (self.done.len() + self.failed.len()) as i64, total: self.total() })
    }
}

/// `false` if somebody reads it just now.
fn make_small(connection: &Connection, is_main: bool, is_small: &mut bool) -> rusqlite::Result<bool> {
    if !*is_small {
        let (pages, free) = pages(connection)?;
        // Raw files are large, and nothing goes from them but sessions that were cut off: for less it is not worth the wait.
        if is_main || free * 100 >= pages.max(1) {
            match compact(connection) {
                Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => return Ok(false),
                done => done?,
            }
        }
        *is_small = true;
    }
    empty_log(connection)
}

/// In the mode that it is in: a complete part stays a plain file.
fn open(file: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(Duration::from_secs(2))?;
    Ok(connection)
}

fn size(file: &Path) -> u64 {
    let mut log = file.as_os_str().to_owned();
    log.push("-wal");
    [file.to_owned(), PathBuf::from(log)].iter().filter_map(|file| fs::metadata(file).ok()).map(|meta| meta.len()).sum()
}

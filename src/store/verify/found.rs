use std::collections::BTreeMap;

use serde::Serialize;

use crate::error::Error;

/// What a look through a directory found, see [`Reports::verify`](crate::Reports::verify).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Verified {
    /// Files that were read.
    pub files: u64,
    /// Raw hits that were read.
    pub hits: u64,
    /// What is wrong, in the order in which it was found. Of one table at most 20 are named; the last then says how many more there are.
    pub faults: Vec<Fault>,
    /// What could not be compared, and why that is no fault.
    pub notes: Vec<String>,
}

impl Verified {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Fault {
    /// The file, such as `analytics-202611.db`.
    pub file: String,
    /// The table in it; empty if it is about the whole file.
    pub table: String,
    /// Which row, in words; empty if it is about the whole table.
    pub key: String,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub remedy: &'static str,
}

pub(super) const REPROCESS: &str = "reprocess: it makes the roll-ups anew from the raw hits";
pub(super) const RESTORE_FILE: &str = "restore this file from a backup";
pub(super) const RESTORE_BOTH: &str = "restore analytics.db and this file from one backup";

/// More of one table are only counted.
const NAMED: u64 = 20;

#[derive(Default)]
pub(super) struct Found {
    faults: Vec<Fault>,
    notes: Vec<String>,
    of_table: BTreeMap<(String, String), u64>,
    archives: u64,
}

impl Found {
    pub(super) fn add(&mut self, file: &str, table: &str, key: impl Into<String>, what: impl Into<String>, remedy: &'static str) {
        let count = self.of_table.entry((file.to_owned(), table.to_owned())).or_default();
        *count += 1;
        if *count <= NAMED {
            let (file, table) = (file.to_owned(), table.to_owned());
            self.faults.push(Fault { file, table, key: key.into(), what: what.into(), remedy });
        }
    }

    pub(super) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    pub(super) fn read_archive(&mut self) {
        self.archives += 1;
    }

    pub(super) fn unreadable(&mut self, file: &str, table: &str, error: &rusqlite::Error) {
        self.add(file, table, "", format!("cannot be read: {error}"), RESTORE_FILE);
    }

    /// The value; a fault of the file if there is none.
    pub(super) fn of_file<T>(&mut self, file: &str, table: &str, result: rusqlite::Result<T>) -> Option<T> {
        result.map_err(|error| self.unreadable(file, table, &error)).ok()
    }

    pub(super) fn of_main<T>(&mut self, result: Result<T, Error>) -> Option<T> {
        result.map_err(|error| self.add("analytics.db", "", "", error.chain(), RESTORE_FILE)).ok()
    }

    pub(super) fn into_verified(mut self, files: u64, hits: u64) -> Verified {
        for ((file, table), count) in std::mem::take(&mut self.of_table).into_iter().filter(|(_, count)| *count > NAMED) {
            let of = |fault: &&Fault| fault.file == file && fault.table == table;
            let remedy = self.faults.iter().rev().find(of).map_or(RESTORE_FILE, |fault| fault.remedy);
            self.faults.push(Fault { file, table, key: String::new(), what: format!("{} more", count - NAMED), remedy });
        }
        Verified { files: files + self.archives, hits, faults: self.faults, notes: self.notes }
    }
}

use std::time::SystemTime;

use crate::{
    clock::from_millis,
    error::Error,
    store::{Context, Snapshot},
};

/// Long work, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct JobRows {
    /// Each job.
    pub jobs: Vec<JobRow>,
}

/// A piece of long work, done by whoever records.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct JobRow {
    /// Its number, in the order in which it was asked for.
    pub number: u64,
    /// What is done, such as `reprocess` or `archive`.
    pub kind: String,
    /// `waiting`, `running`, `done` or `failed`.
    pub state: String,
    /// How much is done, in whatever the work counts.
    pub done: u64,
    /// Of how much.
    pub total: u64,
    /// Why it failed, or that it was interrupted again and again; empty if all is well.
    pub message: String,
    /// When this was last said of it.
    pub changed: SystemTime,
}

pub(super) fn ask(snapshot: &Snapshot<'_>) -> Result<JobRows, Error> {
    let read = || -> rusqlite::Result<Vec<JobRow>> {
        let mut statement = snapshot.main().prepare_cached(include_str!("jobs.sql"))?;
        let row = |row: &rusqlite::Row<'_>| {
            Ok(JobRow {
                number: row.get::<_, i64>(0)?.unsigned_abs(),
                kind: row.get(1)?,
                state: row.get(2)?,
                done: row.get::<_, i64>(3)?.unsigned_abs(),
                total: row.get::<_, i64>(4)?.unsigned_abs(),
                message: row.get(5)?,
                changed: from_millis(row.get::<_, i64>(6)? * 1000),
            })
        };
        statement.query_map([], row)?.collect()
    };
    Ok(JobRows { jobs: read().context("read the jobs")? })
}

use std::{path::Path, time::SystemTime};

use serde::Serialize;

use super::base::json;
use crate::{
    clock::from_millis,
    error::Error,
    store::{Context, Snapshot},
};

/// One raw file, as analytics.db lists it and as it lies there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PartRow {
    /// Its number, which every roll-up of it carries.
    pub number: i64,
    /// The month, as `202611`.
    pub month: String,
    /// The file's name.
    pub file: String,
    /// `open`, `sealed`, `archived`, `dropped` or `missing`.
    pub state: String,
    /// Hits in it.
    pub hits: u64,
    /// Sessions that began in it.
    pub sessions: u64,
    /// The first hit.
    #[serde(serialize_with = "json::some_time")]
    pub from: Option<SystemTime>,
    /// The last hit.
    #[serde(serialize_with = "json::some_time")]
    pub to: Option<SystemTime>,
    /// The size of the file, in bytes; none if it is not there.
    pub bytes: Option<u64>,
    /// The size of the log beside it.
    pub wal_bytes: u64,
    /// The last raw row that is in the roll-ups.
    pub watermark: i64,
    /// The zone whose days its roll-ups have; empty while they are about to be made anew for another one.
    pub zone: String,
    /// Where its hits came from: `recorder`, or an import.
    pub source: String,
    /// Whether its totals are there, as they are of what is sealed.
    pub totals: bool,
}

pub(super) fn ask(snapshot: &Snapshot<'_>) -> Result<Vec<PartRow>, Error> {
    let read = || -> rusqlite::Result<Vec<PartRow>> {
        let mut statement = snapshot.main().prepare_cached(include_str!("parts.sql"))?;
        let row = |row: &rusqlite::Row<'_>| {
            let file: String = row.get(2)?;
            let count = |column| row.get::<_, i64>(column).map(i64::unsigned_abs);
            Ok(PartRow {
                number: row.get(0)?,
                month: row.get::<_, i64>(1)?.to_string(),
                state: row.get(3)?,
                hits: count(4)?,
                sessions: count(5)?,
                from: row.get::<_, Option<i64>>(6)?.map(from_millis),
                to: row.get::<_, Option<i64>>(7)?.map(from_millis),
                bytes: size(snapshot.directory(), &file),
                wal_bytes: size(snapshot.directory(), &format!("{file}-wal")).unwrap_or_default(),
                watermark: row.get(8)?,
                zone: row.get(9)?,
                source: row.get(10)?,
                totals: row.get(11)?,
                file,
            })
        };
        statement.query_map([], row)?.collect()
    };
    read().context("read the parts in analytics.db")
}

fn size(directory: &Path, file: &str) -> Option<u64> {
    std::fs::metadata(directory.join(file)).ok().map(|meta| meta.len())
}

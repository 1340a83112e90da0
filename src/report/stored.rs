use std::time::SystemTime;

use serde::Serialize;

use super::{base::json, health};
use crate::{
    clock::{Millis, from_millis},
    counters::Counters,
    error::Error,
    store::{Caps, Context, FIRST_VISITOR, Snapshot, caps},
};

/// What a directory holds, whatever the range: see [`Reports::stored`](crate::Reports::stored).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Stored {
    /// People that were ever recorded; merged ones once.
    pub users: u64,
    /// Visitors, the sum of those of each UTC day.
    pub visitors: u64,
    /// Sessions of people and bots.
    pub sessions: u64,
    /// Hits of people and bots.
    pub hits: u64,
    /// Those that failed or answered 500 or more, or with a gRPC status that is not OK.
    pub errors: u64,
    /// The first hit.
    #[serde(serialize_with = "json::some_time")]
    pub first: Option<SystemTime>,
    /// The last hit.
    #[serde(serialize_with = "json::some_time")]
    pub last: Option<SystemTime>,
    /// Months that have hits.
    pub months: u64,
    /// Raw files, see [`Reports::parts`](crate::Reports::parts).
    pub parts: u64,
    /// The size of all files, in bytes.
    pub bytes: u64,
    /// The size of each file, greatest first.
    pub files: Vec<StoredFile>,
    /// The IANA zone of the reporting days.
    pub time_zone: String,
    /// The dictionaries: what is kept apart, up to a cap.
    pub dictionaries: Vec<Dictionary>,
    /// Whether somebody records just now.
    pub recording: bool,
    /// When a writer last said that it lives.
    #[serde(serialize_with = "json::some_time")]
    pub heartbeat: Option<SystemTime>,
    /// What that writer had counted since it began.
    pub counters: Counters,
}

/// A file of the directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StoredFile {
    /// Its name.
    pub name: String,
    /// Its size.
    pub bytes: u64,
}

/// Names that stand for numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Dictionary {
    /// `users`, `endpoints`, `devices` or `errors`; as the settings call its cap.
    pub name: &'static str,
    /// How many it holds.
    pub entries: u64,
    /// How many it holds at most, as whoever records has it, or had it last.
    pub cap: u64,
    /// Hits that came when it was full, and share `(other)`.
    pub other_hits: u64,
}

/// Name, how many there are, and hits past the cap. The first numbers are no entries: nobody, `(other)`, `(unmatched)`.
const DICTIONARIES: [(&str, &str, &str); 4] = [
    ("users", "select count(*) from users where number > 1", "select coalesce(sum(hits), 0) from user_totals where user = 1 and part > 0"),
    (
        "endpoints",
        "select count(*) from endpoints where number > 1",
        "select coalesce(sum(hits), 0) from daily_metrics where dimension = 1 and value = 0 and part > 0",
    ),
    (
        "devices",
        "select count(*) from devices where number > 0",
        "select coalesce(sum(hits), 0) from daily_metrics where dimension = 3 and value = '(other)' and part > 0",
    ),
    (
        "errors",
        "select count(*) from errors where number > 1",
        "select coalesce(sum(hits), 0) from daily_metrics where dimension = 7 and value = 1 and part > 0",
    ),
];

const SUMS: &str =
    "select coalesce(sum(sessions), 0), coalesce(sum(hits), 0), coalesce(sum(errors), 0) from aggregated_metrics where part > 0";
/// Users who count as another one are no people of their own.
const PEOPLE: &str = "select count(*) from users where number > 1 and number not in (select user from aliases)";

pub(super) fn ask(snapshot: &Snapshot<'_>, now: Millis) -> Result<Stored, Error> {
    let health = health::ask(snapshot, now)?;
    let number = |sql: &str| snapshot.main().query_row(sql, [], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs);
    let read = || -> rusqlite::Result<(u64, u64, [u64; 3], Vec<Dictionary>)> {
        let visitors = format!("select coalesce(sum(next - {}), 0) from visitor_days", FIRST_VISITOR + 1);
        let sums = |row: &rusqlite::Row<'_>| Ok([row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?].map(i64::unsigned_abs));
        let caps = caps(snapshot.main())?.unwrap_or_default();
        let dictionary = |(name, entries, other): (&'static str, &str, &str)| {
            Ok(Dictionary { name, entries: number(entries)?, cap: cap(&caps, name), other_hits: number(other)? })
        };
        let dictionaries = DICTIONARIES.into_iter().map(dictionary).collect::<rusqlite::Result<_>>()?;
        Ok((number(PEOPLE)?, number(&visitors)?, snapshot.main().query_row(SUMS, [], sums)?, dictionaries))
    };
    let (users, visitors, [sessions, hits, errors], dictionaries) = read().context("count what is stored")?;
    let (parts, files) = (snapshot.parts(), files(snapshot));
    let mut months: Vec<_> = parts.iter().filter(|part| part.hits > 0).map(|part| part.month).collect();
    months.sort_unstable();
    months.dedup();
    Ok(Stored {
        users,
        visitors,
        sessions,
        hits,
        errors,
        first: parts.iter().filter_map(|part| part.least).min().map(from_millis),
        last: parts.iter().filter_map(|part| part.greatest).max().map(from_millis),
        months: months.len() as u64,
        parts: parts.len() as u64,
        bytes: files.iter().map(|file| file.bytes).sum(),
        files,
        time_zone: health.time_zone,
        dictionaries,
        recording: health.recording,
        heartbeat: health.heartbeat,
        counters: health.counters,
    })
}

fn cap(caps: &Caps, dictionary: &str) -> u64 {
    u64::from(match dictionary {
        "users" => caps.users,
        "endpoints" => caps.endpoints,
        "devices" => caps.devices,
        _ => caps.errors,
    })
}

fn files(snapshot: &Snapshot<'_>) -> Vec<StoredFile> {
    let Ok(entries) = std::fs::read_dir(snapshot.directory()) else { return Vec::new() };
    let file = |entry: std::io::Result<std::fs::DirEntry>| {
        let entry = entry.ok()?;
        let name = entry.file_name().to_string_lossy().into_owned();
        // What readers share while they read, we among them, is no data.
        let meta = entry.metadata().ok().filter(|meta| meta.is_file() && !name.ends_with("-shm"))?;
        Some(StoredFile { name, bytes: meta.len() })
    };
    let mut files: Vec<_> = entries.filter_map(file).collect();
    files.sort_unstable_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.name.cmp(&b.name)));
    files
}

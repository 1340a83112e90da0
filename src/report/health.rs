use std::{
    path::Path,
    time::{Duration, SystemTime},
};

use serde::Serialize;

use super::base::json;
use crate::{
    clock::{Millis, from_millis},
    counters::Counters,
    error::Error,
    store::{Context, MetaKey, PartState, PartView, Snapshot, looks_whole, meta_get},
};

/// How the store and whoever records in it are doing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// When a writer last said that it lives; `None` if none ever did.
    pub heartbeat: Option<SystemTime>,
    /// Whether that was lately enough to believe that it still lives.
    pub recording: bool,
    /// The gap that ends a session, as the writer has it.
    pub session_timeout: Duration,
    /// The IANA zone of the reporting days.
    pub time_zone: String,
    /// What the writer had counted then.
    pub counters: Counters,
    /// The parts, oldest first.
    pub parts: Vec<PartHealth>,
    /// The size of all files, in bytes.
    pub bytes: u64,
}

/// One month's raw file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct PartHealth {
    /// The month, as `202611`.
    pub month: String,
    /// Hits in it.
    pub hits: u64,
    /// `open`, `sealed`, `archived`, `dropped`, `missing`, or `damaged` if the file is cut short or no database.
    pub state: &'static str,
    /// The size of its files, in bytes.
    pub bytes: u64,
    /// The size of what was put away of it, in bytes, if anything was.
    pub archive_bytes: u64,
    /// The first hit.
    #[serde(serialize_with = "json::some_time")]
    #[cfg_attr(feature = "dashboard", schemars(with = "Option<String>"))]
    pub from: Option<SystemTime>,
    /// The last hit.
    #[serde(serialize_with = "json::some_time")]
    #[cfg_attr(feature = "dashboard", schemars(with = "Option<String>"))]
    pub to: Option<SystemTime>,
}

/// A writer says that it lives every 10 s at least; it may be busy.
const BELIEVED: Duration = Duration::from_secs(30);

pub(super) fn ask(snapshot: &Snapshot<'_>, now: Millis) -> Result<Health, Error> {
    let heartbeat = meta_get::<Millis>(snapshot.main(), MetaKey::Heartbeat).context("read the heartbeat")?;
    let counters = meta_get::<String>(snapshot.main(), MetaKey::Counters).context("read the counters")?;
    let timeout = meta_get::<Millis>(snapshot.main(), MetaKey::SessionTimeout).context("read the session timeout")?;
    let parts = snapshot.parts().iter().map(|part| PartHealth {
        month: part.month.to_string(),
        hits: part.hits as u64,
        bytes: size_of(snapshot.directory(), part),
        archive_bytes: part.archive_bytes.unsigned_abs(),
        state: state_of(snapshot.directory(), part),
        from: part.least.map(from_millis),
        to: part.greatest.map(from_millis),
    });
    Ok(Health {
        heartbeat: heartbeat.map(from_millis),
        recording: heartbeat.is_some_and(|beat| (now - beat).unsigned_abs() <= BELIEVED.as_millis() as u64),
        session_timeout: Duration::from_millis(timeout.unwrap_or_default().unsigned_abs()),
        time_zone: snapshot.zone()?.name().to_owned(),
        counters: counters.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default(),
        parts: parts.collect(),
        bytes: size(snapshot.directory()),
    })
}

fn size(directory: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(directory) else { return 0 };
    entries.filter_map(|entry| entry.ok()?.metadata().ok()).filter(|meta| meta.is_file()).map(|meta| meta.len()).sum()
}

/// Whoever records finds that out at the next start, or when the month is written.
fn state_of(directory: &Path, part: &PartView) -> &'static str {
    let file = part.key.file(directory);
    let is_there = || std::fs::metadata(&file).is_ok_and(|meta| meta.len() > 0);
    match part.state {
        state if state.has_raw() && !is_there() => PartState::Missing.name(),
        state if state.has_raw() && !looks_whole(&file) => "damaged",
        state => state.name(),
    }
}

/// With what is still to be moved into it.
fn size_of(directory: &Path, part: &PartView) -> u64 {
    let file = part.key.file(directory);
    let length = |path: &Path| std::fs::metadata(path).map_or(0, |meta| meta.len());
    length(&file) + length(&file.with_extension("db-wal"))
}

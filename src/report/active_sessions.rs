use std::time::{Duration, SystemTime};

use crate::{
    clock::{Millis, from_millis},
    error::Error,
    store::{Context, MetaKey, Snapshot, meta_get},
};

/// A session that goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ActiveSession {
    /// Its id, such as `202611-42`.
    pub session_id: String,
    /// The user's id; `None` for a visitor.
    pub user_id: Option<String>,
    /// What people call the user, or empty.
    pub user_name: String,
    /// The platform, or empty.
    pub platform: String,
    /// The app's version, or empty.
    pub app_version: String,
    /// The device, or empty.
    pub device: String,
    /// When it began.
    pub started_at: SystemTime,
    /// Its newest hit.
    pub last_activity: SystemTime,
    /// The time between its actions.
    pub duration: Duration,
    /// Hits that are actions.
    pub actions: u64,
    /// The endpoint of its newest hit.
    pub last_endpoint: String,
}

pub(super) fn ask(snapshot: &Snapshot<'_>, now: Millis) -> Result<Vec<ActiveSession>, Error> {
    let main = snapshot.main();
    let read = || -> rusqlite::Result<Vec<ActiveSession>> {
        let timeout = meta_get::<i64>(main, MetaKey::SessionTimeout)?.unwrap_or_default();
        let mut statement = main.prepare_cached(include_str!("active_sessions.sql"))?;
        let session = |row: &rusqlite::Row<'_>| {
            Ok(ActiveSession {
                session_id: format!("{:06}-{}", row.get::<_, i64>(0)?, row.get::<_, i64>(1)?),
                user_id: row.get(2)?,
                user_name: row.get(3)?,
                platform: row.get(4)?,
                app_version: row.get(5)?,
                device: row.get(6)?,
                started_at: from_millis(row.get(7)?),
                last_activity: from_millis(row.get(8)?),
                duration: Duration::from_millis(row.get::<_, Millis>(9)?.unsigned_abs()),
                actions: row.get::<_, i64>(10)? as u64,
                last_endpoint: row.get(11)?,
            })
        };
        statement.query_map([now - timeout, now + timeout], session)?.collect()
    };
    read().context("read active sessions")
}

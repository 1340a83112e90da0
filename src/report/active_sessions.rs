use std::time::{Duration, SystemTime};

use rusqlite::params;
use serde::Serialize;

use super::base::{ask::wrong, json, page::MOST_ROWS, sessions::id_of, view::View};
use crate::{
    clock::{Millis, Month, from_millis},
    error::Error,
    store::{Context, MetaKey, meta_get},
};

/// Sessions that go on, newest activity first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ActiveSessions {
    /// At most 1000 of them.
    pub sessions: Vec<ActiveSession>,
}

/// A session that goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
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
    #[serde(serialize_with = "json::time")]
    #[cfg_attr(feature = "dashboard", schemars(with = "String"))]
    pub started_at: SystemTime,
    /// Its newest hit.
    #[serde(serialize_with = "json::time")]
    #[cfg_attr(feature = "dashboard", schemars(with = "String"))]
    pub last_activity: SystemTime,
    /// The time between its actions, in seconds.
    #[serde(serialize_with = "json::seconds")]
    #[cfg_attr(feature = "dashboard", schemars(with = "f64"))]
    pub duration: Duration,
    /// Hits that are actions.
    pub actions: u64,
    /// The endpoint of the hit that was recorded last.
    pub last_endpoint: String,
}

/// Of filters those that tell sessions apart count: platform, version, user, bots.
pub(super) fn ask(view: &mut View<'_, '_>) -> Result<ActiveSessions, Error> {
    if view.filter.splits_sessions() {
        return Err(wrong("active sessions can be filtered by platform, version, user and bots only".to_owned()).about("endpoint"));
    }
    let (main, devices) = (view.main(), view.devices()?);
    let passes = |device: u32, user: u32| {
        let device = devices.get(device);
        view.filter.covers_device(&device.platform, &device.version, device.is_bot())
            && view.filter.users.as_ref().is_none_or(|users| users.contains(user))
    };
    let read = || -> rusqlite::Result<Vec<ActiveSession>> {
        let timeout = meta_get::<i64>(main, MetaKey::SessionTimeout)?.unwrap_or_default();
        let mut statement =
            main.prepare_cached("select last, month, number, user, device from active_sessions where hits > 0 and last between ? and ?")?;
        let mut rows = statement.query([view.now - timeout, view.now + timeout])?;
        let mut found: Vec<(Millis, i64, u32)> = Vec::new();
        while let Some(row) = rows.next()? {
            if passes(row.get(4)?, row.get(3)?) {
                found.push((row.get(0)?, row.get(1)?, row.get(2)?));
            }
        }
        if found.len() > MOST_ROWS {
            found.select_nth_unstable_by(MOST_ROWS, |a, b| b.cmp(a));
            found.truncate(MOST_ROWS);
        }
        found.sort_unstable_by(|a, b| b.cmp(a));
        let mut statement = main.prepare_cached(include_str!("active_sessions.sql"))?;
        let mut one = |(_, month, number): (Millis, i64, u32)| {
            statement.query_row(params![month, number], |row| {
                let month = Month::from_number(month).ok_or(rusqlite::Error::InvalidQuery)?;
                let device = devices.get(row.get(2)?);
                Ok(ActiveSession {
                    session_id: id_of(month, number),
                    user_id: row.get(0)?,
                    user_name: row.get(1)?,
                    platform: device.platform.clone(),
                    app_version: device.version.clone(),
                    device: device.name.clone(),
                    started_at: from_millis(row.get(3)?),
                    last_activity: from_millis(row.get(4)?),
                    duration: Duration::from_millis(row.get::<_, Millis>(5)?.unsigned_abs()),
                    actions: row.get::<_, i64>(6)? as u64,
                    last_endpoint: row.get(7)?,
                })
            })
        };
        found.into_iter().map(&mut one).collect()
    };
    read().map(|sessions| ActiveSessions { sessions }).context("read active sessions")
}

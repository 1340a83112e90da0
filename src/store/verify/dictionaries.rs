//! What raw rows refer to by number, and whether analytics.db is whole in itself.

use std::collections::HashMap;

use roaring::RoaringBitmap;
use rusqlite::Connection;

use super::found::{Found, REPROCESS, RESTORE_FILE};
use crate::{
    clock::{Millis, day_of},
    store::{raw::Row, visitors::FIRST_VISITOR},
};

/// The numbers that stand in the dictionaries.
pub(super) struct Known {
    users: RoaringBitmap,
    endpoints: RoaringBitmap,
    devices: RoaringBitmap,
    errors: RoaringBitmap,
    /// The next visitor of each UTC day.
    visitors: HashMap<i64, u32>,
}

impl Known {
    pub(super) fn load(main: &Connection) -> rusqlite::Result<Self> {
        let numbers = |table: &str, more: &[u32]| -> rusqlite::Result<RoaringBitmap> {
            let mut statement = main.prepare(&format!("select number from {table} order by number"))?;
            let mut known: RoaringBitmap = statement.query_map([], |row| row.get::<_, u32>(0))?.collect::<rusqlite::Result<_>>()?;
            known.extend(more);
            Ok(known)
        };
        let mut statement = main.prepare("select day, next from visitor_days")?;
        let visitors = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?;
        // Nobody and (other) have no row.
        Ok(Self {
            users: numbers("users", &[0, 1])?,
            endpoints: numbers("endpoints", &[])?,
            devices: numbers("devices", &[])?,
            errors: numbers("errors", &[0])?,
            visitors,
        })
    }

    /// What a row of the month that began at `start` refers to, and is not there.
    pub(super) fn missing(&self, row: &Row, start: Millis) -> impl Iterator<Item = (&'static str, u32)> + use<> {
        let user = match row.user {
            // The first is shared by all past the day's cap.
            FIRST_VISITOR => true,
            visitor if visitor > FIRST_VISITOR => self.visitors.get(&day_of(start + row.at)).is_some_and(|next| visitor < *next),
            user => self.users.contains(user),
        };
        let who = if row.user < FIRST_VISITOR { "user" } else { "visitor" };
        let checked = [
            (who, row.user, user),
            ("endpoint", row.endpoint, self.endpoints.contains(row.endpoint)),
            ("device", row.device, self.devices.contains(row.device)),
            ("error", row.error, self.errors.contains(row.error)),
        ];
        checked.into_iter().filter(|(_, _, is_there)| !is_there).map(|(what, number, _)| (what, number))
    }
}

/// Rows of analytics.db that refer to what is not there: the table, its column, and how they are found.
const DANGLING: [(&str, &str, &str); 6] = [
    ("errors", "endpoint", "select number, endpoint from errors where endpoint not in (select number from endpoints)"),
    ("aliases", "user", "select user, user from aliases where user not in (select number from users)"),
    ("aliases", "into_user", "select user, into_user from aliases where into_user not in (select number from users)"),
    (
        "active_sessions",
        "user",
        "select number, user from active_sessions where user > 1 and user < 2147483648 and user not in (select number from users)",
    ),
    ("active_sessions", "device", "select number, device from active_sessions where device not in (select number from devices)"),
    (
        "active_sessions",
        "last_endpoint",
        "select number, last_endpoint from active_sessions where hits > 0 and last_endpoint not in (select number from endpoints)",
    ),
];

/// What is made aside by a reprocess has a part below zero.
const ORPHANS: [&str; 4] = ["aggregated_metrics", "daily_metrics", "part_totals", "user_totals"];

pub(super) fn check(main: &Connection, found: &mut Found) -> rusqlite::Result<()> {
    for (table, column, sql) in DANGLING {
        let mut statement = main.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (key, number): (i64, i64) = (row.get(0)?, row.get(1)?);
            let what = format!("{column} {number} is in no dictionary");
            found.add("analytics.db", table, format!("{table} {key}"), what, RESTORE_FILE);
        }
    }
    for table in ORPHANS {
        let sql = format!("select distinct part from {table} where part > 0 and part not in (select number from parts)");
        for part in main.prepare(&sql)?.query_map([], |row| row.get::<_, i64>(0))? {
            let what = "roll-ups of a part that is not listed";
            found.add("analytics.db", table, format!("part {}", part?), what, REPROCESS);
        }
    }
    Ok(())
}

use rusqlite::{Connection, params};

use crate::{clock::Millis, store::raw::Row};

/// What one user did in one part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct UserTotal {
    hits: i64,
    sessions: i64,
    actions: i64,
    errors: i64,
    time: i64,
    first_seen: Millis,
    last_seen: Millis,
    last_device: u32,
}

impl Default for UserTotal {
    fn default() -> Self {
        let first_seen = Millis::MAX;
        Self { hits: 0, sessions: 0, actions: 0, errors: 0, time: 0, first_seen, last_seen: Millis::MIN, last_device: 0 }
    }
}

impl UserTotal {
    pub(super) fn count(&mut self, row: &Row, at: Millis, gap: i64) {
        self.hits += 1;
        self.sessions += i64::from(row.outcome.opens());
        self.actions += i64::from(row.outcome.is_action());
        self.errors += i64::from(row.outcome.is_error());
        self.time += gap;
        self.first_seen = self.first_seen.min(at);
        if at >= self.last_seen {
            (self.last_seen, self.last_device) = (at, row.device);
        }
    }
}

pub(super) fn write<'a>(tx: &Connection, part: i64, users: impl Iterator<Item = &'a (u32, UserTotal)>) -> rusqlite::Result<()> {
    let mut statement = tx.prepare_cached(include_str!("user_total_add.sql"))?;
    // 0 is nobody: it has its place, and nothing is counted there. In their order they lie side by side in the table.
    let mut users: Vec<_> = users.filter(|(user, _)| *user != 0).collect();
    users.sort_unstable_by_key(|(user, _)| *user);
    for (user, total) in users {
        let UserTotal { hits, sessions, actions, errors, time, first_seen, last_seen, last_device } = total;
        statement.execute(params![part, user, hits, sessions, actions, errors, time, first_seen, last_seen, last_device])?;
    }
    Ok(())
}

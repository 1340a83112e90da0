//! A person's identity, and everything in analytics.db that it stands in. What follows from hits counts on under a number.

mod needles;
mod texts;

use std::{path::Path, time::Duration};

use roaring::RoaringBitmap;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::{needles::Needles, texts::Texts};
use super::{aliases::Aliases, compact::empty_log, raw::for_month};
use crate::clock::Month;

/// What a [`forget_user`](crate::Maintenance::forget_user) has found and erased.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Forgotten {
    /// Ids of the person: more than one if some were merged. None: nobody had this id.
    pub ids: u64,
    /// Texts that held one of the ids or names: errors, routes, devices, what was said of earlier work.
    pub texts: u64,
    /// Sessions whose grouping key was taken off.
    pub keys: u64,
}

/// Everything by which a person can be told.
pub(super) struct Person {
    asked: String,
    pub(super) users: RoaringBitmap,
    /// As they were recorded; none if nobody has the id that was asked for.
    pub(super) ids: Vec<String>,
    names: Vec<String>,
}

impl Person {
    /// With all ids that were merged into one.
    pub(super) fn find(main: &Connection, id: &str) -> rusqlite::Result<Self> {
        let users = Aliases::load(main)?.members_of(main, id)?;
        let (mut ids, mut names) = (Vec::new(), Vec::new());
        let mut statement = main.prepare("select id, name from users where number = ?")?;
        for user in &users {
            let found: Option<(String, String)> = statement.query_row([user], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
            let (id, name) = found.unzip();
            ids.extend(id);
            names.extend(name);
        }
        Ok(Self { asked: id.to_owned(), users, ids, names })
    }

    /// Every id that hits may still bring.
    pub(super) fn known_by(&self) -> Vec<String> {
        self.ids.iter().chain([&self.asked]).cloned().collect()
    }

    fn needles(&self) -> Needles {
        Needles::new(self.ids.iter().chain(&self.names).chain([&self.asked]).map(String::as_str))
    }
}

/// Takes it all out; the job that does so forgets whom it is about, and keeps what was found.
pub(super) fn erase(tx: &Connection, person: &Person, job: i64, mut found: Forgotten) -> rusqlite::Result<Forgotten> {
    let needles = person.needles();
    let instead = person.users.min().map_or_else(|| "(forgotten)".to_owned(), nameless);
    for user in &person.users {
        let mut id = nameless(user);
        // Somebody may call a user so.
        while tx.query_row("select 1 from users where id = ? and number <> ?", params![id, user], |_| Ok(())).optional()?.is_some() {
            id.push('\'');
        }
        tx.execute("update users set id = ?, name = '' where number = ?", params![id, user])?;
        found.keys += tx.execute("update active_sessions set key = 0 where user = ? and visitor is null and key <> 0", [user])? as u64;
    }
    found.texts += Texts { tx, needles: &needles, instead: &instead, users: &person.users }.clear()?;
    found.texts += other_jobs(tx, &needles, person, &instead, job)?;
    tx.execute("update jobs set argument = ? where id = ?", params![serde_json::to_string(&found).unwrap_or_default(), job])?;
    Ok(found)
}

/// What people see where the id was.
fn nameless(user: u32) -> String {
    format!("(forgotten {user})")
}

/// What was said of earlier work, and work that is still to be done for somebody whom nobody knows any more.
fn other_jobs(tx: &Connection, needles: &Needles, person: &Person, instead: &str, job: i64) -> rusqlite::Result<u64> {
    let mut statement = tx.prepare("select id, argument, message, result from jobs where id <> ?")?;
    let text = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, [row.get(1)?, row.get(2)?, row.get(3)?]));
    let jobs: Vec<(i64, [String; 3])> = statement.query_map([job], text)?.collect::<Result<_, _>>()?;
    let mut changed = 0;
    for (id, [argument, message, result]) in jobs {
        let names = |text: &str| person.known_by().iter().any(|known| known == text);
        if needles.cleared(&argument, instead, true).is_some() || has_text(&argument, names) {
            let sql = "update jobs set state = 'failed', argument = '', message = ?, changed = unixepoch() where id = ?";
            tx.execute(sql, params!["the user whom it was about was forgotten", id])?;
            changed += 1;
        }
        for (column, text) in [("message", message), ("result", result)] {
            if let Some(text) = needles.cleared(&text, instead, column == "result") {
                tx.execute(&format!("update jobs set {column} = ? where id = ?"), params![text, id])?;
                changed += 1;
            }
        }
    }
    Ok(changed)
}

/// Whether a text in this JSON is one of them.
fn has_text(json: &str, is_one: impl Fn(&str) -> bool) -> bool {
    let mut waiting: Vec<Value> = serde_json::from_str(json).into_iter().collect();
    while let Some(value) = waiting.pop() {
        match value {
            Value::String(text) if is_one(&text) => return true,
            Value::Array(values) => waiting.extend(values),
            Value::Object(values) => waiting.extend(values.into_iter().map(|(_, value)| value)),
            _ => {}
        }
    }
    false
}

/// Takes the hashes of grouping keys off these users' sessions in a raw file: whoever knows a key could tell by it whose they were.
/// None if somebody reads the file. Its mode stays: a complete part is a plain file.
pub(super) fn take_keys(file: &Path, month: Month, users: &RoaringBitmap) -> rusqlite::Result<Option<u64>> {
    let take = || -> rusqlite::Result<u64> {
        let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        connection.busy_timeout(Duration::from_millis(200))?;
        connection.pragma_update(None, "secure_delete", true)?;
        let tx = connection.unchecked_transaction()?;
        let mut statement = tx.prepare(&for_month("update sessions_NNNNNN set key = 0 where user = ? and key <> 0", month))?;
        let mut taken = 0;
        for user in users {
            taken += statement.execute([user])? as u64;
        }
        drop(statement);
        tx.commit()?;
        if taken > 0 {
            // Whoever reads it just now keeps the old page in the log for a while: a number, and no longer in any answer.
            let mode: String = connection.query_row("pragma journal_mode", [], |row| row.get(0))?;
            drop((mode == "wal").then(|| empty_log(&connection)));
        }
        Ok(taken)
    };
    match take() {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => Ok(None),
        taken => taken.map(Some),
    }
}

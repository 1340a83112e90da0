//! Sessions one by one: those that were put away lie in their part, those that go on in analytics.db.

use std::collections::BTreeMap;

use roaring::RoaringBitmap;
use rusqlite::{Connection, Row as SqlRow, params};

use crate::{
    clock::{Millis, Month},
    error::Error,
    report::base::view::View,
    store::{
        Context, PartView, Row, for_month,
        raw::{self, Columns},
        rows_of,
    },
};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::report) struct Session {
    pub(in crate::report) number: u32,
    pub(in crate::report) user: u32,
    pub(in crate::report) device: u32,
    pub(in crate::report) opened: Millis,
    pub(in crate::report) last: Millis,
    /// Milliseconds between its actions.
    pub(in crate::report) time: Millis,
    pub(in crate::report) hits: i64,
    pub(in crate::report) actions: i64,
    pub(in crate::report) errors: i64,
    pub(in crate::report) last_endpoint: u32,
    /// Raw row numbers; empty unless they were asked for.
    pub(in crate::report) rows: Vec<u8>,
}

const COLUMNS: &str = "number, user, device, opened, last, time, hits, actions, errors, last_endpoint";

impl Session {
    fn read(row: &SqlRow<'_>, rows: bool) -> rusqlite::Result<Self> {
        Ok(Self {
            number: row.get(0)?,
            user: row.get(1)?,
            device: row.get(2)?,
            opened: row.get(3)?,
            last: row.get(4)?,
            time: row.get(5)?,
            hits: row.get(6)?,
            actions: row.get(7)?,
            errors: row.get(8)?,
            last_endpoint: row.get(9)?,
            rows: if rows { row.get(10)? } else { Vec::new() },
        })
    }
}

/// Which sessions of a part: a condition on columns that both tables have.
pub(in crate::report) struct Which<'a> {
    pub(in crate::report) only: &'a str,
    /// Such as `order by number desc`.
    pub(in crate::report) order: &'a str,
    pub(in crate::report) limit: usize,
    pub(in crate::report) rows: bool,
}

/// Reads sessions of a part, those that go on among them, until `show` has enough. In order if the order is by number.
pub(in crate::report) fn each(
    view: &mut View<'_, '_>,
    part: &PartView,
    which: &Which<'_>,
    mut show: impl FnMut(Session) -> bool,
) -> Result<(), Error> {
    let more = if which.rows { ", rows" } else { "" };
    let Which { only, order, limit, .. } = which;
    let sql = format!("select {COLUMNS}{more} from active_sessions where month = ? and hits > 0 {only} {order} limit {limit}");
    let active = |main: &Connection| -> rusqlite::Result<BTreeMap<u32, Session>> {
        let mut statement = main.prepare_cached(&sql)?;
        let read = |row: &SqlRow<'_>| Session::read(row, which.rows).map(|session| (session.number, session));
        statement.query_map([part.month.number()], read)?.collect()
    };
    let mut active = match part.key.is_import() {
        // Nothing of it goes on, though sessions of that month may.
        true => BTreeMap::new(),
        false => active(view.main()).context("read active sessions")?,
    };
    if part.state.has_raw() {
        view.snapshot.note_raw();
        let sql = format!("select {COLUMNS}{more} from sessions_NNNNNN where 1 {only} {order} limit {limit}");
        let descending = order.contains("desc");
        let raw = view.snapshot.raw(part.key)?;
        let mut ended = || -> rusqlite::Result<bool> {
            let mut statement = raw.prepare_cached(&for_month(&sql, part.month))?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let session = Session::read(row, which.rows)?;
                // What stands in both went on at the moment of the snapshot.
                if active.contains_key(&session.number) {
                    continue;
                }
                while let Some(entry) = if descending { active.last_entry() } else { active.first_entry() } {
                    let is_next = if descending { *entry.key() > session.number } else { *entry.key() < session.number };
                    if !is_next {
                        break;
                    }
                    if !show(entry.remove()) {
                        return Ok(false);
                    }
                }
                if !show(session) {
                    return Ok(false);
                }
            }
            Ok(true)
        };
        if !ended().context("read sessions")? {
            return Ok(());
        }
        if descending {
            active.into_values().rev().take_while(|session| show(session.clone())).for_each(drop);
        } else {
            active.into_values().take_while(|session| show(session.clone())).for_each(drop);
        }
    } else {
        active.into_values().take_while(|session| show(session.clone())).for_each(drop);
    }
    Ok(())
}

/// The first session that began after the snapshot: none before the part's newest one then.
pub(in crate::report) fn first_past(view: &View<'_, '_>, part: &PartView) -> Result<u32, Error> {
    let next = view
        .main()
        .prepare_cached("select next_session from parts where number = ?")
        .and_then(|mut statement| statement.query_row([part.number], |row| row.get(0)));
    next.context("read the parts")
}

pub(in crate::report) fn of_users(view: &mut View<'_, '_>, part: &PartView, users: &RoaringBitmap) -> Result<Vec<Session>, Error> {
    let list: Vec<String> = users.iter().map(|user| user.to_string()).collect();
    let only = format!("and user in ({})", list.join(","));
    let (mut found, end) = (Vec::new(), part.watermark);
    let which = Which { only: &only, order: "order by number", limit: usize::MAX >> 1, rows: true };
    each(view, part, &which, |session| {
        // Put away after the snapshot, and begun after it too.
        if rows_of(&session.rows).next().is_some_and(|first| first <= end) {
            found.push(session);
        }
        true
    })?;
    Ok(found)
}

pub(in crate::report) fn one(view: &mut View<'_, '_>, part: &PartView, number: u32) -> Result<Option<Session>, Error> {
    let only = format!("and number = {number}");
    let mut found = None;
    each(view, part, &Which { only: &only, order: "order by number", limit: 1, rows: true }, |session| {
        found = Some(session);
        false
    })?;
    Ok(found)
}

/// Shows each hit of a session up to the watermark, in order.
pub(in crate::report) fn each_row(
    view: &mut View<'_, '_>,
    part: &PartView,
    session: &Session,
    mut show: impl FnMut(&Row),
) -> Result<(), Error> {
    let (month, watermark) = (part.month, part.watermark);
    let raw = view.snapshot.raw(part.key)?;
    let read = || -> rusqlite::Result<()> {
        let (mut listed, mut last) = (0_i64, 0);
        for id in rows_of(&session.rows) {
            (listed, last) = (listed + 1, id);
            if id > watermark {
                return Ok(());
            }
            if let Some(row) = raw::one(raw, month, id)? {
                show(&row);
            }
        }
        if listed < session.hits {
            // Only so many are listed; the rest follow somewhere after them.
            return raw::scan(raw, month, Columns::All, &format!(" and session = {}", session.number), (last + 1, watermark), show);
        }
        Ok(())
    };
    read().context("read the hits of a session")
}

/// As people see it, such as `202611-42`.
pub(in crate::report) fn id_of(month: Month, number: u32) -> String {
    format!("{month}-{number}")
}

pub(in crate::report) fn from_id(id: &str) -> Option<(Month, u32)> {
    let (month, number) = id.split_once('-')?;
    Some((Month::from_number(month.parse().ok()?)?, number.parse().ok()?))
}

/// Rows of users in analytics.db: id and name.
pub(in crate::report) fn user_of(main: &Connection, number: u32) -> rusqlite::Result<Option<(String, String)>> {
    use rusqlite::OptionalExtension;
    let mut statement = main.prepare_cached("select id, name from users where number = ?")?;
    statement.query_row(params![number], |row| Ok((row.get(0)?, row.get(1)?))).optional()
}

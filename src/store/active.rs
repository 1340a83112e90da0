use std::num::NonZeroU64;

use hashbrown::{HashMap, hash_map::Entry};
use roaring::RoaringBitmap;
use rusqlite::{Connection, params};

use super::{
    openings::{self, Opening},
    raw::{Row, for_month},
    rollup::{PackedTrack, Step, Track},
    varint,
};
use crate::{
    clock::{Millis, Month},
    hit::SessionId,
};

/// What is known of each session that goes on. Grows by rows, so that a replay of the same rows gives the same.
#[derive(Default)]
pub(super) struct Active {
    /// In boxes: a map needs up to twice the room of what it holds, and while it grows three times.
    sessions: HashMap<SessionId, Box<Session>>,
    changed: Vec<SessionId>,
    /// At a start, of sessions that no fold has seen.
    openings: HashMap<SessionId, Opening>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Session {
    pub(super) user: u32,
    pub(super) visitor: Option<NonZeroU64>,
    pub(super) key: u64,
    pub(super) track: PackedTrack,
    /// Its newest hit, in milliseconds since the month's start. There are many of these: what fits in 32 bits is kept in them.
    pub(super) last: u32,
    /// Milliseconds between its actions.
    pub(super) time: u32,
    pub(super) hits: u32,
    pub(super) actions: u32,
    pub(super) errors: u32,
    pub(super) last_endpoint: u32,
    pub(super) rows: RowList,
    pub(super) changed: bool,
    pub(super) ended: bool,
}

impl Session {
    /// What it is told by.
    pub(super) fn opening(&self) -> Opening {
        Opening { key: self.key, visitor: self.visitor }
    }
}

impl Active {
    pub(super) fn open(&mut self, id: SessionId, session: Session) {
        self.sessions.insert(id, Box::new(session));
    }

    pub(super) fn of_month(&self, month: Month) -> impl Iterator<Item = (SessionId, &Session)> {
        self.iter().filter(move |(id, _)| id.month == month)
    }

    /// Whose session it is, if it is a user's and had begun by then.
    pub(super) fn user_of(&self, id: SessionId, at: Millis) -> Option<u32> {
        let opened_by = |session: &Session| session.track.unpack(id.month.start()).opened <= at;
        self.sessions.get(&id).filter(|session| session.visitor.is_none() && opened_by(session)).map(|session| session.user)
    }

    pub(super) fn get(&self, id: SessionId) -> Option<&Session> {
        self.sessions.get(&id).map(Box::as_ref)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (SessionId, &Session)> {
        self.sessions.iter().map(|(id, session)| (*id, session.as_ref()))
    }

    /// Whatever a part gave a number to.
    pub(super) fn ids(&self) -> impl Iterator<Item = SessionId> {
        self.sessions.keys().chain(self.openings.keys()).copied()
    }

    /// All rows are read: sessions without a hit never were.
    pub(super) fn forget_openings(&mut self) {
        self.openings = HashMap::new();
    }

    /// Visitors get another hash at midnight; the open session is found again under the new one.
    pub(super) fn note_visitor(&mut self, id: SessionId, visitor: u64) {
        if let Some(session) = self.sessions.get_mut(&id) {
            session.visitor = NonZeroU64::new(visitor);
        }
    }

    /// Adds a row of the month that began at `start`; tells what it adds to the session's time.
    pub(super) fn add(&mut self, month: Month, start: Millis, row: &Row) -> Step {
        let at = start + row.at;
        let id = SessionId { month, number: row.session };
        let session = match self.sessions.entry(id) {
            Entry::Occupied(session) => session.into_mut(),
            Entry::Vacant(place) => {
                // Lost with a damaged file: what the raw rows say is all there is.
                let Opening { key, visitor } = self.openings.remove(&id).unwrap_or_default();
                let track = Track::new(at, row.device).pack(start);
                place.insert(Box::new(Session { user: row.user, visitor, key, track, last: row.at as u32, ..Session::default() }))
            }
        };
        let mut track = session.track.unpack(start);
        let step = track.step(at, row.outcome.is_action());
        session.track = track.pack(start);
        session.time += step.gap as u32;
        session.last = session.last.max(row.at as u32);
        session.hits += 1;
        session.actions += u32::from(row.outcome.is_action());
        session.errors += u32::from(row.outcome.is_error());
        session.last_endpoint = row.endpoint;
        session.rows.push(row.id);
        if !std::mem::replace(&mut session.changed, true) {
            self.changed.push(id);
        }
        step
    }

    /// Sessions of a month as they were when they opened: all their rows are about to be read again.
    pub(super) fn begin_again(&mut self, month: Month) {
        for (id, session) in self.sessions.iter_mut().filter(|(id, _)| id.month == month) {
            let Session { user, visitor, key, track, .. } = **session;
            let Track { opened, device, .. } = track.unpack(month.start());
            let (track, last) = (Track::new(opened, device).pack(month.start()), (opened - month.start()) as u32);
            **session = Session { user, visitor, key, track, last, changed: true, ..Session::default() };
            self.changed.push(*id);
        }
    }

    pub(super) fn has_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    /// It has ended: it is about to be put away, and need not be written here any more. Whether that is news.
    pub(super) fn end(&mut self, id: SessionId) -> bool {
        self.sessions.get_mut(&id).is_some_and(|session| !std::mem::replace(&mut session.ended, true))
    }

    /// These did not end after all.
    pub(super) fn go_on(&mut self, ids: &[SessionId]) {
        for id in ids {
            if let Some(session) = self.sessions.get_mut(id) {
                session.ended = false;
            }
        }
    }

    /// Writes every session that changed and goes on, as of now, into analytics.db, but for months of which nothing may be written.
    pub(super) fn write_changed(&self, tx: &Connection, is_held: impl Fn(Month) -> bool) -> rusqlite::Result<()> {
        let mut statement = tx.prepare_cached(include_str!("active_put.sql"))?;
        let going_on = |id: &SessionId| Some((*id, self.get(*id).filter(|session| !session.ended && !is_held(id.month))?));
        self.changed.iter().filter_map(going_on).try_for_each(|(id, session)| put(&mut statement, id, session))
    }

    /// Nothing of these users' sessions leads back to what they were told by.
    pub(super) fn take_keys(&mut self, users: &RoaringBitmap) {
        let of_users = |session: &&mut Box<Session>| session.visitor.is_none() && users.contains(session.user);
        self.sessions.values_mut().filter(of_users).for_each(|session| session.key = 0);
    }

    /// They are written, but for those of these months.
    pub(super) fn forget_changed(&mut self, is_held: impl Fn(Month) -> bool) {
        let sessions = &mut self.sessions;
        self.changed.retain(|id| {
            let is_held = is_held(id.month);
            if let Some(session) = sessions.get_mut(id).filter(|_| !is_held) {
                session.changed = false;
            }
            is_held
        });
    }

    pub(super) fn remove(&mut self, id: SessionId) {
        self.sessions.remove(&id);
    }
}

fn put(statement: &mut rusqlite::Statement<'_>, id: SessionId, session: &Session) -> rusqlite::Result<()> {
    let start = id.month.start();
    let Track { opened, device, acted } = session.track.unpack(start);
    statement
        .execute(params![
            id.month.number(),
            id.number,
            session.user,
            session.visitor.map(|visitor| visitor.get() as i64),
            session.key as i64,
            device,
            opened,
            acted,
            start + Millis::from(session.last),
            session.time,
            session.hits,
            session.actions,
            session.errors,
            session.last_endpoint,
            session.rows.bytes,
        ])
        .map(drop)
}

pub(super) fn delete<'a>(tx: &Connection, ids: impl IntoIterator<Item = &'a SessionId>) -> rusqlite::Result<()> {
    let mut statement = tx.prepare_cached("delete from active_sessions where month = ? and number = ?")?;
    ids.into_iter().try_for_each(|id| statement.execute([id.month.number(), i64::from(id.number)]).map(drop))
}

/// Writes sessions of a month that have ended into its part. One that is there already, from a try that failed later, is the same.
pub(super) fn put_ended(tx: &Connection, month: Month, active: &Active, ended: &[SessionId]) -> rusqlite::Result<()> {
    if ended.is_empty() {
        return Ok(());
    }
    let mut statement = tx.prepare_cached(&for_month(include_str!("session_put.sql"), month))?;
    let start = month.start();
    for id in ended {
        let Some(session) = active.get(*id).filter(|session| session.hits > 0) else { continue };
        let Track { opened, device, acted } = session.track.unpack(start);
        statement.execute(params![
            id.number,
            session.user,
            session.key as i64,
            device,
            opened,
            acted,
            start + Millis::from(session.last),
            session.time,
            session.hits,
            session.actions,
            session.errors,
            session.last_endpoint,
            session.rows.bytes,
        ])?;
    }
    Ok(())
}

pub(super) fn load(main: &Connection) -> rusqlite::Result<Active> {
    let mut active = Active { openings: openings::load(main)?, ..Active::default() };
    let mut statement = main.prepare(include_str!("active_all.sql"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let Some(month) = Month::from_number(row.get(0)?) else { continue };
        let (start, last): (Millis, Millis) = (month.start(), row.get(8)?);
        let session = Session {
            user: row.get(2)?,
            visitor: row.get::<_, Option<i64>>(3)?.and_then(|visitor| NonZeroU64::new(visitor as u64)),
            key: row.get::<_, i64>(4)? as u64,
            track: Track { device: row.get(5)?, opened: row.get(6)?, acted: row.get(7)? }.pack(start),
            last: (last - start) as u32,
            time: row.get(9)?,
            hits: row.get(10)?,
            actions: row.get(11)?,
            errors: row.get(12)?,
            last_endpoint: row.get(13)?,
            rows: RowList::from_bytes(row.get(14)?),
            changed: false,
            ended: false,
        };
        active.open(SessionId { month, number: row.get(1)? }, session);
    }
    Ok(active)
}

/// Row numbers in growing order, each as the difference to the one before, in LEB128. The first 10 000 are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct RowList {
    bytes: Vec<u8>,
    last: i64,
    count: u32,
}

pub(super) const KEPT_ROWS: u32 = 10_000;

impl RowList {
    fn push(&mut self, row: i64) {
        if self.count < KEPT_ROWS {
            // There are many of these: twice the room each time would be a good part of all memory.
            if self.bytes.capacity() - self.bytes.len() < 10 {
                self.bytes.reserve_exact(12 + self.bytes.len() / 4);
            }
            varint::put(&mut self.bytes, (row - self.last) as u64);
            self.last = row;
            self.count += 1;
        }
    }

    fn from_bytes(bytes: Vec<u8>) -> Self {
        let (mut last, mut count) = (0, 0);
        for row in rows_of(&bytes) {
            last = row;
            count += 1;
        }
        Self { bytes, last, count }
    }
}

/// The row numbers in a stored list.
pub(crate) fn rows_of(bytes: &[u8]) -> impl Iterator<Item = i64> {
    varint::numbers(bytes).scan(0_i64, |row, step| {
        *row = row.wrapping_add(step as i64);
        Some(*row)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_lists_give_back_what_went_in_up_to_their_cap() {
        let rows: Vec<i64> = (0..12_000).map(|n| n * n + 1).collect();
        let mut list = RowList::default();
        rows.iter().for_each(|row| list.push(*row));
        assert!(rows_of(&list.bytes).eq(rows[..10_000].iter().copied()));
        assert_eq!(RowList::from_bytes(list.bytes.clone()), list);
    }
}

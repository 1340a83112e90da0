//! Sessions that were put away, and those that go on, against the hits that carry their numbers.

use hashbrown::HashMap;
use rusqlite::{Connection, Row as SqlRow};

use super::{
    found::{Found, RESTORE_BOTH},
    listed::Listed,
};
use crate::{
    clock::Millis,
    store::{
        active::{KEPT_ROWS, rows_of},
        raw::{Row, for_month},
        rollup::{PackedTrack, Step, Track},
    },
};

/// What the hits of one session come to. There may be millions of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tally {
    user: u32,
    track: PackedTrack,
    last: u32,
    time: u32,
    hits: u32,
    actions: u32,
    errors: u32,
    last_endpoint: u32,
    /// Of the numbers of its first rows, in their order.
    rows: u64,
}

impl Tally {
    pub(super) fn new(start: Millis, row: &Row) -> Self {
        let track = Track::new(start + row.at, row.device).pack(start);
        let (user, last) = (row.user, row.at as u32);
        Self { user, track, last, time: 0, hits: 0, actions: 0, errors: 0, last_endpoint: 0, rows: 0 }
    }

    /// Counts a hit; gives what it adds to the session's time.
    pub(super) fn add(&mut self, start: Millis, row: &Row) -> Step {
        let mut track = self.track.unpack(start);
        let step = track.step(start + row.at, row.outcome.is_action());
        self.track = track.pack(start);
        self.last = self.last.max(row.at as u32);
        self.time = self.time.wrapping_add(step.gap as u32);
        if self.hits < KEPT_ROWS {
            self.rows = mixed(self.rows, row.id);
        }
        self.hits += 1;
        self.actions += u32::from(row.outcome.is_action());
        self.errors += u32::from(row.outcome.is_error());
        self.last_endpoint = row.endpoint;
        step
    }

    /// As it is stored: the columns, and what stands in them.
    fn stored(&self, start: Millis) -> [(&'static str, i64); 11] {
        let Track { opened, device, acted } = self.track.unpack(start);
        [
            ("user", self.user.into()),
            ("device", device.into()),
            ("opened", opened),
            ("acted", acted),
            ("last", start + i64::from(self.last)),
            ("time", self.time.into()),
            ("hits", self.hits.into()),
            ("actions", self.actions.into()),
            ("errors", self.errors.into()),
            ("last_endpoint", self.last_endpoint.into()),
            ("rows", self.rows as i64),
        ]
    }
}

fn mixed(rows: u64, id: i64) -> u64 {
    (rows.rotate_left(5) ^ id as u64).wrapping_mul(0x517c_c1b7_2722_0a95)
}

const COLUMNS: &str = "number, user, device, opened, acted, last, time, hits, actions, errors, last_endpoint, rows";

/// Compares. Where an earlier file of the month is gone, sessions that go on began in it, and are more than what is here.
pub(super) fn compare(
    main: &Connection,
    raw: &Connection,
    part: &Listed,
    mut tallies: HashMap<u32, Tally>,
    is_continued: bool,
    found: &mut Found,
) -> rusqlite::Result<()> {
    if !part.has_active_sessions() {
        // Errors that an import found outside of all sessions.
        tallies.remove(&0);
    }
    let mut going_on = HashMap::new();
    if part.has_active_sessions() {
        let sql = format!("select {COLUMNS} from active_sessions where month = ? and hits > 0 order by number");
        each(main, &sql, &[part.month.number()], |number, row| {
            let tally = tallies.remove(&number);
            going_on.insert(number, ());
            if !is_continued {
                one("analytics.db", "active_sessions", part, (number, row), tally.as_ref(), found)?;
            }
            Ok(())
        })?;
    }
    let sql = for_month(&format!("select {COLUMNS} from sessions_NNNNNN order by number"), part.month);
    let table = for_month("sessions_NNNNNN", part.month);
    each(raw, &sql, &[], |number, row| {
        let first = rows_of(row.get_ref(11)?.as_blob()?).next();
        // Put away since the moment that is looked at: it went on then, or had not begun.
        if going_on.contains_key(&number) || first.is_some_and(|first| first > part.watermark) {
            return Ok(());
        }
        let tally = tallies.remove(&number);
        if is_continued && tally.is_none() {
            return Ok(());
        }
        one(&part.file, &table, part, (number, row), tally.as_ref(), found)
    })?;
    // Errors of an import that happened outside of all sessions.
    tallies.remove(&0);
    let mut left: Vec<_> = tallies.into_iter().collect();
    left.sort_unstable_by_key(|(number, _)| *number);
    for (number, tally) in left {
        let what = format!("it has {} hits, and stands neither here nor among those that go on", tally.hits);
        found.add(&part.file, &table, format!("session {}-{number}", part.month), what, RESTORE_BOTH);
    }
    Ok(())
}

fn each(
    connection: &Connection,
    sql: &str,
    params: &[i64],
    mut show: impl FnMut(u32, &SqlRow<'_>) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query(rusqlite::params_from_iter(params))?;
    while let Some(row) = rows.next()? {
        show(row.get(0)?, row)?;
    }
    Ok(())
}

fn one(
    file: &str,
    table: &str,
    part: &Listed,
    (number, row): (u32, &SqlRow<'_>),
    tally: Option<&Tally>,
    found: &mut Found,
) -> rusqlite::Result<()> {
    let key = format!("session {}-{number}", part.month);
    let Some(tally) = tally else {
        found.add(file, table, key, format!("it stands here with {} hits, and no raw hit is of it", row.get::<_, i64>(7)?), RESTORE_BOTH);
        return Ok(());
    };
    for (place, (column, expected)) in (1..).zip(tally.stored(part.month.start())) {
        if column == "rows" {
            let rows = rows_of(row.get_ref(place)?.as_blob()?).fold(0, mixed);
            if rows as i64 != expected {
                found.add(file, table, key.clone(), "its list of raw rows is not that of the hits that carry its number", RESTORE_BOTH);
            }
            continue;
        }
        let stored: i64 = row.get(place)?;
        if stored != expected {
            found.add(file, table, key.clone(), format!("{column} is {stored}, from raw hits it is {expected}"), RESTORE_BOTH);
        }
    }
    Ok(())
}

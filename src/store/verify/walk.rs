//! Reads a part's raw rows up to its watermark, in order, and makes everything of them that follows.

use hashbrown::HashMap;
use rusqlite::Connection;

use super::{Progress, dictionaries::Known, listed::Listed, sessions::Tally};
use crate::{
    clock::Millis,
    error::Error,
    store::{
        connection::Context,
        devices::Devices,
        raw::{self, Row},
        replay::{ROWS_A_FOLD, ROWS_A_SLICE},
        rollup::{self, Days, Fold, Scene, totals},
    },
    zone::Zone,
};

pub(super) struct Walk<'a> {
    part: &'a Listed,
    start: Millis,
    days: Days,
    devices: &'a Devices,
    known: &'a Known,
    fold: Fold,
    fresh: Connection,
    seen: Seen,
}

/// What the raw rows say.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) hits: u64,
    pub(super) least: Option<Millis>,
    pub(super) greatest: Option<Millis>,
    pub(super) sessions: HashMap<u32, Tally>,
    /// What is referred to and not there: by how many rows, and the first of them.
    pub(super) missing: HashMap<(&'static str, u32), (u64, i64)>,
    /// Rows that no recorder writes.
    pub(super) wrong: Vec<(i64, String)>,
}

/// More are only counted by the comparison of what follows from them.
const MOST_MISSING: usize = 1000;
const MOST_WRONG: usize = 100;

impl<'a> Walk<'a> {
    pub(super) fn new(part: &'a Listed, zone: Zone, known: &'a Known, devices: &'a Devices) -> Result<Self, Error> {
        let make = || -> rusqlite::Result<Connection> {
            let fresh = Connection::open_in_memory()?;
            fresh.execute_batch(include_str!("../analytics.sql"))?;
            Ok(fresh)
        };
        let fresh = make().context("make room for roll-ups in memory")?;
        let (start, days, fold) = (part.month.start(), Days::new(zone), Fold::new(part.month));
        Ok(Self { part, start, days, devices, known, fold, fresh, seen: Seen::default() })
    }

    pub(super) fn all(&mut self, raw: &Connection, progress: &mut Progress<'_>) -> rusqlite::Result<()> {
        let (mut at, mut rows, before) = (0, Vec::new(), progress.done);
        loop {
            rows.clear();
            raw::slice(raw, self.part.month, at, self.part.watermark, ROWS_A_SLICE, |row| rows.push(row))?;
            let Some(last) = rows.last() else { break };
            at = last.id;
            rows.iter().for_each(|row| self.add(row));
            progress.add(rows.len() as u64);
            if self.fold.len() >= ROWS_A_FOLD {
                self.write()?;
            }
        }
        // Fewer than were listed, if some are gone.
        progress.add((before + self.part.hits.unsigned_abs()).saturating_sub(progress.done));
        Ok(())
    }

    fn add(&mut self, row: &Row) {
        let (at, seen) = (self.start + row.at, &mut self.seen);
        seen.hits += 1;
        for what in self.known.missing(row, self.start) {
            if seen.missing.len() < MOST_MISSING || seen.missing.contains_key(&what) {
                seen.missing.entry(what).or_insert((0, row.id)).0 += 1;
            }
        }
        let is_here = (self.start..self.part.month.end()).contains(&at);
        if !is_here || i64::from(row.session) >= self.part.next_session {
            let what = match is_here {
                true => format!("its session {} was never given, the next is {}", row.session, self.part.next_session),
                false => format!("its time does not lie in {}", self.part.month),
            };
            if seen.wrong.len() < MOST_WRONG {
                seen.wrong.push((row.id, what));
            }
        }
        seen.least = Some(seen.least.map_or(at, |least| least.min(at)));
        seen.greatest = Some(seen.greatest.map_or(at, |greatest| greatest.max(at)));
        let tally = seen.sessions.entry(row.session).or_insert_with(|| Tally::new(self.start, row));
        let step = tally.add(self.start, row);
        self.fold.add(row, &step, &mut Scene { days: &mut self.days, devices: self.devices });
    }

    fn write(&mut self) -> rusqlite::Result<()> {
        let tx = self.fresh.unchecked_transaction()?;
        rollup::write(&tx, self.part.number, &self.fold, self.devices)?;
        tx.commit()?;
        self.fold.clear();
        Ok(())
    }

    /// What was seen, and a database of the roll-ups that follow from it.
    pub(super) fn finish(mut self) -> Result<(Seen, Connection), Error> {
        self.write().context("make roll-ups in memory")?;
        if self.part.state == "sealed" {
            totals::write(&self.fresh, self.part.number).context("make totals in memory")?;
        }
        Ok((self.seen, self.fresh))
    }
}

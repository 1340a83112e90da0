//! A batch on its way to disk: resolved once, what it refers to first, then its rows.

use std::{collections::btree_map::Entry, num::NonZeroU64, path::Path};

use super::{
    active::Session,
    connection::{Context, is_damaged},
    dictionary::Caps,
    opened::Opened,
    openings,
    outcome::Packed,
    part::{Part, PartState},
    part_key::PartKey,
    pending::Pending,
    raw::Row,
    rollup::{Scene, Track},
};
use crate::{
    clock::{Millis, Month, day_of},
    counters::DropCause,
    error::Error,
    hit::{Field, Hit, SessionId},
    sink::Batch,
};

impl Opened {
    pub(super) fn write(&mut self, batch: &Batch<'_>, directory: &Path, caps: Caps) -> Result<(), Error> {
        self.learn()?;
        self.now = batch.now;
        if self.pending.batch != batch.id {
            self.resolve(batch, directory, caps)?;
        }
        self.write_main()?;
        self.write_raw(directory)?;
        batch.refuse(DropCause::ClosedMonth, self.pending.refused);
        batch.refuse(DropCause::Storage, self.pending.lost);
        Ok(())
    }

    /// Strings to numbers, hits to rows. Changes nothing that an error could leave half done.
    pub(super) fn resolve(&mut self, batch: &Batch<'_>, directory: &Path, caps: Caps) -> Result<(), Error> {
        let mut pending = Pending::default();
        self.visitors.add_salts(batch.salts);
        for hit in batch.hits {
            let (Some(at), Some(session)) = (hit.facts.at, hit.session()) else { continue };
            let part = self.part(session.month, directory)?;
            if part.state.is_closed() {
                pending.refused += 1;
                continue;
            }
            let part_start = part.start;
            let row = self.row(hit, at, session, caps)?;
            if hit.opens_session() {
                let opening = Session {
                    user: row.user,
                    visitor: hit.visitor().and_then(NonZeroU64::new),
                    key: hit.resolved.key,
                    track: Track::new(at, row.device).pack(part_start),
                    last: row.at as u32,
                    last_endpoint: row.endpoint,
                    ..Session::default()
                };
                pending.opened.push((session, opening));
            } else if let Some(visitor) = hit.visitor() {
                pending.visitors.push((session, visitor));
            }
            pending.rows.entry(session.month).or_default().push(row);
        }
        for (month, rows) in &mut pending.rows {
            let Some(part) = self.parts.get_mut(&PartKey::recorded(*month)) else { continue };
            part.used = batch.id;
            for row in rows {
                row.id = part.next_row;
                part.next_row += 1;
            }
        }
        for (id, session) in &pending.opened {
            self.active.open(*id, session.clone());
        }
        for (id, visitor) in &pending.visitors {
            self.active.note_visitor(*id, *visitor);
        }
        pending.batch = batch.id;
        self.pending = pending;
        Ok(())
    }

    fn part(&mut self, month: Month, directory: &Path) -> Result<&mut Part, Error> {
        let next = self.parts.values().map(|part| part.number).max().unwrap_or(0) + 1;
        match self.parts.entry(PartKey::recorded(month)) {
            Entry::Occupied(part) => Ok(part.into_mut()),
            Entry::Vacant(place) => {
                tracing::info!(%month, "a new month begins");
                Ok(place.insert(Part::create(directory, next, PartKey::recorded(month), self.days.zone())?))
            }
        }
    }

    fn row(&mut self, hit: &Hit, at: Millis, session: SessionId, caps: Caps) -> Result<Row, Error> {
        let name = hit.get(Field::UserName);
        let user = match (hit.user(), hit.visitor()) {
            (Some(user), _) => match self.active.user_of(session, at).filter(|_| name.is_empty() && !hit.opens_session()) {
                // Whose session it is needs no look at the name; nor is the user seen for the first time.
                Some(number) => number,
                None => self.dictionary.user(&self.main, user, name, at)?,
            },
            (None, Some(visitor)) => self.visitors.number(&self.main, day_of(at), visitor, caps.visitors_a_day)?,
            (None, None) => 0,
        };
        let endpoint = self.dictionary.endpoint(hit);
        let device = hit.device.as_ref().map_or(0, |device| self.dictionary.device(device));
        let micros = |time: std::time::Duration| i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
        let bytes = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
        Ok(Row {
            id: 0,
            at: at - session.month.start(),
            session: session.number,
            user,
            endpoint,
            device,
            outcome: Packed::of(hit),
            head_us: micros(hit.head_time()),
            body_us: micros(hit.body_time()),
            bytes_in: bytes(hit.bytes_in()),
            bytes_out: bytes(hit.bytes_out()),
            error: self.dictionary.error(hit, endpoint, at),
        })
    }

    /// Everything raw rows refer to, before them. Tried again, it changes nothing.
    pub(super) fn write_main(&mut self) -> Result<(), Error> {
        let listed = self.parts.values().all(|part| part.listed);
        let nothing = listed && self.pending.opened.is_empty() && !self.dictionary.has_fresh() && !self.visitors.has_fresh();
        if self.pending.main_done || nothing {
            self.pending.main_done = true;
            return Ok(());
        }
        let write = || -> rusqlite::Result<()> {
            let tx = self.main.unchecked_transaction()?;
            self.dictionary.write_fresh(&tx)?;
            self.visitors.write_fresh(&tx)?;
            openings::write(&tx, self.pending.batch, self.pending.opened.iter().map(|(id, session)| (*id, session.opening())))?;
            for part in self.parts.values().filter(|part| !part.listed) {
                part.put(&tx, part.watermark)?;
            }
            tx.commit()
        };
        write().context("write users, endpoints and sessions to analytics.db")?;
        self.dictionary.forget_fresh();
        self.visitors.forget_fresh();
        self.parts.values_mut().for_each(|part| part.listed = true);
        self.pending.main_done = true;
        Ok(())
    }

    /// Raw rows, and what follows from them once they are known to be written.
    pub(super) fn write_raw(&mut self, directory: &Path) -> Result<(), Error> {
        let again = std::mem::replace(&mut self.pending.tried, true);
        let mut scene = Scene { days: &mut self.days, devices: self.dictionary.devices() };
        while let Some(entry) = self.pending.rows.first_entry() {
            let month = *entry.key();
            if let Some(part) = self.parts.get_mut(&PartKey::recorded(month)) {
                let is_over = part.state == PartState::Sealed || self.now >= month.end();
                match part.write(directory, entry.get(), again) {
                    // They could wait for ever, and every other hit behind them.
                    Err(error) if is_over && is_damaged(&error) => {
                        part.say_fault(&error);
                        self.pending.lost += entry.remove().len() as u64;
                        continue;
                    }
                    written => written?,
                }
                for row in entry.get() {
                    part.count(row);
                    let step = self.active.add(month, part.start, row);
                    part.fold.add(row, &step, &mut scene);
                }
            }
            entry.remove();
        }
        Ok(())
    }
}

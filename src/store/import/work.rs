use std::{collections::BTreeMap, num::NonZeroU64, path::Path, time::Duration};

use hashbrown::HashMap;

use super::{
    part::NewPart,
    pump::{Portion, Pump},
    source::{End, Imported},
};
use crate::{
    clock::{Millis, Month, day_of},
    error::{Error, ErrorKind},
    hit::Field,
    store::{
        beside::Beside,
        connection::Context,
        jobs::{Step, Work},
        opened::Opened,
        outcome::Packed,
        raw::Row,
        rollup::Scene,
    },
};

/// An import, as the writer goes on with it between batches.
pub(in crate::store) struct Import {
    pump: Pump,
    parts: BTreeMap<Month, NewPart>,
    pub(super) people: HashMap<u32, Person>,
    pub(super) sessions: Vec<[u8; 16]>,
    end: Option<End>,
    /// Months of which the files are complete, and the end of the next one.
    finished: usize,
    closing: Option<Beside>,
}

/// What an import says of a user. It is told when all of it is there: until then nobody is to be seen who has no hit.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) first_seen: Millis,
    /// Of the newest hit with one.
    pub(super) name: Box<str>,
}

/// So many new users and visitors are kept in memory at most before they are written.
const FRESH: usize = 5_000;

impl Import {
    pub(in crate::store) fn begin(opened: &Opened, argument: &str, directory: &Path) -> Result<Self, Error> {
        let Some(open) = opened.open_source.clone() else {
            return Err(Error::new(ErrorKind::Import, "the program that records here cannot import: run the import while it is stopped"));
        };
        let pump = Pump::start(open, argument.to_owned(), directory)?;
        Ok(Self { pump, parts: BTreeMap::new(), people: HashMap::new(), sessions: Vec::new(), end: None, finished: 0, closing: None })
    }

    fn store(&mut self, mut portion: Portion, opened: &mut Opened, directory: &Path) -> Result<(), Error> {
        for hit in &portion.hits[..portion.filled] {
            self.add(hit, opened, directory)?;
        }
        for part in self.parts.values_mut() {
            part.write(&portion.ended)?;
            if part.is_full() {
                part.put_aside(opened)?;
            }
        }
        self.end = portion.end.take();
        self.pump.give_back(portion.hits);
        if opened.dictionary.fresh_users() + opened.visitors.fresh() >= FRESH || self.end.is_some() {
            opened.write_fresh()?;
        }
        Ok(())
    }

    fn add(&mut self, imported: &Imported, opened: &mut Opened, directory: &Path) -> Result<(), Error> {
        let hit = &imported.hit;
        let Some(at) = hit.facts.at else { return Ok(()) };
        let Some(month) = hit.session().map(|session| session.month).or_else(|| Month::of(at)) else { return Ok(()) };
        if let Some(source) = imported.source {
            self.sessions.push(source.0);
        }
        let part = match self.parts.entry(month) {
            std::collections::btree_map::Entry::Occupied(part) => part.into_mut(),
            std::collections::btree_map::Entry::Vacant(place) => place.insert(NewPart::create(opened, month, directory)?),
        };
        let user = match (hit.user(), hit.visitor().and_then(NonZeroU64::new)) {
            (Some(user), _) => {
                let number = opened.dictionary.user(&opened.main, user, "", Millis::MAX)?;
                let person = self.people.entry(number).or_insert_with(|| Person { first_seen: at, name: Box::default() });
                person.first_seen = person.first_seen.min(at);
                let name = hit.get(Field::UserName);
                if !name.is_empty() && *person.name != *name {
                    person.name = name.into();
                }
                number
            }
            (None, Some(visitor)) => opened.visitors.number(&opened.main, day_of(at), visitor.get(), opened.caps.visitors_a_day)?,
            (None, None) => 0,
        };
        let endpoint = opened.dictionary.endpoint(hit);
        let micros = |time: Duration| if imported.timed { i64::try_from(time.as_micros()).unwrap_or(i64::MAX) } else { Row::UNTIMED };
        let bytes = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
        let row = Row {
            id: 0,
            at: at - part.start,
            session: hit.session().map_or(0, |session| session.number),
            user,
            endpoint,
            device: hit.device.as_ref().map_or(0, |device| opened.dictionary.device(device)),
            outcome: Packed::of(hit).spread(imported.spread),
            head_us: micros(hit.head_time()),
            body_us: micros(hit.body_time()),
            bytes_in: bytes(hit.bytes_in()),
            bytes_out: bytes(hit.bytes_out()),
            error: opened.dictionary.error(hit, endpoint, at),
        };
        let mut scene = Scene { days: &mut opened.days, devices: opened.dictionary.devices() };
        part.add(row, &mut scene);
        Ok(())
    }
}

impl Work for Import {
    fn slice(&mut self, opened: &mut Opened, directory: &Path) -> Result<Step, Error> {
        let [done, total] = [self.pump.progress.done(), self.pump.progress.total()].map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
        let more = Ok(Step::More { done, total });
        let Some(end) = &self.end else {
            if let Some(portion) = self.pump.take()? {
                self.store(portion, opened, directory)?;
            }
            return more;
        };
        // A month's file after the other, then all of them at once.
        if let Some(part) = self.parts.values_mut().nth(self.finished) {
            let closing = match self.closing.take() {
                Some(closing) => closing,
                None => part.close(directory)?,
            };
            match closing.is_over()? {
                false => self.closing = Some(closing),
                true => {
                    part.total(opened)?;
                    self.finished += 1;
                }
            }
            return more;
        }
        let report = end.report.clone();
        self.commit(opened, directory)?;
        Ok(Step::Done(report))
    }

    fn give_up(&mut self, opened: &mut Opened, directory: &Path) {
        while let Some((_, part)) = self.parts.pop_first() {
            part.delete(opened, directory);
        }
    }
}

impl Import {
    pub(super) fn take_parts(&mut self) -> BTreeMap<Month, NewPart> {
        std::mem::take(&mut self.parts)
    }

    pub(super) fn parts(&self) -> impl Iterator<Item = &NewPart> {
        self.parts.values()
    }

    pub(super) fn ended(&self) -> Option<&End> {
        self.end.as_ref()
    }
}

impl Opened {
    /// What the dictionaries have learnt, for those that wait for no batch.
    fn write_fresh(&mut self) -> Result<(), Error> {
        let write = || -> rusqlite::Result<()> {
            let tx = self.main.unchecked_transaction()?;
            self.dictionary.write_fresh(&tx)?;
            self.visitors.write_fresh(&tx)?;
            tx.commit()
        };
        write().context("write users and endpoints of an import to analytics.db")?;
        self.dictionary.forget_fresh();
        self.visitors.forget_fresh();
        Ok(())
    }
}

use std::{
    cell::{OnceCell, RefCell},
    ops::Range,
};

use roaring::RoaringBitmap;
use rusqlite::Connection;

use crate::{
    clock::Millis,
    error::Error,
    report::base::{ask::Ask, devices::Devices, filter::Filter, names::Names, span::Span, union::Bits},
    store::{Aliases, Context, Snapshot},
    zone::{Day, Zone},
};

/// One moment of the store, seen through what is asked.
pub(in crate::report) struct View<'a, 's> {
    pub(in crate::report) snapshot: &'a mut Snapshot<'s>,
    pub(in crate::report) ask: &'a Ask,
    pub(in crate::report) now: Millis,
    /// Of the reporting days.
    pub(in crate::report) zone: Zone,
    pub(in crate::report) aliases: Aliases,
    pub(in crate::report) span: Span,
    pub(in crate::report) filter: Filter,
    names: OnceCell<Names>,
    devices: OnceCell<Devices>,
    /// In which sets are joined.
    pub(super) bits: RefCell<Bits>,
}

impl<'a, 's> View<'a, 's> {
    pub(in crate::report) fn open(snapshot: &'a mut Snapshot<'s>, ask: &'a Ask, now: Millis) -> Result<Self, Error> {
        let zone = snapshot.zone()?;
        let aliases = Aliases::load(snapshot.main()).context("read aliases")?;
        let span = Span::asked(ask, &zone, now, all_days(snapshot, &zone, now));
        let (names, devices, bits) = (OnceCell::new(), OnceCell::new(), RefCell::default());
        let mut view = Self { snapshot, ask, now, zone, aliases, span, filter: Filter::default(), names, devices, bits };
        view.filter = if ask.endpoint.is_some() || ask.feature.is_some() {
            Filter::resolve(ask, view.main(), Some(view.names()?), &view.aliases)?
        } else {
            Filter::resolve(ask, view.main(), None, &view.aliases)?
        };
        Ok(view)
    }

    pub(in crate::report) fn main(&self) -> &Connection {
        self.snapshot.main()
    }

    /// From the first day of which something is known to today.
    pub(in crate::report) fn all_days(&self) -> Range<Day> {
        all_days(self.snapshot, &self.zone, self.now)
    }

    /// The zone in which hours are told.
    pub(in crate::report) fn hours_zone(&self) -> Result<Zone, Error> {
        self.ask.zone.as_deref().map_or_else(|| Ok(self.zone.clone()), Zone::new)
    }

    pub(in crate::report) fn before(&self) -> Option<Span> {
        self.span.before(self.ask, &self.zone, self.now)
    }

    pub(in crate::report) fn names(&self) -> Result<&Names, Error> {
        if self.names.get().is_none() {
            let names = Names::load(self.main()).context("read endpoints")?;
            return Ok(self.names.get_or_init(|| names));
        }
        Ok(self.names.get_or_init(Names::default))
    }

    pub(in crate::report) fn devices(&self) -> Result<&Devices, Error> {
        if self.devices.get().is_none() {
            let devices = Devices::load(self.main()).context("read devices")?;
            return Ok(self.devices.get_or_init(|| devices));
        }
        Ok(self.devices.get_or_init(Devices::default))
    }

    /// People in a set of users.
    pub(in crate::report) fn persons(&self, users: &RoaringBitmap) -> RoaringBitmap {
        let mut persons = users.clone();
        self.aliases.apply(&mut persons);
        persons
    }
}

fn all_days(snapshot: &Snapshot<'_>, zone: &Zone, now: Millis) -> Range<Day> {
    let today = zone.day_of(now);
    let least = snapshot.parts().iter().filter_map(|part| part.least).min();
    let greatest = snapshot.parts().iter().filter_map(|part| part.greatest).max();
    let first = least.map_or(today, |least| zone.day_of(least)).min(today);
    first..greatest.map_or(today, |greatest| zone.day_of(greatest)).max(today) + 1
}

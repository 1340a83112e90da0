use hashbrown::{HashMap, hash_map::EntryRef};

use super::{
    cell::{Cell, Sums, visitor_at},
    days::Days,
    key::{Audience, Group, Key, failure},
    track::Step,
    user_total::UserTotal,
};
use crate::{
    clock::{Millis, Month},
    store::{devices::Devices, raw::Row, visitors::FIRST_VISITOR},
    zone::Day,
};

/// What the rows of one part add to its roll-ups and is not yet written out.
///
/// The same rows in the same order give the same, whether they were just recorded, are replayed after a crash, or
/// are reprocessed: this is the one place where rows become roll-ups.
pub(in crate::store) struct Fold {
    start: Millis,
    pub(super) cells: Slab<Key, Cell>,
    pub(super) users: Slab<u32, UserTotal>,
    lately: Vec<Seen>,
    rows: usize,
}

/// What all folds share: the days of the zone, and what the devices are.
pub(in crate::store) struct Scene<'a> {
    pub(in crate::store) days: &'a mut Days,
    pub(in crate::store) devices: &'a Devices,
}

impl Scene<'_> {
    fn audience(&self, device: u32) -> Audience {
        if self.devices.is_bot(device) { Audience::Bots } else { Audience::People }
    }
}

impl Fold {
    pub(in crate::store) fn new(month: Month) -> Self {
        Self { start: month.start(), cells: Slab::default(), users: Slab::default(), lately: Vec::new(), rows: 0 }
    }

    /// Rows in it.
    pub(in crate::store) fn len(&self) -> usize {
        self.rows
    }

    pub(in crate::store) fn clear(&mut self) {
        self.cells.clear();
        self.users.clear();
        self.lately.clear();
        self.rows = 0;
    }

    /// Counts a row, and what it adds to the time of its session.
    pub(in crate::store) fn add(&mut self, row: &Row, step: &Step, scene: &mut Scene<'_>) {
        let at = self.start + row.at;
        let (audience, day) = (scene.audience(row.device), scene.days.of(at));
        let (seen, is_new) = self.see(row, Key::slot(audience, at), day);
        let one = One::of(row);
        // A session counts once, in the slot and day and under the device of its first hit.
        let sessions = i64::from(row.outcome.opens());
        let slot = self.cells.at(seen.slot_cell);
        slot.rows = Some(slot.rows.map_or((row.id, row.id), |(a, b)| (a.min(row.id), b.max(row.id))));
        for cell in [seen.slot_cell, seen.device_cell] {
            let cell = self.cells.at(cell);
            cell.sums.sessions += sessions;
            one.count_in(cell, is_new);
        }
        one.count_in(self.cell(Group::Endpoint, audience, day, row.endpoint), true);
        if let Some(failure) = failure(row) {
            one.count_in(self.cell(Group::Failure, audience, day, failure), true);
        }
        if row.error != 0 {
            one.count_in(self.cell(Group::Error, audience, day, row.error), true);
        }
        if step.gap > 0 {
            let (audience, day) = (scene.audience(step.device), scene.days.of(step.opened));
            let slot = self.cells.place(Key::slot(audience, step.opened));
            self.cells.at(slot).sums.time += step.gap;
            self.cell(Group::Device, audience, day, step.device).sums.time += step.gap;
        }
        if (1..FIRST_VISITOR).contains(&row.user) {
            self.users.at(seen.total).count(row, at, step.gap);
        }
        self.rows += 1;
    }

    fn cell(&mut self, group: Group, audience: Audience, day: Day, value: impl Into<i64>) -> &mut Cell {
        let place = self.cells.place(Key::day(group, audience, day, value));
        self.cells.at(place)
    }

    /// Where a hit of this user counts. Requests come in runs: looking here first costs less than finding the cells anew and
    /// putting the user into their sets once more. Whether it had to be found anew comes with it.
    fn see(&mut self, row: &Row, slot: Key, day: Day) -> (Seen, bool) {
        self.lately.resize(LATELY, Seen::default());
        let place = row.user as usize % LATELY;
        let seen = self.lately[place];
        if (seen.user, seen.device, seen.slot, seen.day) == (row.user, row.device, slot.when, day) && seen.is_some {
            return (seen, false);
        }
        let seen = Seen {
            is_some: true,
            user: row.user,
            device: row.device,
            slot: slot.when,
            day,
            slot_cell: self.cells.place(slot),
            device_cell: self.cells.place(Key::day(Group::Device, slot.audience, day, row.device)),
            total: if row.user < FIRST_VISITOR { self.users.place(row.user) } else { 0 },
        };
        self.lately[place] = seen;
        (seen, true)
    }
}

/// Who was counted where lately.
#[derive(Clone, Copy, Default)]
struct Seen {
    is_some: bool,
    user: u32,
    device: u32,
    slot: i32,
    day: Day,
    slot_cell: u32,
    device_cell: u32,
    total: u32,
}

const LATELY: usize = 2048;

/// Values by key, each of which keeps the place that it was given.
pub(super) struct Slab<K, V> {
    places: HashMap<K, u32>,
    values: Vec<(K, V)>,
}

impl<K, V> Default for Slab<K, V> {
    fn default() -> Self {
        Self { places: HashMap::new(), values: Vec::new() }
    }
}

impl<K: Copy + Eq + std::hash::Hash, V: Default> Slab<K, V> {
    fn place(&mut self, key: K) -> u32 {
        match self.places.entry_ref(&key) {
            EntryRef::Occupied(place) => *place.get(),
            EntryRef::Vacant(vacant) => {
                let place = self.values.len() as u32;
                self.values.push((key, V::default()));
                *vacant.insert(place)
            }
        }
    }

    fn at(&mut self, place: u32) -> &mut V {
        &mut self.values[place as usize].1
    }

    /// Room for what usually comes is kept, that of a burst is not.
    fn clear(&mut self) {
        const KEPT: usize = 20_000;
        self.places.clear();
        self.values.clear();
        self.places.shrink_to(KEPT);
        self.values.shrink_to(KEPT);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &(K, V)> {
        self.values.iter()
    }
}

/// One hit, ready to be counted wherever it counts.
struct One {
    sums: Sums,
    latency: Option<u64>,
    user: u32,
    visitor: Option<u32>,
}

impl One {
    fn of(row: &Row) -> Self {
        let user = row.user;
        let visitor = (user >= FIRST_VISITOR).then(|| visitor_at(row));
        Self { sums: Sums::of(row), latency: row.latency(), user, visitor }
    }

    /// Where the user is known to stand in the cell already, only the rest is counted.
    fn count_in(&self, cell: &mut Cell, is_new: bool) {
        cell.sums += self.sums;
        if let Some(latency) = self.latency {
            cell.latency.add(latency);
        }
        match self.visitor {
            _ if !is_new => false,
            Some(visitor) => cell.visitors.insert(visitor),
            // 0 is nobody.
            None => self.user != 0 && cell.users.insert(self.user),
        };
    }
}

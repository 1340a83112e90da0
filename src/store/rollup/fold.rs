use hashbrown::HashMap;

use super::{
    cell::{Cell, Sums, visitor},
    days::Days,
    key::{Audience, Group, Key, failure},
    track::Step,
    user_total::UserTotal,
};
use crate::{
    clock::{DAY_MS, Millis, Month},
    store::{devices::Devices, raw::Row, visitors::FIRST_VISITOR},
};

/// What the rows of one part add to its roll-ups and is not yet written out.
///
/// The same rows in the same order give the same, whether they were just recorded, are replayed after a crash, or
/// are reprocessed: this is the one place where rows become roll-ups.
pub(in crate::store) struct Fold {
    pub(super) start: Millis,
    pub(super) cells: HashMap<Key, Cell>,
    pub(super) users: HashMap<u32, UserTotal>,
    lately: Lately,
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
        Self { start: month.start(), cells: HashMap::new(), users: HashMap::new(), lately: Lately::default(), rows: 0 }
    }

    /// Rows in it.
    pub(in crate::store) fn len(&self) -> usize {
        self.rows
    }

    pub(in crate::store) fn clear(&mut self) {
        (self.cells, self.users, self.rows) = (HashMap::new(), HashMap::new(), 0);
        self.lately.clear();
    }

    /// Counts a row, and what it adds to the time of its session.
    pub(in crate::store) fn add(&mut self, row: &Row, step: &Step, scene: &mut Scene<'_>) {
        let at = self.start + row.at;
        let (audience, day) = (scene.audience(row.device), scene.days.of(at));
        let one = One::of(row);
        // A session counts once, in the slot and day and under the device of its first hit.
        let mut first = one;
        first.sums.sessions = i64::from(row.outcome.opens());
        let key = Key::slot(audience, at);
        let is_new = self.lately.note(Seen { user: row.user, device: row.device, slot: key.when, day });
        let slot = self.cell(key);
        slot.rows = Some(slot.rows.map_or((row.id, row.id), |(a, b)| (a.min(row.id), b.max(row.id))));
        first.count_in(slot, is_new);
        first.count_in(self.cell(Key::day(Group::Device, audience, day, row.device)), is_new);
        one.count_in(self.cell(Key::day(Group::Endpoint, audience, day, row.endpoint)), true);
        if let Some(failure) = failure(row) {
            one.count_in(self.cell(Key::day(Group::Failure, audience, day, failure)), true);
        }
        if row.error != 0 {
            one.count_in(self.cell(Key::day(Group::Error, audience, day, row.error)), true);
        }
        if step.gap > 0 {
            let (audience, day) = (scene.audience(step.device), scene.days.of(step.opened));
            self.cell(Key::slot(audience, step.opened)).sums.time += step.gap;
            self.cell(Key::day(Group::Device, audience, day, step.device)).sums.time += step.gap;
        }
        if (1..FIRST_VISITOR).contains(&row.user) {
            self.users.entry(row.user).or_default().count(row, at, step.gap);
        }
        self.rows += 1;
    }

    fn cell(&mut self, key: Key) -> &mut Cell {
        self.cells.entry(key).or_default()
    }
}

/// One hit, ready to be counted wherever it counts.
#[derive(Clone, Copy)]
struct One {
    sums: Sums,
    latency: u64,
    user: u32,
    visitor: Option<u32>,
}

impl One {
    fn of(row: &Row) -> Self {
        let Row { user, outcome, .. } = *row;
        let sums = Sums {
            hits: 1,
            actions: i64::from(outcome.is_action()),
            sessions: 0,
            time: 0,
            errors: i64::from(outcome.is_error()),
            client_errors: i64::from(outcome.is_client_error()),
            aborted: i64::from(outcome.is_aborted()),
            bytes_in: row.bytes_in,
            bytes_out: row.bytes_out,
        };
        let visitor = user.checked_sub(FIRST_VISITOR).map(|number| visitor((row.at / DAY_MS) as u32, number));
        Self { sums, latency: row.head_us.unsigned_abs(), user, visitor }
    }

    /// Where the user is known to stand in the cell already, only the rest is counted.
    fn count_in(&self, cell: &mut Cell, is_new: bool) {
        cell.sums += self.sums;
        cell.latency.add(self.latency);
        if !is_new {
            return;
        }
        match self.visitor {
            Some(visitor) => cell.visitors.insert(visitor),
            // 0 is nobody.
            None => self.user != 0 && cell.users.insert(self.user),
        };
    }
}

/// Who was counted where lately: requests come in runs, and putting a number into a set costs more than looking here.
#[derive(Default)]
struct Lately(Vec<Seen>);

#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Seen {
    user: u32,
    device: u32,
    slot: i32,
    day: i32,
}

const LATELY: usize = 2048;

impl Lately {
    /// Whether this is not what was last noted in its place.
    fn note(&mut self, seen: Seen) -> bool {
        self.0.resize(LATELY, Seen::default());
        std::mem::replace(&mut self.0[seen.user as usize % LATELY], seen) != seen
    }

    fn clear(&mut self) {
        self.0.clear();
    }
}

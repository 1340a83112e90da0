use std::{
    cell::Cell,
    mem,
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use super::live::Live;
use crate::{
    clock::{Clock, Millis},
    counters::DropCause,
    hit::{Facts, Hit},
};

/// Hits on their way to the writer, bounded in bytes.
///
/// A hit is copied into one of a few shards, under a lock that is held for that copy alone; the writer swaps a
/// whole shard for an empty one and works without the lock. Nothing is allocated once the shards have grown.
pub(super) struct Queue {
    shards: Box<[Padded]>,
    bytes: AtomicUsize,
    limit: usize,
    closed: AtomicBool,
    pub(super) live: Live,
    pub(super) signals: Mutex<Signals>,
    pub(super) wake: Condvar,
    pub(super) done: Condvar,
}

/// On a cache line of its own, so that threads on different shards do not slow each other.
#[repr(align(128))]
#[derive(Default)]
struct Padded(Mutex<Shard>);

#[derive(Default)]
pub(super) struct Shard {
    entries: Vec<Entry>,
    text: String,
}

struct Entry {
    facts: Facts,
    text_start: u32,
}

#[derive(Default)]
pub(super) struct Signals {
    /// Flushes asked for and answered; a flush waits for its number.
    pub(super) flush_wanted: u64,
    pub(super) flush_done: u64,
    pub(super) flush_error: Option<(crate::error::ErrorKind, String)>,
    pub(super) stop: bool,
    pub(super) stopped: bool,
    pub(super) hurry: bool,
}

pub(super) struct Full;

impl Queue {
    pub(super) fn new(limit: usize) -> Self {
        let threads = std::thread::available_parallelism().map_or(4, usize::from);
        let shards = (0..threads.next_power_of_two().min(16)).map(|_| Padded::default()).collect();
        Self {
            shards,
            bytes: AtomicUsize::new(0),
            limit,
            closed: AtomicBool::new(false),
            live: Live::default(),
            signals: Mutex::default(),
            wake: Condvar::new(),
            done: Condvar::new(),
        }
    }

    fn size(hit: &Hit) -> usize {
        mem::size_of::<Entry>() + hit.text.len()
    }

    /// Copies the hit in, or says that there is no room; counts nothing.
    pub(super) fn try_push(&self, hit: &Hit, clock: &Clock) -> Result<(), Full> {
        let size = Self::size(hit);
        let before = self.bytes.fetch_add(size, Relaxed);
        if before + size > self.limit {
            self.bytes.fetch_sub(size, Relaxed);
            return Err(Full);
        }
        let mut facts = hit.facts;
        facts.at = Some(facts.at.unwrap_or_else(|| clock.millis()));
        {
            let mut shard = lock(&self.shards[thread_number() & (self.shards.len() - 1)].0);
            let text_start = shard.text.len() as u32;
            shard.text.push_str(&hit.text);
            shard.entries.push(Entry { facts, text_start });
        }
        // Half full is early enough for the writer to make room before anything is dropped.
        if before < self.limit / 2 && before + size >= self.limit / 2 {
            self.hurry();
        }
        Ok(())
    }

    pub(super) fn push(&self, hit: &Hit, clock: &Clock) {
        if self.closed.load(Relaxed) {
            self.live.drop(DropCause::Stopped, 1);
        } else if self.try_push(hit, clock).is_err() {
            self.live.drop(DropCause::QueueFull, 1);
        }
    }

    pub(super) fn hurry(&self) {
        lock(&self.signals).hurry = true;
        self.wake.notify_one();
    }

    pub(super) fn close(&self) {
        self.closed.store(true, Relaxed);
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Relaxed)
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Relaxed)
    }

    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(&shard.0).entries.len()).sum()
    }

    /// Swaps every shard's content into the backlog.
    pub(super) fn drain(&self, backlog: &mut Backlog) {
        backlog.order.clear();
        backlog.taken = 0;
        backlog.shards.resize_with(self.shards.len(), Shard::default);
        for (number, (spare, shard)) in backlog.shards.iter_mut().zip(&self.shards).enumerate() {
            spare.reset();
            mem::swap(spare, &mut *lock(&shard.0));
            let places = spare.entries.iter().enumerate();
            backlog.order.extend(places.map(|(place, entry)| (entry.facts.at.unwrap_or_default(), number as u32, place as u32)));
        }
        // Each shard is nearly in order; merging such runs is what this sort is good at.
        backlog.order.sort_by_key(|(at, ..)| *at);
    }

    /// Gives the room of hits back that the writer has taken from the backlog.
    pub(super) fn release(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Relaxed);
        self.done.notify_all();
    }

    pub(super) fn wait_for_room(&self, timeout: Duration) {
        let signals = lock(&self.signals);
        drop(self.done.wait_timeout(signals, timeout));
    }
}

/// What the writer has swapped out and not yet written, in order of time.
#[derive(Default)]
pub(super) struct Backlog {
    shards: Vec<Shard>,
    order: Vec<(Millis, u32, u32)>,
    taken: usize,
}

impl Backlog {
    pub(super) fn len(&self) -> usize {
        self.order.len() - self.taken
    }

    /// Copies the next hit into one that is used again; returns the bytes it took in the queue.
    pub(super) fn next(&mut self, into: &mut Hit) -> Option<usize> {
        let (_, shard, place) = *self.order.get(self.taken)?;
        self.taken += 1;
        let (shard, place) = (&self.shards[shard as usize], place as usize);
        let entry = &shard.entries[place];
        let end = shard.entries.get(place + 1).map_or(shard.text.len(), |next| next.text_start as usize);
        into.clear();
        into.facts = entry.facts;
        into.text.push_str(&shard.text[entry.text_start as usize..end]);
        Some(Queue::size(into))
    }
}

impl Shard {
    fn reset(&mut self) {
        // A burst may leave large buffers behind; what an ordinary batch needs is kept.
        const KEPT: usize = 1 << 20;
        self.entries.clear();
        self.text.clear();
        self.text.shrink_to(KEPT);
        self.entries.shrink_to(KEPT / mem::size_of::<Entry>());
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn thread_number() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static NUMBER: Cell<usize> = const { Cell::new(usize::MAX) });
    // A thread that is being torn down has lost its number; any shard will do.
    NUMBER
        .try_with(|number| {
            if number.get() == usize::MAX {
                number.set(NEXT.fetch_add(1, Relaxed));
            }
            number.get()
        })
        .unwrap_or(0)
}

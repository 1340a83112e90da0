use std::{
    cell::Cell,
    mem,
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use super::{
    hooks::Hooks,
    live::{Held, Live},
    shard::Shard,
    stops::Stops,
};
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
    lanes: Box<[Padded]>,
    /// What is taken, with what lanes have borrowed ahead.
    bytes: AtomicUsize,
    limit: usize,
    /// Each time it has grown by so much the writer is woken.
    step: usize,
    /// So much a lane borrows at once.
    grain: usize,
    closed: AtomicBool,
    pub(super) live: Live,
    pub(super) hooks: Hooks,
    pub(super) stops: Stops,
    pub(super) signals: Mutex<Signals>,
    pub(super) wake: Condvar,
    pub(super) done: Condvar,
}

/// On a cache line of its own, so that threads on different shards do not slow each other.
#[repr(align(128))]
#[derive(Default)]
struct Padded(Mutex<Lane>);

#[derive(Default)]
struct Lane {
    shard: Shard,
    /// Bytes this lane may fill before it touches the counter that all share.
    credit: usize,
}

#[derive(Default)]
pub(super) struct Signals {
    /// Flushes asked for and answered; a flush waits for its number.
    pub(super) flush_wanted: u64,
    pub(super) flush_done: u64,
    pub(super) flush_error: Option<(crate::error::ErrorKind, String)>,
    pub(super) stop: bool,
    /// Nothing is written any more; hooks on the stop may still be at work.
    pub(super) ended: bool,
    pub(super) stopped: bool,
    pub(super) hurry: bool,
}

/// Soon enough that the shards' buffers stay in the processor's cache, seldom enough that batches stay large.
const WAKE: usize = 1 << 20;

pub(super) struct Full;

impl Queue {
    pub(super) fn new(limit: usize) -> Self {
        let threads = std::thread::available_parallelism().map_or(4, usize::from);
        let lanes: Box<[Padded]> = (0..threads.next_power_of_two().min(16)).map(|_| Padded::default()).collect();
        // What lanes may hold unused is less than a hundredth of the queue.
        let grain = (limit / 128 / lanes.len()).min(64 << 10);
        Self {
            lanes,
            bytes: AtomicUsize::new(0),
            limit,
            step: WAKE.min(limit / 2).max(1),
            grain,
            closed: AtomicBool::new(false),
            live: Live::default(),
            hooks: Hooks::default(),
            stops: Stops::default(),
            signals: Mutex::default(),
            wake: Condvar::new(),
            done: Condvar::new(),
        }
    }

    /// Copies the hit in, or says that there is no room; counts nothing.
    pub(super) fn try_push(&self, facts: &Facts, text: &[u8], clock: &Clock) -> Result<(), Full> {
        let at = facts.at.unwrap_or_else(|| clock.millis());
        let size = Shard::size(text.len());
        let mut hurry = false;
        {
            let mut lane = lock(&self.lanes[thread_number() & (self.lanes.len() - 1)].0);
            if lane.credit < size {
                hurry = self.borrow(size, &mut lane.credit)?;
            }
            lane.credit -= size;
            lane.shard.push(at, facts, text);
        }
        if hurry {
            self.hurry();
        }
        Ok(())
    }

    /// Gives a lane room for one hit and more; says whether the writer should come.
    #[cold]
    fn borrow(&self, size: usize, credit: &mut usize) -> Result<bool, Full> {
        let wanted = size.max(self.grain);
        let before = self.bytes.fetch_add(wanted, Relaxed);
        if before + wanted > self.limit {
            self.bytes.fetch_sub(wanted, Relaxed);
            return Err(Full);
        }
        *credit += wanted;
        Ok((before / self.step) < (before + wanted) / self.step)
    }

    pub(super) fn push(&self, facts: &Facts, text: &[u8], clock: &Clock) {
        if self.closed.load(Relaxed) {
            self.live.drop(DropCause::Stopped, 1);
        } else if self.try_push(facts, text, clock).is_err() {
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

    pub(super) fn held(&self) -> Held {
        let (mut hits, mut credit) = (0, 0);
        for lane in &self.lanes {
            let lane = lock(&lane.0);
            hits += lane.shard.len();
            credit += lane.credit;
        }
        Held { hits, bytes: self.bytes.load(Relaxed).saturating_sub(credit) }
    }

    /// Swaps every shard's content into the backlog.
    pub(super) fn drain(&self, backlog: &mut Backlog) {
        backlog.order.clear();
        backlog.taken = 0;
        backlog.shards.resize_with(self.lanes.len(), Shard::default);
        for (number, (spare, lane)) in backlog.shards.iter_mut().zip(&self.lanes).enumerate() {
            spare.reset();
            mem::swap(spare, &mut lock(&lane.0).shard);
            let places = spare.facts().enumerate();
            backlog.order.extend(places.map(|(place, facts)| (facts.at.unwrap_or_default(), number as u32, place as u32)));
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
        Some(self.shards[shard as usize].copy(place as usize, into))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn borrowed_room_is_never_more_than_there_is_and_none_of_it_is_lost() {
        const LIMIT: usize = 1 << 20;
        let (queue, clock, hit) = (Queue::new(LIMIT), Clock::system(), Hit::new("GET", "/items/{id}"));
        let size = Shard::size(hit.text.len());
        let push = || queue.try_push(&hit.facts, hit.text.as_bytes(), &clock).is_ok();
        let mut backlog = Backlog::default();
        for _ in 0..20 {
            let pushed = (0..).take_while(|_| push()).count();
            // The little that cannot be borrowed any more does not grow from round to round.
            assert!(pushed * size <= LIMIT && pushed * size > LIMIT - LIMIT / 50, "{pushed} hits of {size} bytes");
            assert_eq!((queue.held().hits, queue.held().bytes), (pushed, pushed * size));
            queue.drain(&mut backlog);
            let mut into = Hit::default();
            while let Some(bytes) = backlog.next(&mut into) {
                queue.release(bytes);
            }
            assert_eq!((into.method(), into.route()), ("GET", "/items/{id}"));
            assert_eq!((queue.held().hits, queue.held().bytes), (0, 0));
        }
    }
}

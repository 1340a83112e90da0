use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU8, AtomicU64, Ordering::Relaxed},
};

use serde::{Deserialize, Serialize};

/// Why a hit was not recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DropCause {
    /// The queue was full: the disk is too slow, or a fault or another writer holds it up.
    QueueFull,
    /// The recorder had been shut down.
    Stopped,
    /// The writer panicked over its batch twice.
    Panic,
    /// The store still refused it when the recorder was shut down.
    Storage,
    /// Its time lies outside the years 1970 to 9998.
    BadTime,
}

/// What the recorder has counted since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Counters {
    /// Hits that are in the store.
    pub written: u64,
    /// Hits that wait in the queue.
    pub queued: u64,
    /// Bytes that wait in the queue.
    pub queued_bytes: u64,
    /// Dropped because the queue was full.
    pub dropped_queue_full: u64,
    /// Dropped because the recorder was shut down.
    pub dropped_stopped: u64,
    /// Dropped because the writer panicked over them.
    pub dropped_panic: u64,
    /// Dropped because the store refused them to the end.
    pub dropped_storage: u64,
    /// Dropped because of an impossible time.
    pub dropped_bad_time: u64,
    /// Batches written.
    pub batches: u64,
    /// Panics caught in the writer.
    pub panics: u64,
    /// Writes the store refused; each was tried again.
    pub faults: u64,
    /// Microseconds the writer was at work.
    pub busy_us: u64,
}

impl Counters {
    /// All drops, whatever the cause.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.by_cause().iter().map(|(_, count)| count).sum()
    }

    /// The drops of each cause, with its name for people.
    #[must_use]
    pub fn by_cause(&self) -> [(&'static str, u64); 5] {
        [
            ("queue full", self.dropped_queue_full),
            ("recorder stopped", self.dropped_stopped),
            ("writer panicked", self.dropped_panic),
            ("store refused", self.dropped_storage),
            ("impossible time", self.dropped_bad_time),
        ]
    }
}

/// What the writer is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum State {
    /// Another process records in the directory; the queue waits, bounded, and takes over when that one ends.
    Waiting,
    /// All is well.
    Recording,
    /// The store refuses; the queue waits, bounded, and the write is tried again.
    Faulted,
    /// The recorder was shut down.
    Stopped,
}

#[derive(Debug, Default)]
pub(super) struct Live {
    pub(super) written: AtomicU64,
    pub(super) batches: AtomicU64,
    pub(super) panics: AtomicU64,
    pub(super) faults: AtomicU64,
    pub(super) busy_us: AtomicU64,
    queue_full: AtomicU64,
    stopped: AtomicU64,
    panic: AtomicU64,
    storage: AtomicU64,
    bad_time: AtomicU64,
    state: AtomicU8,
    fault: Mutex<Option<String>>,
}

impl Live {
    pub(super) fn drop(&self, cause: DropCause, hits: u64) {
        let counter = match cause {
            DropCause::QueueFull => &self.queue_full,
            DropCause::Stopped => &self.stopped,
            DropCause::Panic => &self.panic,
            DropCause::Storage => &self.storage,
            DropCause::BadTime => &self.bad_time,
        };
        counter.fetch_add(hits, Relaxed);
    }

    pub(super) fn state(&self) -> State {
        match self.state.load(Relaxed) {
            0 => State::Waiting,
            1 => State::Recording,
            2 => State::Faulted,
            _ => State::Stopped,
        }
    }

    pub(super) fn enter(&self, state: State, fault: Option<String>) {
        self.state.store(state as u8, Relaxed);
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    pub(super) fn fault(&self) -> Option<String> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn read(&self, queued: u64, queued_bytes: u64) -> Counters {
        let get = |counter: &AtomicU64| counter.load(Relaxed);
        Counters {
            written: get(&self.written),
            queued,
            queued_bytes,
            dropped_queue_full: get(&self.queue_full),
            dropped_stopped: get(&self.stopped),
            dropped_panic: get(&self.panic),
            dropped_storage: get(&self.storage),
            dropped_bad_time: get(&self.bad_time),
            batches: get(&self.batches),
            panics: get(&self.panics),
            faults: get(&self.faults),
            busy_us: get(&self.busy_us),
        }
    }
}

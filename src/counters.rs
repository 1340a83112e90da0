//! What the recorder counts, for pages, sinks and readers in other processes.

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
    /// The store still refused it when the recorder was shut down; or it came late for a month whose file is damaged.
    Storage,
    /// The part of its month was archived or dropped.
    ClosedMonth,
    /// Its time lies outside the years 1970 to 9998.
    BadTime,
}

/// What the recorder has counted since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
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
    /// Dropped because the store refused them to the end, or they came late for a month whose file is damaged.
    pub dropped_storage: u64,
    /// Dropped because the part of their month was archived or dropped.
    pub dropped_closed_month: u64,
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
    /// Hits that a plugin's hook left out, on purpose: no drops.
    pub left_out: u64,
    /// Hooks of plugins that panicked and were removed.
    pub hooks_removed: u64,
}

impl Counters {
    /// All drops, whatever the cause.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.by_cause().iter().map(|(_, count)| count).sum()
    }

    /// The drops of each cause, with its name for people.
    #[must_use]
    pub fn by_cause(&self) -> [(&'static str, u64); 6] {
        [
            ("queue full", self.dropped_queue_full),
            ("recorder stopped", self.dropped_stopped),
            ("writer panicked", self.dropped_panic),
            ("store refused", self.dropped_storage),
            ("closed month", self.dropped_closed_month),
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

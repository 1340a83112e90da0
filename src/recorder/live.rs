use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU8, AtomicU64, Ordering::Relaxed},
};

use crate::counters::{Counters, DropCause, State};

/// What waits: not yet swapped out, and not yet taken by the writer.
#[derive(Clone, Copy)]
pub(super) struct Held {
    pub(super) hits: usize,
    pub(super) bytes: usize,
}

/// The counters while they count.
#[derive(Debug, Default)]
pub(super) struct Live {
    pub(super) written: AtomicU64,
    pub(super) batches: AtomicU64,
    pub(super) panics: AtomicU64,
    pub(super) faults: AtomicU64,
    pub(super) busy_us: AtomicU64,
    pub(super) left_out: AtomicU64,
    pub(super) hooks_removed: AtomicU64,
    queue_full: AtomicU64,
    stopped: AtomicU64,
    panic: AtomicU64,
    storage: AtomicU64,
    bad_time: AtomicU64,
    closed_month: AtomicU64,
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
            DropCause::ClosedMonth => &self.closed_month,
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

    pub(super) fn read(&self, held: Held) -> Counters {
        let get = |counter: &AtomicU64| counter.load(Relaxed);
        Counters {
            written: get(&self.written),
            queued: held.hits as u64,
            queued_bytes: held.bytes as u64,
            dropped_queue_full: get(&self.queue_full),
            dropped_stopped: get(&self.stopped),
            dropped_panic: get(&self.panic),
            dropped_storage: get(&self.storage),
            dropped_bad_time: get(&self.bad_time),
            dropped_closed_month: get(&self.closed_month),
            batches: get(&self.batches),
            panics: get(&self.panics),
            faults: get(&self.faults),
            busy_us: get(&self.busy_us),
            left_out: get(&self.left_out),
            hooks_removed: get(&self.hooks_removed),
        }
    }
}

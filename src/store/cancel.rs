//! Questions that nobody waits for any more are ended, and those that take too long.

use std::{
    cell::RefCell,
    fmt,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use rusqlite::{Connection, InterruptHandle};

use crate::error::{Error, ErrorKind};

/// Ends questions before they are answered. Cheap to clone; all clones are one.
///
/// ```
/// use tower_analytics::{Analytics, Ask, Cancel, ErrorKind};
///
/// let (analytics, _clock) = Analytics::testing();
/// let cancel = Cancel::new();
/// let reports = analytics.reports().cancelled_by(&cancel);
/// cancel.cancel();
/// assert_eq!(reports.stats(&Ask::all_time()).unwrap_err().kind(), ErrorKind::Cancelled);
/// ```
#[derive(Clone, Default)]
pub struct Cancel(Arc<Inner>);

thread_local!(static AROUND: RefCell<Option<Cancel>> = const { RefCell::new(None) });

#[derive(Default)]
struct Inner {
    is_cancelled: std::sync::atomic::AtomicBool,
    running: Mutex<Vec<Weak<Stop>>>,
}

impl Cancel {
    /// One that is not cancelled.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends every question that was asked with it, and lets none begin.
    pub fn cancel(&self) {
        self.0.is_cancelled.store(true, Ordering::SeqCst);
        let running = std::mem::take(&mut *lock(&self.0.running));
        running.iter().filter_map(Weak::upgrade).for_each(|stop| stop.now(Why::Cancelled));
    }

    /// Whether it was cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.is_cancelled.load(Ordering::SeqCst)
    }

    /// Ends also what is asked on this thread until the work is done, by whoever does not know of it: a plugin asks with what it was given
    /// once, and somebody waits for each of its answers.
    #[cfg(feature = "dashboard")]
    pub(crate) fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        struct Before(Option<Cancel>);
        impl Drop for Before {
            fn drop(&mut self) {
                AROUND.with_borrow_mut(|around| *around = self.0.take());
            }
        }
        let _before = Before(AROUND.with_borrow_mut(|around| around.replace(self.clone())));
        work()
    }

    /// What ends all that is asked on this thread now.
    pub(super) fn around() -> Option<Self> {
        AROUND.with_borrow(Clone::clone)
    }

    /// From now on it ends this question.
    pub(super) fn watch(&self, stop: &Arc<Stop>) {
        let mut running = lock(&self.0.running);
        running.retain(|stop| stop.strong_count() > 0);
        running.push(Arc::downgrade(stop));
        drop(running);
        if self.is_cancelled() {
            stop.now(Why::Cancelled);
        }
    }
}

impl fmt::Debug for Cancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cancel").field("is_cancelled", &self.is_cancelled()).finish_non_exhaustive()
    }
}

/// Ends one question.
#[derive(Default)]
pub(super) struct Stop {
    why: AtomicU8,
    connections: Mutex<Vec<InterruptHandle>>,
}

#[derive(Clone, Copy)]
pub(super) enum Why {
    Cancelled = 1,
    TooLong = 2,
}

impl Stop {
    pub(super) fn now(&self, why: Why) {
        let _ = self.why.compare_exchange(0, why as u8, Ordering::SeqCst, Ordering::SeqCst);
        lock(&self.connections).iter().for_each(InterruptHandle::interrupt);
    }

    /// What this connection does ends with the question.
    pub(super) fn watch(&self, connection: &Connection) {
        lock(&self.connections).push(connection.get_interrupt_handle());
    }

    /// An error if it has ended.
    pub(super) fn check(&self, limit: Duration) -> Result<(), Error> {
        match self.why.load(Ordering::SeqCst) {
            0 => Ok(()),
            1 => Err(Error::new(ErrorKind::Cancelled, "nobody waits for the answer any more")),
            _ => {
                let message =
                    format!("the answer took longer than {} s: ask for a shorter range, or without a filter", limit.as_secs_f64());
                Err(Error::new(ErrorKind::Timeout, message))
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

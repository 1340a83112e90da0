use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use super::store::KeyStore;
use crate::error::{Error, ErrorKind};

/// The thread that refreshes keys; it ends when this is dropped.
pub(super) struct Watch(Arc<Signal>);

#[derive(Default)]
struct Signal {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    is_woken: bool,
    is_over: bool,
}

impl Watch {
    /// No thread where nothing changes.
    pub(super) fn start(stores: Vec<Arc<KeyStore>>) -> Result<Option<Self>, Error> {
        if stores.is_empty() {
            return Ok(None);
        }
        let pause = Duration::from_secs(if stores.iter().any(|store| store.is_fetched()) { 1 } else { 5 });
        let signal = Arc::new(Signal::default());
        let watched = Arc::clone(&signal);
        let work = move || {
            loop {
                stores.iter().for_each(|store| store.tick());
                if watched.wait(pause) {
                    return;
                }
            }
        };
        let thread = thread::Builder::new().name("analytics-keys".to_owned()).spawn(work);
        thread.map_err(|error| Error::new(ErrorKind::Config, "the thread that refreshes keys cannot be started").with_source(error))?;
        Ok(Some(Self(signal)))
    }

    pub(super) fn wake(&self) {
        self.0.state().is_woken = true;
        self.0.changed.notify_one();
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.state().is_over = true;
        self.0.changed.notify_one();
    }
}

impl Signal {
    /// Until woken or the pause is over; whether it is all over.
    fn wait(&self, pause: Duration) -> bool {
        let waited = self.changed.wait_timeout_while(self.state(), pause, |state| !state.is_woken && !state.is_over);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.is_woken = false;
        state.is_over
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

use std::{
    any::Any,
    fmt, mem,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// What is done once the last hit is written, each thing once.
#[derive(Default)]
pub(super) struct Stops(Mutex<State>);

#[derive(Default)]
struct State {
    waiting: Vec<Stop>,
    /// Whoever comes now comes late.
    over: bool,
    /// Whose turn it is.
    at_work: Option<&'static str>,
}

struct Stop {
    owner: &'static str,
    act: Box<dyn FnOnce() + Send>,
}

impl Stops {
    /// Done here and now if it is over already, so that nothing that has begun goes on for ever.
    pub(super) fn add(&self, owner: &'static str, act: Box<dyn FnOnce() + Send>) {
        let stop = Stop { owner, act };
        let mut state = self.state();
        if !state.over {
            return state.waiting.push(stop);
        }
        drop(state);
        stop.run();
    }

    /// Those that came last go first: what they build on is still there.
    pub(super) fn run(&self) {
        let waiting = {
            let mut state = self.state();
            state.over = true;
            mem::take(&mut state.waiting)
        };
        for stop in waiting.into_iter().rev() {
            // Not held while a stop is at work: whoever waits wants to know which.
            self.state().at_work = Some(stop.owner);
            stop.run();
        }
        self.state().at_work = None;
    }

    /// Whose stop is not yet done, while all wait for it.
    pub(super) fn at_work(&self) -> Option<&'static str> {
        self.state().at_work
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stop {
    fn run(self) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(self.act)) {
            tracing::error!(owner = self.owner, panic = %said(&*panic), "a hook on the stop panicked; the others follow, and every hit is written");
        }
    }
}

impl fmt::Debug for Stops {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stops").field("at_work", &self.at_work()).finish_non_exhaustive()
    }
}

/// What a panic said.
pub(crate) fn said(panic: &(dyn Any + Send)) -> String {
    let what = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    what.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, mpsc};

    use super::*;

    #[test]
    fn stops_are_done_once_the_last_one_first_and_late_ones_at_once() {
        let (stops, (done, order)) = (Arc::new(Stops::default()), mpsc::channel());
        for name in ["first", "broken", "last"] {
            let (done, seen) = (done.clone(), Arc::clone(&stops));
            let act = move || {
                done.send(name).unwrap();
                assert_eq!(seen.at_work(), Some(name));
                assert!(name != "broken", "made to");
            };
            stops.add(name, Box::new(act));
        }
        assert!(order.try_recv().is_err(), "nothing is over yet");
        stops.run();
        stops.run();
        let late = done.clone();
        stops.add("late", Box::new(move || late.send("late").unwrap()));
        assert_eq!(order.try_iter().collect::<Vec<_>>(), ["last", "broken", "first", "late"]);
        assert_eq!(stops.at_work(), None);
    }
}

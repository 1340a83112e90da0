use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use super::live::Live;
use crate::hit::Hit;

/// Whether a hit is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Keep {
    /// It is.
    Yes,
    /// It is left out, and counted as [`Counters::left_out`](crate::Counters::left_out), in no counter of drops.
    No,
}

/// Looked at by the writer, before sessions are resolved.
#[derive(Default)]
pub(super) struct Hooks {
    added: Mutex<Added>,
    any: AtomicBool,
}

#[derive(Default)]
struct Added {
    hooks: Vec<Hook>,
    /// The hit as the hook at work found it.
    found: Hit,
}

struct Hook {
    owner: &'static str,
    act: Box<dyn FnMut(&mut Hit) -> Keep + Send>,
}

impl Hooks {
    pub(super) fn add(&self, owner: &'static str, act: Box<dyn FnMut(&mut Hit) -> Keep + Send>) {
        self.added.lock().unwrap_or_else(PoisonError::into_inner).hooks.push(Hook { owner, act });
        self.any.store(true, Ordering::Release);
    }

    /// Shows a hit to all of them, in the order in which they were added. One that panics is removed, and the hit goes on as it stood.
    pub(super) fn keep(&self, hit: &mut Hit, live: &Live) -> bool {
        if !self.any.load(Ordering::Acquire) {
            return true;
        }
        let mut added = self.added.lock().unwrap_or_else(PoisonError::into_inner);
        let Added { hooks, found } = &mut *added;
        let mut keep = true;
        hooks.retain_mut(|hook| {
            if !keep {
                return true;
            }
            found.copy(hit);
            match catch_unwind(AssertUnwindSafe(|| (hook.act)(hit))) {
                Ok(said) => keep = said == Keep::Yes,
                Err(_) => {
                    hit.copy(found);
                    live.hooks_removed.fetch_add(1, Ordering::Relaxed);
                    tracing::error!(plugin = hook.owner, "a hook on hits panicked; it is removed, and recording goes on without it");
                    return false;
                }
            }
            true
        });
        live.left_out.fetch_add(u64::from(!keep), Ordering::Relaxed);
        keep
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hooks_see_a_hit_in_order_and_one_that_panics_is_removed() {
        let hooks = Hooks::default();
        hooks.add(
            "first",
            Box::new(|hit| {
                hit.set_user("ann");
                Keep::Yes
            }),
        );
        hooks.add(
            "broken",
            Box::new(|hit| {
                hit.set_user("nobody");
                panic!("made to");
            }),
        );
        hooks.add("last", Box::new(|hit| if hit.route() == "/ping" { Keep::No } else { Keep::Yes }));
        let mut hit = Hit::new("GET", "/items");
        let live = Live::default();
        assert!(hooks.keep(&mut hit, &live));
        assert_eq!(hit.user(), Some("ann"), "as it stood before the one that panicked");
        assert!(!hooks.keep(&mut Hit::new("GET", "/ping"), &live));
        assert_eq!(hooks.added.lock().unwrap().hooks.len(), 2);
    }
}

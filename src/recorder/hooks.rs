use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::hit::Hit;

/// Whether a hit is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Keep {
    /// It is.
    Yes,
    /// It is not, and in no counter of drops either.
    No,
}

/// Looked at by the writer, before sessions are resolved.
#[derive(Default)]
pub(super) struct Hooks {
    hooks: Mutex<Vec<Hook>>,
    any: AtomicBool,
}

struct Hook {
    owner: &'static str,
    act: Box<dyn FnMut(&mut Hit) -> Keep + Send>,
}

impl Hooks {
    pub(super) fn add(&self, owner: &'static str, act: Box<dyn FnMut(&mut Hit) -> Keep + Send>) {
        self.hooks.lock().unwrap_or_else(PoisonError::into_inner).push(Hook { owner, act });
        self.any.store(true, Ordering::Release);
    }

    /// Shows a hit to all of them, in the order in which they were added. One that panics is removed, and the hit goes on as it stood.
    pub(super) fn keep(&self, hit: &mut Hit) -> bool {
        if !self.any.load(Ordering::Acquire) {
            return true;
        }
        let mut hooks = self.hooks.lock().unwrap_or_else(PoisonError::into_inner);
        let mut keep = true;
        hooks.retain_mut(|hook| {
            if !keep {
                return true;
            }
            let before = hit.clone();
            match catch_unwind(AssertUnwindSafe(|| (hook.act)(hit))) {
                Ok(said) => keep = said == Keep::Yes,
                Err(_) => {
                    *hit = before;
                    tracing::error!(plugin = hook.owner, "a hook on hits panicked; it is removed, and recording goes on without it");
                    return false;
                }
            }
            true
        });
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
        assert!(hooks.keep(&mut hit));
        assert_eq!(hit.user(), Some("ann"), "as it stood before the one that panicked");
        assert!(!hooks.keep(&mut Hit::new("GET", "/ping")));
        assert_eq!(hooks.hooks.lock().unwrap().len(), 2);
    }
}

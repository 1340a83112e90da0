use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

use super::reason::Reason;

/// How often what was said, since the start. For monitors.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    passed: AtomicU64,
    refused: [AtomicU64; Reason::COUNT],
    sign_ins: [AtomicU64; SignInOutcome::COUNT],
}

/// What became of an attempt to sign in.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(feature = "sqlite"), allow(dead_code, reason = "there is no sign-in without a store"))]
pub(crate) enum SignInOutcome {
    In,
    Wrong,
    Throttled,
    Busy,
    Broken,
}

/// Some of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Count {
    /// `ok`, or the short code of the reason why not.
    pub(crate) outcome: &'static str,
    pub(crate) count: u64,
}

impl SignInOutcome {
    const COUNT: usize = 5;

    const ALL: [(Self, &'static str); Self::COUNT] =
        [(Self::In, "ok"), (Self::Wrong, "wrong"), (Self::Throttled, "throttled"), (Self::Busy, "busy"), (Self::Broken, "broken")];
}

impl Tally {
    /// A proxy asked whether a request may pass.
    pub(super) fn verified<T>(&self, decision: &Result<T, Reason>) {
        let counter = match decision {
            Ok(_) => &self.passed,
            Err(reason) => &self.refused[reason.index()],
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    #[cfg_attr(not(feature = "sqlite"), allow(dead_code, reason = "there is no sign-in without a store"))]
    pub(super) fn signed_in(&self, outcome: SignInOutcome) {
        self.sign_ins[outcome as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Decisions of the verify route, those that never happened left out.
    #[cfg_attr(not(feature = "dashboard"), allow(dead_code, reason = "for the API"))]
    pub(crate) fn decisions(&self) -> Vec<Count> {
        let refused = Reason::all().map(|reason| (reason.code(), &self.refused[reason.index()]));
        counts([("ok", &self.passed)].into_iter().chain(refused))
    }

    #[cfg_attr(not(feature = "dashboard"), allow(dead_code, reason = "for the API"))]
    pub(crate) fn sign_ins(&self) -> Vec<Count> {
        counts(SignInOutcome::ALL.into_iter().map(|(outcome, name)| (name, &self.sign_ins[outcome as usize])))
    }
}

fn counts<'a>(counters: impl Iterator<Item = (&'static str, &'a AtomicU64)>) -> Vec<Count> {
    let read = counters.map(|(outcome, counter)| Count { outcome, count: counter.load(Ordering::Relaxed) });
    read.filter(|count| count.count > 0).collect()
}

//! An issuer's keys over time: loaded, refreshed, replaced as a whole.

use std::{
    collections::VecDeque,
    hash::{BuildHasher, RandomState},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{
    document::KeyRules,
    key::KeySet,
    key_origin::{Origin, Stamp, Unloaded},
    reason::Reason,
};
use crate::{
    clock::{Clock, Millis},
    error::Error,
};

pub(super) struct KeyStore {
    origin: Origin,
    rules: KeyRules,
    clock: Clock,
    /// Of all issuers: what was verified with other keys counts no more.
    generation: Arc<AtomicU64>,
    /// None before the first answer, and when the last one is too old.
    keys: RwLock<Option<Arc<KeySet>>>,
    state: Mutex<State>,
    /// One refresh at a time.
    work: Mutex<()>,
    hasher: RandomState,
}

#[derive(Default)]
struct State {
    /// When the keys were last known to be the issuer's; none before the first answer, and when that is too long ago.
    known_good: Option<Millis>,
    /// Whether there ever were any.
    was_loaded: bool,
    attempted: Option<Millis>,
    has_failed: bool,
    is_wanted: bool,
    stamps: Vec<Stamp>,
    /// For how long what was fetched is fresh.
    fresh_for: Option<Duration>,
    /// Names that were asked for in vain, so that one client cannot keep us fetching.
    unknown: VecDeque<(u64, Millis)>,
}

/// What whoever sends keys may ask for, and what holds if they do not.
const SHORTEST: Duration = Duration::from_secs(60);
const LONGEST: Duration = Duration::from_secs(24 * 3600);
const FRESH_FOR: Duration = Duration::from_secs(600);
const COOLDOWN: u64 = 30_000;
const MAX_STALE: u64 = 24 * 3_600_000;
const REMEMBERED: usize = 256;
const REMEMBERED_FOR: u64 = 60_000;

impl KeyStore {
    /// Files are read at once, so that whoever starts the service hears what is wrong with them.
    pub(super) fn open(origin: Origin, rules: KeyRules, clock: Clock, generation: Arc<AtomicU64>) -> Result<Self, Error> {
        let (origin, keys) = match origin {
            Origin::Fixed(keys) => (Origin::Fixed(KeySet::default()), Some(Arc::new(keys))),
            origin => (origin, None),
        };
        let store = Self {
            origin,
            rules,
            clock,
            generation,
            keys: RwLock::new(keys),
            state: Mutex::default(),
            work: Mutex::default(),
            hasher: RandomState::new(),
        };
        if store.changes() && !store.is_fetched() {
            store.refresh()?;
        }
        Ok(store)
    }

    pub(super) fn keys(&self) -> Result<Arc<KeySet>, Reason> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone().ok_or(Reason::KeysUnavailable)
    }

    pub(super) fn changes(&self) -> bool {
        !matches!(self.origin, Origin::Fixed(_))
    }

    /// Whether there are secrets here and never anything else.
    pub(super) fn holds_secrets(&self) -> bool {
        matches!(self.origin, Origin::Fixed(_) | Origin::Secrets(_))
    }

    pub(super) fn is_fetched(&self) -> bool {
        matches!(self.origin, Origin::Fetched(_))
    }

    /// A token names a key that is not here; whether to look for it now.
    pub(super) fn misses(&self, kid: &str) -> bool {
        if !self.is_fetched() {
            return false;
        }
        let (now, kid) = (self.clock.millis(), self.hasher.hash_one(kid));
        let mut state = self.state();
        if state.is_wanted || state.unknown.iter().any(|(known, at)| *known == kid && since(*at, now) < REMEMBERED_FOR) {
            return false;
        }
        state.unknown.truncate(REMEMBERED - 1);
        state.unknown.push_front((kid, now));
        state.is_wanted = true;
        true
    }

    /// Does what is due.
    pub(super) fn tick(&self) {
        let now = self.clock.millis();
        if !self.is_due(now) {
            self.still_stands(now);
        } else if let Err(error) = self.refresh() {
            let error = error.chain();
            if self.is_fetched() {
                tracing::warn!(error, "keys could not be fetched; those from before stay for a day");
            } else {
                // Hosts come back by themselves; files do not.
                tracing::error!(error, "keys could not be read; those from before stay for a day");
            }
        }
        self.expire(now);
    }

    /// Files that have not changed since they were read hold what they held.
    fn still_stands(&self, now: Millis) {
        let mut state = self.state();
        if !self.is_fetched() && !state.has_failed {
            state.known_good = Some(now);
        }
    }

    fn expire(&self, now: Millis) {
        {
            let mut state = self.state();
            if state.known_good.is_none_or(|at| since(at, now) <= MAX_STALE) {
                return;
            }
            state.known_good = None;
        }
        tracing::error!("the keys of an issuer could not be had for a day: its tokens are refused");
        self.replace(None);
    }

    fn is_due(&self, now: Millis) -> bool {
        let stamps = self.origin.stamps();
        let state = self.state();
        if !self.is_fetched() {
            // Also one that may not be read changes nothing when it may.
            let is_late = state.attempted.is_none_or(|at| since(at, now) >= COOLDOWN);
            return stamps != state.stamps || (state.has_failed && is_late);
        }
        state.attempted.is_none_or(|at| {
            let is_urgent = state.is_wanted || state.has_failed || state.known_good.is_none();
            let fresh_for = state.fresh_for.unwrap_or(FRESH_FOR).clamp(SHORTEST, LONGEST);
            // Before they are stale, so that no request ever meets stale ones.
            since(at, now) >= if is_urgent { COOLDOWN } else { fresh_for.as_millis() as u64 / 5 * 4 }
        })
    }

    /// Loads anew, whether due or not.
    pub(super) fn refresh(&self) -> Result<(), Error> {
        let _alone = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.millis();
        let stamps = self.origin.stamps();
        {
            // Counted before it is tried, so that failures count as attempts.
            let mut state = self.state();
            (state.attempted, state.is_wanted, state.stamps) = (Some(now), false, stamps);
        }
        let loaded = self.origin.load(&self.rules);
        let fresh_for = self.origin.fresh_for();
        let mut state = self.state();
        state.fresh_for = fresh_for;
        let keys = match loaded {
            Ok(keys) => keys,
            // Whoever takes the last key out of a set means it. At first it is a mistake, of which somebody wants to hear.
            Err(Unloaded::NoneLeft(error)) if state.was_loaded => {
                tracing::error!(error = %error.chain(), "there are no keys any more: the tokens of their issuer are refused");
                KeySet::default()
            }
            Err(Unloaded::NoneLeft(error) | Unloaded::Unknown(error)) => {
                state.has_failed = true;
                return Err(error);
            }
        };
        tracing::info!(keys = keys.len(), "keys are loaded");
        (state.known_good, state.was_loaded, state.has_failed) = (Some(now), true, false);
        drop(state);
        self.replace(Some(Arc::new(keys)));
        Ok(())
    }

    fn replace(&self, keys: Option<Arc<KeySet>>) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        // After the keys: whoever verifies with the old ones files the token under the old number.
        self.generation.fetch_add(1, Ordering::SeqCst);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How far apart; a clock that was set back makes things due, not never due.
fn since(at: Millis, now: Millis) -> u64 {
    now.abs_diff(at)
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        path::Path,
        time::{Duration, UNIX_EPOCH},
    };

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);
    /// RFC 8037, appendix A.2, and no key.
    const SET: &str = r#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "d", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
    const EMPTY: &str = r#"{"keys": []}"#;

    fn open(path: &Path, clock: &Clock) -> KeyStore {
        let rules = KeyRules { algorithms: Vec::new(), is_remote: false };
        KeyStore::open(Origin::Jwks(path.to_owned()), rules, clock.clone(), Arc::default()).unwrap()
    }

    fn count(store: &KeyStore) -> Result<usize, Reason> {
        store.keys().map(|keys| keys.len())
    }

    #[test]
    fn keys_of_a_file_that_vanished_stay_for_a_day_from_when_it_was_last_there() {
        let (directory, clock) = (tempfile::tempdir().unwrap(), Clock::manual(UNIX_EPOCH + 500_000 * HOUR));
        let path = directory.path().join("jwks.json");
        fs::write(&path, SET).unwrap();
        let store = open(&path, &clock);
        // However long ago it was read.
        clock.advance(100 * HOUR);
        store.tick();
        assert_eq!(count(&store), Ok(1));
        fs::remove_file(&path).unwrap();
        for _ in 0..24 {
            clock.advance(HOUR);
            store.tick();
            assert_eq!(count(&store), Ok(1));
        }
        clock.advance(HOUR);
        store.tick();
        assert_eq!(count(&store), Err(Reason::KeysUnavailable));
        fs::write(&path, SET).unwrap();
        store.tick();
        assert_eq!(count(&store), Ok(1));
    }

    #[test]
    fn a_file_that_is_broken_is_no_better_than_none() {
        let (directory, clock) = (tempfile::tempdir().unwrap(), Clock::manual(UNIX_EPOCH + 500_000 * HOUR));
        let path = directory.path().join("jwks.json");
        fs::write(&path, SET).unwrap();
        let store = open(&path, &clock);
        fs::write(&path, "half a fi").unwrap();
        store.tick();
        assert_eq!(count(&store), Ok(1));
        clock.advance(25 * HOUR);
        store.tick();
        assert_eq!(count(&store), Err(Reason::KeysUnavailable));
    }

    #[test]
    fn a_set_that_was_emptied_is_empty_at_once_and_not_before_there_was_one() {
        let (directory, clock) = (tempfile::tempdir().unwrap(), Clock::manual(UNIX_EPOCH + 500_000 * HOUR));
        let path = directory.path().join("jwks.json");
        fs::write(&path, SET).unwrap();
        let store = open(&path, &clock);
        fs::write(&path, EMPTY).unwrap();
        store.tick();
        assert_eq!(count(&store), Ok(0));
        let rules = KeyRules { algorithms: Vec::new(), is_remote: false };
        assert!(KeyStore::open(Origin::Jwks(path), rules, clock, Arc::default()).is_err());
    }
}

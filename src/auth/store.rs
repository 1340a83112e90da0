//! An issuer's keys over time: loaded, refreshed, replaced as a whole.

use std::{
    collections::VecDeque,
    fs::{self, File},
    hash::{BuildHasher, RandomState},
    io::Read,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use super::{
    document::{self, KeyRules, MAX_DOCUMENT},
    fetch::KeyFetcher,
    key::KeySet,
    reason::Reason,
};
use crate::{
    clock::{Clock, Millis},
    error::{Error, ErrorKind},
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

pub(super) enum Origin {
    Fixed(KeySet),
    Pem(PathBuf, Option<String>),
    Jwks(PathBuf),
    Fetched(Arc<dyn KeyFetcher>),
}

#[derive(Default)]
struct State {
    loaded: Option<Millis>,
    attempted: Option<Millis>,
    has_failed: bool,
    is_wanted: bool,
    stamp: Option<Stamp>,
    /// For how long what was fetched is fresh.
    fresh_for: Option<Duration>,
    /// Names that were asked for in vain, so that one client cannot keep us fetching.
    unknown: VecDeque<(u64, Millis)>,
}

/// What changes when a file is replaced or written.
type Stamp = (Option<SystemTime>, u64, u64);

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
        if matches!(store.origin, Origin::Pem(..) | Origin::Jwks(_)) {
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
        if self.is_fetched() && self.state().loaded.is_some_and(|loaded| since(loaded, now) > MAX_STALE) {
            tracing::error!("the keys of an issuer could not be fetched for a day: its tokens are refused");
            self.state().loaded = None;
            self.replace(None);
        }
        if self.is_due(now)
            && let Err(error) = self.refresh()
        {
            tracing::warn!(error = %error.chain(), "keys could not be refreshed; those from before stay");
        }
    }

    fn is_due(&self, now: Millis) -> bool {
        let state = self.state();
        match &self.origin {
            Origin::Fixed(_) => false,
            Origin::Pem(path, _) | Origin::Jwks(path) => stamp(path).is_some_and(|stamp| state.stamp != Some(stamp)),
            Origin::Fetched(_) => state.attempted.is_none_or(|at| {
                let is_urgent = state.is_wanted || state.has_failed || state.loaded.is_none();
                let fresh_for = state.fresh_for.unwrap_or(FRESH_FOR).clamp(SHORTEST, LONGEST);
                // Before they are stale, so that no request ever meets stale ones.
                since(at, now) >= if is_urgent { COOLDOWN } else { fresh_for.as_millis() as u64 / 5 * 4 }
            }),
        }
    }

    /// Loads anew, whether due or not.
    pub(super) fn refresh(&self) -> Result<(), Error> {
        let _alone = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.millis();
        {
            // Counted before it is tried, so that failures count as attempts.
            let mut state = self.state();
            (state.attempted, state.is_wanted) = (Some(now), false);
            if let Origin::Pem(path, _) | Origin::Jwks(path) = &self.origin {
                state.stamp = stamp(path);
            }
        }
        let loaded = self.load();
        self.state().has_failed = loaded.is_err();
        if let Some(keys) = loaded? {
            tracing::info!(keys = keys.len(), "keys are loaded");
            self.state().loaded = Some(now);
            self.replace(Some(Arc::new(keys)));
        }
        Ok(())
    }

    fn load(&self) -> Result<Option<KeySet>, Error> {
        let wrong = |what: &str, refusal| Error::new(ErrorKind::Config, format!("{what} {refusal}"));
        match &self.origin {
            Origin::Fixed(_) => Ok(None),
            Origin::Pem(path, kid) => {
                let what = format!("the key in {}", path.display());
                let key = document::pem(&read(path)?, kid.clone(), &self.rules).map_err(|refusal| wrong(&what, refusal))?;
                KeySet::new(vec![key]).map(Some).map_err(|refusal| wrong(&what, refusal))
            }
            Origin::Jwks(path) => {
                let what = format!("the key set in {}", path.display());
                document::jwks(&read(path)?, &self.rules).map(Some).map_err(|refusal| wrong(&what, refusal))
            }
            Origin::Fetched(fetcher) => {
                let fetched = catch_unwind(AssertUnwindSafe(|| fetcher.fetch().map(|text| (text, fetcher.fresh_for()))));
                let (text, fresh_for) = fetched.unwrap_or_else(|_| Err(Error::new(ErrorKind::Config, "the key fetcher panicked")))?;
                self.state().fresh_for = fresh_for;
                document::jwks(&text, &self.rules).map(Some).map_err(|refusal| wrong("the fetched key set", refusal))
            }
        }
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

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let cannot = |error| Error::new(ErrorKind::Config, format!("the key file {} cannot be read", path.display())).with_source(error);
    let mut text = Vec::new();
    File::open(path).map_err(cannot)?.take(MAX_DOCUMENT as u64 + 1).read_to_end(&mut text).map_err(cannot)?;
    Ok(text)
}

fn stamp(path: &Path) -> Option<Stamp> {
    let meta = fs::metadata(path).ok()?;
    #[cfg(unix)]
    let file = std::os::unix::fs::MetadataExt::ino(&meta);
    #[cfg(not(unix))]
    let file = 0;
    Some((meta.modified().ok(), meta.len(), file))
}

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError},
};

use super::{
    access_db::AccessDb,
    revocations::{HEEDED_WITHIN, Revocation, Seconds, TokenFacts},
};
use crate::{
    clock::{Clock, Tick},
    error::{Error, ErrorKind},
};

/// The revocations at hand, so that a token is looked up in some hundred nanoseconds. What this process revokes holds at once, what
/// another one does within [`HEEDED_WITHIN`].
#[derive(Default)]
pub(super) struct Denied {
    known: Mutex<Known>,
    /// Held by whoever asks the file; nobody else waits for that while what is known is young enough.
    asking: Mutex<()>,
}

/// What was found when the file was asked last.
#[derive(Default)]
struct Known {
    asked: Option<Tick>,
    has_failed: bool,
    version: Option<i64>,
    lists: Arc<Lists>,
}

/// By issuer, so that a look-up allocates nothing.
#[derive(Default)]
struct Lists(HashMap<String, OfIssuer>);

#[derive(Default)]
struct OfIssuer {
    ids: HashSet<String>,
    before: HashMap<String, Seconds>,
}

impl Denied {
    /// Whether a token counts no more. An error if that cannot be known: then none may be accepted.
    pub(super) fn covers(&self, token: TokenFacts<'_>, db: &AccessDb, clock: &Clock) -> Result<bool, Error> {
        Ok(self.lists(db, clock)?.0.get(token.issuer).is_some_and(|of| of.covers(token)))
    }

    /// Something was revoked, or taken back, by this process.
    pub(super) fn forget(&self) {
        self.known().asked = None;
    }

    fn lists(&self, db: &AccessDb, clock: &Clock) -> Result<Arc<Lists>, Error> {
        let heeded = HEEDED_WITHIN.as_nanos() as u64;
        if let Some(young) = self.known().within(clock.tick(), heeded) {
            return young;
        }
        let _asking = match self.asking.try_lock() {
            Ok(asking) => asking,
            Err(TryLockError::Poisoned(error)) => error.into_inner(),
            Err(TryLockError::WouldBlock) => {
                if let Some(young) = self.known().within(clock.tick(), 2 * heeded) {
                    return young;
                }
                self.asking.lock().unwrap_or_else(PoisonError::into_inner)
            }
        };
        if let Some(young) = self.known().within(clock.tick(), heeded) {
            return young;
        }
        let version = self.known().version;
        let found = look(db, version);
        let mut known = self.known();
        // That it failed is known for as long: a file that takes seconds to fail must not be asked by every request.
        (known.asked, known.has_failed) = (Some(clock.tick()), found.is_err());
        if let Some((version, lists)) = found? {
            (known.version, known.lists) = (Some(version), Arc::new(lists));
        }
        Ok(Arc::clone(&known.lists))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn within(&self, now: Tick, span_ns: u64) -> Option<Result<Arc<Lists>, Error>> {
        let is_young = self.asked.is_some_and(|asked| asked.until(now) < span_ns);
        is_young.then(|| match self.has_failed {
            true => Err(Error::new(ErrorKind::Storage, "the revocations could not be read a moment ago")),
            false => Ok(Arc::clone(&self.lists)),
        })
    }
}

/// The list, if it is another than this one.
fn look(db: &AccessDb, known: Option<i64>) -> Result<Option<(i64, Lists)>, Error> {
    // First the number: what is added in between is read twice rather than not at all.
    let version = db.revocation_version()?;
    if known == Some(version) {
        return Ok(None);
    }
    let mut lists: HashMap<String, OfIssuer> = HashMap::new();
    for entry in db.revocations()? {
        match entry {
            Revocation::Token { issuer, id, .. } => {
                lists.entry(issuer).or_default().ids.insert(id);
            }
            Revocation::Subject { issuer, subject, before, .. } => {
                lists.entry(issuer).or_default().before.insert(subject, before);
            }
        }
    }
    Ok(Some((version, Lists(lists))))
}

impl OfIssuer {
    fn covers(&self, token: TokenFacts<'_>) -> bool {
        token.id.is_some_and(|id| self.ids.contains(id))
            // A token that does not say when it was issued may be an old one.
            || self.before.get(token.subject).is_some_and(|before| token.issued.is_none_or(|issued| issued < *before))
    }
}

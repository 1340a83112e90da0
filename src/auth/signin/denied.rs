use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{
    access_db::AccessDb,
    revocations::{HEEDED_WITHIN, Revocation, Seconds, TokenFacts},
};
use crate::{
    clock::{Clock, Tick},
    error::Error,
};

/// The revocations at hand, so that a token is looked up in some hundred nanoseconds. What this process revokes holds at once, what
/// another one does within [`HEEDED_WITHIN`].
#[derive(Default)]
pub(super) struct Denied(Mutex<Copy>);

#[derive(Default)]
struct Copy {
    /// Of the list that this is a copy of, and when it was asked for; `None`: ask again.
    version: Option<i64>,
    asked: Option<Tick>,
    /// By issuer, so that a look-up allocates nothing.
    issuers: HashMap<String, OfIssuer>,
}

#[derive(Default)]
struct OfIssuer {
    ids: HashSet<String>,
    before: HashMap<String, Seconds>,
}

impl Denied {
    /// Whether a token counts no more. An error if that cannot be known: then none may be accepted.
    pub(super) fn covers(&self, token: TokenFacts<'_>, db: &AccessDb, clock: &Clock) -> Result<bool, Error> {
        let mut copy = self.copy();
        let now = clock.tick();
        if copy.asked.is_none_or(|asked| u128::from(asked.until(now)) >= HEEDED_WITHIN.as_nanos()) {
            copy.renew(db)?;
            copy.asked = Some(now);
        }
        Ok(copy.issuers.get(token.issuer).is_some_and(|of| of.covers(token)))
    }

    /// Something was revoked, or taken back, by this process.
    pub(super) fn forget(&self) {
        self.copy().asked = None;
    }

    fn copy(&self) -> MutexGuard<'_, Copy> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Copy {
    fn renew(&mut self, db: &AccessDb) -> Result<(), Error> {
        // First the number: what is added in between is read twice rather than not at all.
        let version = db.revocation_version()?;
        if self.version == Some(version) {
            return Ok(());
        }
        let mut issuers: HashMap<String, OfIssuer> = HashMap::new();
        for entry in db.revocations()? {
            match entry {
                Revocation::Token { issuer, id, .. } => {
                    issuers.entry(issuer).or_default().ids.insert(id);
                }
                Revocation::Subject { issuer, subject, before, .. } => {
                    issuers.entry(issuer).or_default().before.insert(subject, before);
                }
            }
        }
        (self.version, self.issuers) = (Some(version), issuers);
        Ok(())
    }
}

impl OfIssuer {
    fn covers(&self, token: TokenFacts<'_>) -> bool {
        token.id.is_some_and(|id| self.ids.contains(id))
            // A token that does not say when it was issued may be an old one.
            || self.before.get(token.subject).is_some_and(|before| token.issued.is_none_or(|issued| issued < *before))
    }
}

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use sha2::{Digest, Sha256};

use super::found::Found;
use crate::{
    clock::Millis,
    error::Error,
    hit::{Hit, SessionId},
};

/// Hits of an import, one after the other in order of time, with no more in memory than the sessions that are open.
///
/// Hits and not whole sessions: raw rows are to lie in order of time, and ten million of them cannot be sorted for it.
pub(crate) trait Source {
    /// Fills in the hit that comes next; `false` after the last. After an `Err` nothing more comes.
    fn next(&mut self, next: &mut Imported) -> Result<bool, Error>;

    /// Sessions that ended since this was last asked.
    fn take_ended(&mut self) -> Vec<SessionId>;

    /// What was found so far; complete after the last hit.
    fn found(&self) -> &Found;
}

/// One hit, resolved: its session, whether it opens it, whether it is an action.
#[derive(Debug, Default)]
pub(crate) struct Imported {
    /// Its session is `None` only for an error that happened outside of all sessions: a row of no session.
    pub(crate) hit: Hit,
    /// On the hit that opens a session whose source knows it by a name: how to know it again.
    pub(crate) source: Option<SourceId>,
    /// Its time was made, by spreading the actions of a session over its span.
    pub(crate) spread: bool,
    /// Whether its times are known; if not they are zero and belong in no histogram.
    pub(crate) timed: bool,
}

impl Imported {
    /// Empties it and keeps its buffer.
    pub(super) fn clear(&mut self) {
        self.hit.clear();
        (self.source, self.spread, self.timed) = (None, false, false);
    }
}

/// A session as its source knows it: a hash of its id there, its user and its beginning.
///
/// A hash, because ids of other systems may say who somebody is, and a person that is forgotten is to leave no trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SourceId(pub(crate) [u8; 16]);

impl SourceId {
    pub(super) fn of(parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let mut id = [0; 16];
        id.copy_from_slice(&hash.finalize()[..16]);
        Self(id)
    }
}

/// When sessions end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// The gap that ends one.
    pub(crate) timeout: Millis,
    /// The age that ends one.
    pub(crate) longest: Millis,
}

/// How far reading is, in bytes of the files as they lie on the disk; read from another thread too.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress(Arc<(AtomicU64, AtomicU64)>);

impl Progress {
    pub(crate) fn done(&self) -> u64 {
        self.0.0.load(Ordering::Relaxed)
    }

    pub(crate) fn total(&self) -> u64 {
        self.0.1.load(Ordering::Relaxed)
    }

    pub(super) fn expect(&self, bytes: u64) {
        self.0.1.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn add(&self, bytes: u64) {
        self.0.0.fetch_add(bytes, Ordering::Relaxed);
    }
}

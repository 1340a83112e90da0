use sha2::{Digest, Sha256};

use crate::clock::Millis;

pub(crate) use crate::store::{Content, End, Imported, Progress, Source, SourceId};

impl Imported {
    /// Empties it and keeps its buffer.
    pub(super) fn clear(&mut self) {
        self.hit.clear();
        (self.source, self.spread, self.timed) = (None, false, false);
    }
}

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

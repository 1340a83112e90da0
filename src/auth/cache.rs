use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use sha2::{Digest, Sha256};

use super::identity::Identity;
use crate::clock::Millis;

/// Tokens that were verified within the last minute, by the hash of the whole token: what is not that token, to the bit, is not here.
///
/// Only that a token is good is kept. What policies make of it, whether it is revoked, and whether it has expired since, is asked
/// every time.
#[derive(Default)]
pub(super) struct Cache(Mutex<Halves>);

/// When the young half is full it becomes the old one, and the old one goes: bounded, and no walk to make room.
#[derive(Default)]
struct Halves {
    young: HashMap<Print, Entry>,
    old: HashMap<Print, Entry>,
}

pub(super) type Print = [u8; 32];

#[derive(Clone)]
pub(super) struct Entry {
    pub(super) who: Arc<Identity>,
    /// Which of the issuers.
    pub(super) issuer: usize,
    pub(super) verified: Millis,
    /// Of the keys it was verified with.
    pub(super) generation: u64,
}

const HALF: usize = 5000;
const KEPT_FOR: u64 = 60_000;

impl Cache {
    pub(super) fn print(token: &str) -> Print {
        Sha256::digest(token.as_bytes()).into()
    }

    pub(super) fn get(&self, print: &Print, generation: u64, now: Millis) -> Option<Entry> {
        let halves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = halves.young.get(print).or_else(|| halves.old.get(print))?;
        (entry.generation == generation && now.abs_diff(entry.verified) < KEPT_FOR).then(|| entry.clone())
    }

    pub(super) fn put(&self, print: Print, entry: Entry) {
        let mut halves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if halves.young.len() >= HALF {
            halves.old = std::mem::take(&mut halves.young);
        }
        halves.young.insert(print, entry);
    }
}

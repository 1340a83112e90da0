use std::hash::Hasher;

use hashbrown::HashMap;
use siphasher::sip128::{Hasher128, SipHasher13};

use crate::clock::Millis;

/// Users seen lately, in two generations: when the young one is full, the old one is forgotten.
///
/// They are known by a hash of 128 bits under a random key, at which no two meet: ids would take as much memory again, and as many
/// allocations as there are users.
pub(super) struct Lately {
    key: [u8; 16],
    young: HashMap<u128, Known>,
    old: HashMap<u128, Known>,
}

#[derive(Clone, Copy)]
pub(super) struct Known {
    pub(super) number: u32,
    /// A short hash of the name, to see a change without keeping it.
    pub(super) name: u32,
    pub(super) first_seen: Millis,
}

/// Just what a table of 2^15 places takes: about 1 MB a generation.
pub(super) const GENERATION: usize = 28_000;

impl Default for Lately {
    fn default() -> Self {
        let mut key = [0; 16];
        if getrandom::fill(&mut key).is_err() {
            // Whoever knows the key would still need 2^64 ids for two that meet.
            tracing::debug!("the system has no randomness for the hashes of users");
        }
        Self { key, young: HashMap::new(), old: HashMap::new() }
    }
}

impl Lately {
    pub(super) fn hash(&self, id: &str) -> u128 {
        let mut hasher = SipHasher13::new_with_key(&self.key);
        hasher.write(id.as_bytes());
        hasher.finish128().as_u128()
    }

    /// What is known of a user, to be changed.
    pub(super) fn get(&mut self, hash: u128) -> Option<&mut Known> {
        if !self.young.contains_key(&hash)
            && let Some(known) = self.old.remove(&hash)
        {
            self.insert(hash, known);
        }
        self.young.get_mut(&hash)
    }

    pub(super) fn insert(&mut self, hash: u128, known: Known) -> &mut Known {
        if self.young.len() >= GENERATION {
            std::mem::swap(&mut self.young, &mut self.old);
            self.young.clear();
        }
        self.young.entry(hash).insert(known).into_mut()
    }
}

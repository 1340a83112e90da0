use std::mem;

use crate::{
    clock::Millis,
    hit::{Facts, Hit},
};

/// Hits one after the other: their facts, and their texts in one buffer.
#[derive(Default)]
pub(super) struct Shard {
    entries: Vec<Entry>,
    text: Vec<u8>,
}

struct Entry {
    facts: Facts,
    text_start: u32,
}

impl Shard {
    /// What a hit takes, by the length of its text.
    pub(super) fn size(text: usize) -> usize {
        mem::size_of::<Entry>() + text
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn push(&mut self, at: Millis, facts: &Facts, text: &[u8]) {
        let mut entry = Entry { facts: *facts, text_start: self.text.len() as u32 };
        entry.facts.at = Some(at);
        self.entries.push(entry);
        self.text.extend_from_slice(text);
    }

    pub(super) fn facts(&self) -> impl Iterator<Item = &Facts> {
        self.entries.iter().map(|entry| &entry.facts)
    }

    /// Copies a hit out; returns what it took.
    pub(super) fn copy(&self, place: usize, into: &mut Hit) -> usize {
        let entry = &self.entries[place];
        let end = self.entries.get(place + 1).map_or(self.text.len(), |next| next.text_start as usize);
        let text = &self.text[entry.text_start as usize..end];
        into.fill(&entry.facts, text);
        Self::size(text.len())
    }

    pub(super) fn reset(&mut self) {
        // A burst may leave large buffers behind; what an ordinary batch needs is kept.
        const KEPT: usize = 1 << 20;
        self.entries.clear();
        self.text.clear();
        self.text.shrink_to(KEPT);
        self.entries.shrink_to(KEPT / mem::size_of::<Entry>());
    }
}

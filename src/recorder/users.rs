use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable, hash_table::Entry};
use smallvec::SmallVec;

use super::open::Open;

/// The open sessions of one user or visitor; nearly everybody has one.
pub(super) type List = SmallVec<[Open; 1]>;

/// The open sessions of each user.
///
/// A table of boxes: for a short while, whenever it grows, a table holds room for three times what is in it.
#[derive(Default)]
pub(super) struct Users {
    hasher: DefaultHashBuilder,
    table: HashTable<Box<User>>,
}

struct User {
    list: List,
    name: Box<str>,
}

impl Users {
    pub(super) fn list(&mut self, name: &str) -> &mut List {
        let Self { hasher, table } = self;
        match table.entry(hasher.hash_one(name), |user| *user.name == *name, |user| hasher.hash_one(&*user.name)) {
            Entry::Occupied(user) => &mut user.into_mut().list,
            Entry::Vacant(place) => &mut place.insert(Box::new(User { list: List::new(), name: name.into() })).into_mut().list,
        }
    }

    /// Lets go of those of whom nothing is left.
    pub(super) fn retain(&mut self, mut is_left: impl FnMut(&mut List) -> bool) {
        self.table.retain(|user| is_left(&mut user.list));
    }

    #[cfg(test)]
    pub(super) fn lists(&self) -> impl Iterator<Item = &List> {
        self.table.iter().map(|user| &user.list)
    }
}

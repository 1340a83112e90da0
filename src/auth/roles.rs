use std::collections::{BTreeSet, HashMap};

use super::{
    config::Issuer,
    json::{Json, Object},
};
use crate::access::Role;

/// Roles as bits, so that a policy is two comparisons.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct RoleSet(u64);

/// What the bits are called: `admin`, `mod`, then those of the settings.
#[derive(Debug, Default, PartialEq)]
pub(super) struct RoleNames(Vec<String>);

pub(super) const ADMIN: &str = "admin";
pub(super) const MOD: &str = "mod";
const MOST: usize = 64;

impl RoleNames {
    /// `None` if there are more than 64.
    pub(super) fn new<'a>(names: impl Iterator<Item = &'a str>) -> Option<Self> {
        let own: BTreeSet<&str> = names.filter(|name| ![ADMIN, MOD].contains(name)).collect();
        let names = [ADMIN, MOD].into_iter().chain(own).map(str::to_owned).collect::<Vec<_>>();
        (names.len() <= MOST).then_some(Self(names))
    }

    pub(super) fn bit(&self, name: &str) -> Option<RoleSet> {
        self.0.iter().position(|known| known == name).map(|at| RoleSet(1 << at))
    }

    /// Those of the names that are known.
    #[cfg(feature = "sqlite")]
    pub(super) fn set(&self, names: &[String]) -> RoleSet {
        names.iter().filter_map(|name| self.bit(name)).fold(RoleSet::default(), RoleSet::with)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    pub(super) fn of(&self, set: RoleSet) -> Vec<&str> {
        let mut names: Vec<&str> = self.0.iter().enumerate().filter(|(at, _)| set.0 >> at & 1 == 1).map(|(_, name)| &**name).collect();
        names.sort_unstable();
        names
    }
}

impl RoleSet {
    pub(super) fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn has_any(self, of: Self) -> bool {
        self.0 & of.0 != 0
    }

    pub(super) fn has_all(self, of: Self) -> bool {
        self.0 & of.0 == of.0
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) fn role(self) -> Role {
        match self.0 {
            set if set & 1 != 0 => Role::Admin,
            set if set & 2 != 0 => Role::Mod,
            _ => Role::User,
        }
    }
}

/// Reads an issuer's roles off its tokens.
#[derive(Debug)]
pub(super) struct RoleReader {
    paths: Vec<Vec<String>>,
    map: HashMap<String, RoleSet>,
    split_commas: bool,
}

impl RoleReader {
    pub(super) fn new(issuer: &Issuer, names: &RoleNames) -> Self {
        let map = issuer.role_map.iter().filter_map(|(theirs, ours)| Some((theirs.clone(), names.bit(ours)?))).collect();
        Self { paths: issuer.role_paths.iter().map(super::role_path::RolePath::keys).collect(), map, split_commas: issuer.split_commas }
    }

    /// What is missing, of another kind or unknown grants nothing.
    pub(super) fn read(&self, claims: &Object<'_>) -> RoleSet {
        let mut roles = RoleSet::default();
        let mut grant = |name: &str| roles = roles.with(self.map.get(name).copied().unwrap_or_default());
        for value in self.paths.iter().filter_map(|path| claims.at(path)) {
            match value {
                // As `scope` is written, RFC 6749 section 3.3.
                Json::Text(text) => text.split(|c| c == ' ' || (self.split_commas && c == ',')).for_each(&mut grant),
                Json::List(list) => list.iter().filter_map(Json::text).for_each(&mut grant),
                _ => {}
            }
        }
        roles
    }
}

//! Some hits, and whatever can be counted of them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Seen, World, question::Question};

#[derive(Clone)]
pub(crate) struct Group<'a> {
    world: &'a World,
    /// Whether a session counts if any of its hits is there, or only with its first one.
    splits: bool,
    pub(crate) hits: Vec<&'a Seen>,
}

impl<'a> Group<'a> {
    pub(crate) fn new(world: &'a World, question: &Question, hits: impl Iterator<Item = &'a Seen>) -> Self {
        Self { world, splits: question.splits(), hits: hits.collect() }
    }

    pub(crate) fn only(&self, is_in: impl Fn(&Seen) -> bool) -> Self {
        Self { hits: self.hits.iter().copied().filter(|hit| is_in(hit)).collect(), ..self.clone() }
    }

    /// The hits by something that each of them has one of, or none.
    pub(crate) fn by<K: Ord>(&self, key: impl Fn(&Seen) -> Option<K>) -> BTreeMap<K, Self> {
        let mut groups: BTreeMap<K, Self> = BTreeMap::new();
        for hit in &self.hits {
            if let Some(key) = key(hit) {
                let group = groups.entry(key).or_insert_with(|| Self { hits: Vec::new(), ..*self });
                group.hits.push(hit);
            }
        }
        groups
    }

    pub(crate) fn count(&self, is_so: impl Fn(&Seen) -> bool) -> usize {
        self.hits.iter().filter(|hit| is_so(hit)).count()
    }

    pub(crate) fn len(&self) -> usize {
        self.hits.len()
    }

    pub(crate) fn users(&self) -> BTreeSet<i64> {
        self.hits.iter().filter_map(|hit| hit.person).collect()
    }

    pub(crate) fn visitors(&self) -> usize {
        self.hits.iter().filter_map(|hit| hit.visitor).collect::<BTreeSet<_>>().len()
    }

    pub(crate) fn sessions(&self) -> BTreeSet<(i64, i64)> {
        self.hits.iter().filter(|hit| self.splits || hit.raw.opens).map(|hit| hit.session).collect()
    }

    pub(crate) fn time(&self) -> i64 {
        self.sessions().iter().map(|session| self.world.sessions[session].time).sum()
    }

    pub(crate) fn actions(&self) -> usize {
        self.count(|hit| hit.raw.is_action)
    }

    pub(crate) fn errors(&self) -> usize {
        self.count(|hit| hit.raw.is_error())
    }

    pub(crate) fn client_errors(&self) -> usize {
        self.count(|hit| (400..500).contains(&hit.raw.status) && hit.raw.outcome != 2)
    }

    pub(crate) fn aborted(&self) -> usize {
        self.count(|hit| hit.raw.outcome == 2)
    }

    pub(crate) fn bytes_out(&self) -> i64 {
        self.hits.iter().map(|hit| hit.raw.bytes_out).sum()
    }

    /// In milliseconds: the least time that so many of a hundred did not exceed.
    pub(crate) fn percentile(&self, percent: usize) -> f64 {
        let mut times: Vec<i64> = self.hits.iter().map(|hit| hit.raw.head_us).collect();
        times.sort_unstable();
        let rank = (times.len() * percent).div_ceil(100).max(1);
        times.get(rank - 1).map_or(0.0, |micros| *micros as f64 / 1e3)
    }

    pub(crate) fn p50_p95_p99(&self) -> [f64; 3] {
        [50, 95, 99].map(|percent| self.percentile(percent))
    }

    /// Fields that many rows have.
    pub(crate) fn outcomes(&self) -> Value {
        let [p50, p95, p99] = self.p50_p95_p99();
        json!({
            "hits": self.len(), "users": self.users().len(), "errors": self.errors(), "client_errors": self.client_errors(),
            "aborted": self.aborted(), "p50_ms": p50, "p95_ms": p95, "p99_ms": p99,
        })
    }
}

/// The fields of both.
pub(crate) fn joined(one: Value, other: Value) -> Value {
    let (Value::Object(mut one), Value::Object(other)) = (one, other) else { panic!("no objects") };
    one.extend(other);
    Value::Object(one)
}

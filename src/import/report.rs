use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::found::Found;

/// What an import found, and what it made of it. Of a dry run: what it would have made of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Report {
    /// Records of sessions, or lines of a log.
    pub records: u64,
    /// Sessions that are new.
    pub sessions: u64,
    /// Hits that are new, those that are no actions among them.
    pub hits: u64,
    /// Hits that are actions.
    pub actions: u64,
    /// Records that went on with a session of the same id.
    pub merged: u64,
    /// Records that two files had both.
    pub repeated: u64,
    /// Sessions that an earlier import brought: they stay as they are.
    pub known: u64,
    /// What was left out or put right: why, and how often.
    pub notes: BTreeMap<String, u64>,
    /// The first few records that were left out, with file and place.
    pub examples: Vec<String>,
    /// Paths that no route template covers, by their first segment: the most frequent ones.
    pub unmatched: BTreeMap<String, u64>,
    /// Fields that nobody knows, with how often they came.
    pub unknown_fields: BTreeMap<String, u64>,
    /// Stored sums that are not what the sessions say. The sessions count.
    pub differing: u64,
    /// The first few of them.
    pub differences: Vec<String>,
    /// Errors in the stored groups, those that are no longer listed one by one among them.
    pub grouped_errors: u64,
    /// Users who were seen later than in any session.
    pub seen_later: u64,
}

impl Report {
    pub(super) fn of(found: &Found) -> Self {
        Self {
            records: found.records,
            sessions: found.sessions,
            hits: found.hits,
            actions: found.actions,
            merged: found.merged,
            repeated: found.repeated,
            known: found.known,
            notes: found.noted.iter().map(|(why, count)| (why.to_string(), *count)).collect(),
            examples: found.examples.clone(),
            unmatched: most_frequent(found),
            unknown_fields: found.unknown_fields.clone(),
            differing: found.differing,
            differences: found.differences.clone(),
            grouped_errors: found.grouped_errors,
            seen_later: found.last_seen.len() as u64,
        }
    }
}

/// So many are shown.
const UNMATCHED: usize = 20;

fn most_frequent(found: &Found) -> BTreeMap<String, u64> {
    let mut all: Vec<_> = found.unmatched.iter().collect();
    all.sort_by_key(|(segment, count)| (std::cmp::Reverse(**count), (*segment).clone()));
    all.into_iter().take(UNMATCHED).map(|(segment, count)| (segment.to_string(), *count)).collect()
}

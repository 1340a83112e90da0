use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

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

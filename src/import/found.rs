use std::{collections::BTreeMap, fmt};

use hashbrown::HashMap;

use super::{
    report::Report,
    source::{Content, End},
};
use crate::{clock::Millis, facts::cut};

/// What an import found in its files, for the report at its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// Records of sessions, or lines of a log.
    pub(crate) records: u64,
    /// Sessions that came of them.
    pub(crate) sessions: u64,
    /// Hits, those that are no actions among them.
    pub(crate) hits: u64,
    pub(crate) actions: u64,
    /// Records that went on with a session of the same id.
    pub(crate) merged: u64,
    /// Records that two files had both.
    pub(crate) repeated: u64,
    /// Sessions that an earlier import brought.
    pub(crate) known: u64,
    /// Fields and keys that nobody knows, by name, with how often they came.
    pub(crate) unknown_fields: BTreeMap<String, u64>,
    /// What was left out or put right, by why.
    pub(crate) noted: BTreeMap<Noted, u64>,
    /// The first few that were left out: file and place, and nothing of what they say, for reports are kept.
    pub(crate) examples: Vec<String>,
    /// Requests that no template covers by the first segment of their path, for whoever writes the templates.
    pub(crate) unmatched: HashMap<String, u64>,
    /// Sums in the files that are not what their sessions say; at most [`SHOWN`] of them.
    pub(crate) differences: Vec<String>,
    /// All such sums.
    pub(crate) differing: u64,
    /// How often the groups of errors say that errors came, those that are no longer listed among them.
    pub(crate) grouped_errors: u64,
    /// Users and when they were last seen by what is no session; it only raises theirs.
    pub(crate) last_seen: Vec<(String, Millis)>,
    /// The files, as they were read.
    pub(crate) contents: Vec<Content>,
}

/// Why something was left out, or what was made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Noted {
    /// A session without any time has no place.
    NoTime,
    /// Taken for one moment.
    EndsBeforeStart,
    /// The map of endpoints won.
    CountDiffers,
    /// Sessions in which nobody did anything.
    NoActions,
    /// Errors that happened outside of all sessions of their user.
    ErrorsOutside,
    /// Lines that have not the form of an access log.
    BrokenLine,
    /// Lines that are well formed, of something that was no HTTP request.
    NotHttp,
    /// Requests that no template covers.
    Unmatched,
    /// Lines that do not end as it was said.
    NoDuration,
    /// Last lines that are not all there yet.
    Unfinished,
}

impl fmt::Display for Noted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoTime => "sessions without any time, left out",
            Self::EndsBeforeStart => "sessions that ended before they began, taken for one moment",
            Self::CountDiffers => "sessions whose actions_count is not the sum of endpoints_used",
            Self::NoActions => "sessions without an action",
            Self::ErrorsOutside => "errors outside of all sessions",
            Self::BrokenLine => "lines that could not be read, left out",
            Self::NotHttp => "lines about what was no HTTP request, left out",
            Self::Unmatched => "requests that no route template covers",
            Self::NoDuration => "lines whose last field is no duration",
            Self::Unfinished => "last lines that do not end yet, left for the next import",
        })
    }
}

/// The most examples and differences that are kept.
pub(crate) const SHOWN: usize = 20;

/// The most segments of paths that are told.
const UNMATCHED: usize = 20;

/// More names than this are nobody's fields; the rest counts under one.
const NAMES: usize = 200;

impl Found {
    /// Said once, after the last hit.
    pub(super) fn end(&mut self, kind: &'static str) -> End {
        let report = serde_json::to_value(self.report()).unwrap_or_default();
        End { kind, contents: std::mem::take(&mut self.contents), report, last_seen: std::mem::take(&mut self.last_seen) }
    }

    pub(super) fn report(&self) -> Report {
        Report {
            records: self.records,
            sessions: self.sessions,
            hits: self.hits,
            actions: self.actions,
            merged: self.merged,
            repeated: self.repeated,
            known: self.known,
            notes: self.noted.iter().map(|(why, count)| (why.to_string(), *count)).collect(),
            examples: self.examples.clone(),
            unmatched: self.most_frequent(),
            unknown_fields: self.unknown_fields.clone(),
            differing: self.differing,
            differences: self.differences.clone(),
            grouped_errors: self.grouped_errors,
            seen_later: self.last_seen.len() as u64,
        }
    }

    fn most_frequent(&self) -> BTreeMap<String, u64> {
        let mut all: Vec<_> = self.unmatched.iter().collect();
        all.sort_by_key(|(segment, count)| (std::cmp::Reverse(**count), (*segment).clone()));
        all.into_iter().take(UNMATCHED).map(|(segment, count)| (segment.to_string(), *count)).collect()
    }

    pub(super) fn note(&mut self, noted: Noted) {
        *self.noted.entry(noted).or_default() += 1;
    }

    pub(super) fn example(&mut self, text: impl FnOnce() -> String) {
        if self.examples.len() < SHOWN {
            self.examples.push(text());
        }
    }

    pub(super) fn differs(&mut self, text: impl FnOnce() -> String) {
        self.differing += 1;
        if self.differences.len() < SHOWN {
            self.differences.push(text());
        }
    }

    pub(super) fn unknown_field(&mut self, name: &str) {
        if let Some(count) = self.unknown_fields.get_mut(name) {
            *count += 1;
            return;
        }
        let name = if self.unknown_fields.len() < NAMES { &name[..cut(name.as_bytes(), 64)] } else { "(other)" };
        *self.unknown_fields.entry(name.to_owned()).or_default() += 1;
    }

    pub(super) fn unmatched(&mut self, path: &[u8]) {
        self.note(Noted::Unmatched);
        let path = std::str::from_utf8(path).unwrap_or_default();
        let end = path.get(1..).and_then(|rest| rest.find('/')).map_or(path.len(), |end| end + 1);
        let segment = &path[..end];
        // Reports are kept, and what may be somebody's id or secret is not.
        let is_plain = end <= 32 && segment.bytes().all(|byte| byte.is_ascii_lowercase() || b"/-_.".contains(&byte));
        let segment = if is_plain && end > 0 { segment } else { "(other)" };
        if self.unmatched.len() < NAMES || self.unmatched.contains_key(segment) {
            *self.unmatched.entry_ref(segment).or_default() += 1;
        } else {
            *self.unmatched.entry_ref("(other)").or_default() += 1;
        }
    }

    /// How often something was noted.
    #[cfg(test)]
    pub(crate) fn count(&self, noted: Noted) -> u64 {
        self.noted.get(&noted).copied().unwrap_or_default()
    }
}

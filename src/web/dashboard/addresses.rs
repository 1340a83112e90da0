//! Where links lead: to this page or another, with the same range, zone and filters but for what they change.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::view::{COMMON, Pair, View};
use crate::web::api::params::Param;

/// In a query, spaces and everything that could end it are written as codes.
const CODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/').remove(b':');

impl View {
    /// The same question of the API.
    pub(super) fn api(&self, path: &str, takes: &[&[Param]]) -> String {
        address(&self.links.to(path), &self.asked(takes))
    }

    /// Another page, of the same range and filters.
    pub(super) fn page(&self, path: &str) -> String {
        address(&self.to(path), &self.common().cloned().collect::<Vec<_>>())
    }

    /// Another page with a filter or parameter more.
    pub(super) fn page_with(&self, path: &str, name: &str, value: &str) -> String {
        let pairs = self.common().filter(|(other, _)| other != name).cloned();
        address(&self.to(path), &pairs.chain([(name.to_owned(), value.to_owned())]).collect::<Vec<_>>())
    }

    /// The users who were first seen in one step and were there in another; each is a day and the one before which it ends.
    pub(super) fn cohort(&self, cohort: [&str; 2], period: [&str; 2]) -> String {
        let range = ["days", "from", "to", "range"];
        let mut pairs: Vec<Pair> = self.common().filter(|(name, _)| !range.contains(&name.as_str())).cloned().collect();
        let more = [("from", period[0]), ("to", period[1]), ("first_from", cohort[0]), ("first_to", cohort[1])];
        pairs.extend(more.map(|(name, value)| (name.to_owned(), value.to_owned())));
        address(&self.to("users"), &pairs)
    }

    /// This page with a parameter more, or another value of it.
    pub(super) fn with(&self, name: &str, value: &str) -> String {
        address(&self.to(self.path), &self.pairs_with(&[name], &[(name, value)]))
    }

    pub(super) fn without(&self, name: &str) -> String {
        address(&self.to(self.path), &self.pairs_with(&[name], &[]))
    }

    /// This page of another range.
    pub(super) fn ranged(&self, range: &str) -> String {
        let more = match range {
            "all" => ("range", "all"),
            days => ("days", days),
        };
        address(&self.to(self.path), &self.pairs_with(&["days", "from", "to", "range"], &[more]))
    }

    /// What a form that sets some parameters must send along.
    pub(super) fn rest(&self, set: &[&str]) -> Vec<Pair> {
        self.pairs_with(set, &[])
    }

    /// Where forms of this page go.
    pub(super) fn action(&self) -> String {
        self.to(self.path)
    }

    fn to(&self, path: &str) -> String {
        if path.is_empty() { self.links.home().to_owned() } else { self.links.to(path) }
    }

    fn common(&self) -> impl Iterator<Item = &Pair> {
        self.pairs.iter().filter(|(name, _)| COMMON.iter().copied().flatten().any(|param| param.name == name))
    }

    /// A list begins anew when something about it changes.
    fn pairs_with(&self, set: &[&str], more: &[(&str, &str)]) -> Vec<Pair> {
        let kept = self.pairs.iter().filter(|(name, _)| !set.contains(&name.as_str()) && name != "cursor").cloned();
        kept.chain(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))).collect()
    }
}

/// A path's part or a value, whatever is in it.
pub(super) fn coded(text: &str) -> String {
    utf8_percent_encode(text, CODED).to_string()
}

fn address(path: &str, pairs: &[Pair]) -> String {
    let mut address = path.to_owned();
    for (place, (name, value)) in pairs.iter().enumerate() {
        address.push(if place == 0 { '?' } else { '&' });
        address += &format!("{name}={}", coded(value));
    }
    address
}

use askama::Template;

use crate::web::{charts, format};

/// A number with its change against the period before and the shape of the range; all of it is a link.
#[derive(Debug, Template)]
#[template(path = "_card.html")]
pub(super) struct Card {
    label: &'static str,
    about: &'static str,
    value: String,
    exact: String,
    change: Option<Change>,
    href: String,
    spark: String,
}

#[derive(Debug)]
struct Change {
    text: String,
    /// `good`, `bad` or `none`: by what it means, not by its sign.
    class: &'static str,
    before: String,
}

/// Whether more is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Better {
    More,
    Less,
}

impl Card {
    pub(super) fn new(label: &'static str, value: String, exact: String, href: String) -> Self {
        Self { label, about: "", value, exact, change: None, href, spark: charts::spark(&[]) }
    }

    pub(super) fn count(label: &'static str, value: u64, before: Option<u64>, href: String) -> Self {
        let card = Self::new(label, format::number(value), format::exact(value), href);
        card.before(value as f64, before.map(|before| (before as f64, format::exact(before))), Better::More)
    }

    pub(super) fn before(mut self, value: f64, before: Option<(f64, String)>, better: Better) -> Self {
        self.change = before.and_then(|(before, exact)| {
            let (text, is_more) = match (before, value) {
                (0.0, 0.0) => return None,
                (0.0, _) => ("new".to_owned(), true),
                _ => (format::change(value / before - 1.0), value > before),
            };
            // What there was none of has not become better or worse.
            let flat = before == 0.0 || (value / before - 1.0).abs() < 0.005;
            let class = if flat {
                "none"
            } else if is_more == (better == Better::More) {
                "good"
            } else {
                "bad"
            };
            Some(Change { text, class, before: exact })
        });
        self
    }

    pub(super) fn about(mut self, about: &'static str) -> Self {
        self.about = about;
        self
    }

    pub(super) fn spark(mut self, values: impl IntoIterator<Item = f64>) -> Self {
        self.spark = charts::spark(&values.into_iter().collect::<Vec<_>>());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(value: f64, before: f64, better: Better) -> Option<&'static str> {
        let card = Card::new("Errors", String::new(), String::new(), String::new());
        card.before(value, Some((before, String::new())), better).change.map(|change| change.class)
    }

    #[test]
    fn a_change_is_coloured_by_what_it_means() {
        assert_eq!(class(2.0, 1.0, Better::More), Some("good"));
        assert_eq!(class(2.0, 1.0, Better::Less), Some("bad"));
        assert_eq!(class(1.0, 2.0, Better::Less), Some("good"));
        assert_eq!(class(1.0, 0.0, Better::Less), Some("none"));
        assert_eq!(class(1.001, 1.0, Better::Less), Some("none"));
        assert_eq!(class(0.0, 0.0, Better::More), None);
    }
}

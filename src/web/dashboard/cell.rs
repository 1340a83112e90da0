use std::time::{Duration, SystemTime};

use super::view::View;
use crate::web::{charts, format};

#[derive(Debug)]
pub(super) struct Column {
    pub(super) label: &'static str,
    pub(super) about: &'static str,
    pub(super) numeric: bool,
}

/// What stands in a table, and by what it is sorted.
#[derive(Clone, Debug, Default)]
pub(super) struct Cell {
    pub(super) text: String,
    /// A small word before it.
    pub(super) tag: String,
    /// The exact value, or all of a long name.
    pub(super) title: String,
    pub(super) href: String,
    /// A smaller word beside it.
    pub(super) soft: String,
    pub(super) class: &'static str,
    pub(super) sort: Option<f64>,
    pub(super) svg: String,
    pub(super) numeric: bool,
}

impl Cell {
    /// A name of something; what has none is said to have none.
    pub(super) fn name(text: &str, or: &str) -> Self {
        if text.trim().is_empty() {
            return Self { text: or.to_owned(), class: "none", ..Self::default() };
        }
        Self { text: text.to_owned(), title: text.to_owned(), ..Self::default() }
    }

    /// The method is a small word of its own, so that routes stand below one another.
    pub(super) fn endpoint(endpoint: &str) -> Self {
        let cell = Self::name(endpoint, "unknown");
        match endpoint.split_once(' ') {
            Some((method, route)) if !method.is_empty() && !route.trim().is_empty() => {
                Self { text: route.to_owned(), tag: method.to_owned(), ..cell }
            }
            _ => cell,
        }
    }

    pub(super) fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    pub(super) fn number(value: u64) -> Self {
        Self { text: format::number(value), title: format::exact(value), sort: Some(value as f64), numeric: true, ..Self::default() }
    }

    /// A count of what should be none.
    pub(super) fn fault(value: u64) -> Self {
        Self { class: if value > 0 { "bad" } else { "none" }, ..Self::number(value) }
    }

    pub(super) fn float(value: f64, text: String) -> Self {
        Self { text, title: format!("{value:.4}"), sort: Some(value), numeric: true, ..Self::default() }
    }

    pub(super) fn duration(value: Duration) -> Self {
        let title = format!("{} s", value.as_secs_f64());
        Self { text: format::duration(value), title, sort: Some(value.as_secs_f64()), numeric: true, ..Self::default() }
    }

    /// How long ago, with the moment itself in the title.
    pub(super) fn ago(view: &View, then: Option<SystemTime>) -> Self {
        let Some(then) = then else { return Self { text: "–".to_owned(), class: "none", numeric: true, ..Self::default() } };
        let sort = Some(crate::clock::to_millis(then) as f64);
        Self { text: format::ago(then, view.now()), title: format::moment(view.tz(), then), sort, numeric: true, ..Self::default() }
    }

    /// A day, of those that reports give; with the year if it is another one.
    pub(super) fn day(view: &View, day: &str) -> Self {
        let sort = crate::zone::parse_day(day).map(f64::from);
        Self { text: format::day(day, view.tz(), view.now()), title: day.to_owned(), sort, numeric: true, ..Self::default() }
    }

    /// A moment as the zone's clocks show it.
    pub(super) fn moment(view: &View, at: SystemTime) -> Self {
        let sort = Some(crate::clock::to_millis(at) as f64);
        Self { text: format::near(view.tz(), at, view.now()), title: format::time(at), sort, ..Self::default() }
    }

    /// A change as a share, coloured by what it means if more is better.
    pub(super) fn change(change: Option<f64>) -> Self {
        let Some(change) = change else { return Self { text: "new".to_owned(), class: "none", numeric: true, ..Self::default() } };
        let class = if change.abs() < 0.005 {
            "none"
        } else if change > 0.0 {
            "good"
        } else {
            "bad"
        };
        Self { class, ..Self::float(change, format::change(change)) }
    }

    pub(super) fn to(mut self, href: String) -> Self {
        self.href = href;
        self
    }

    pub(super) fn soft(mut self, soft: impl Into<String>) -> Self {
        self.soft = soft.into();
        self
    }

    pub(super) fn class(mut self, class: &'static str) -> Self {
        self.class = class;
        self
    }

    pub(super) fn titled(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// A bar under it, as long as its share of the greatest.
    pub(super) fn bar(mut self, value: u64, most: u64) -> Self {
        self.svg = charts::bar(value as f64, most as f64);
        self
    }

    /// By what it is sorted, if that is a number.
    pub(super) fn number_of(&self) -> Option<f64> {
        self.sort
    }

    /// All that is written in it.
    pub(super) fn words(&self) -> String {
        [&self.tag, &self.text, &self.soft].map(String::as_str).join(" ").trim().to_owned()
    }

    /// A drawing of ours in it.
    pub(super) fn drawn(svg: String) -> Self {
        Self { svg, class: "drawn", ..Self::default() }
    }
}

use askama::Template;

use crate::web::{charts, format};

/// Names over thin bars. A click filters; what has a page of its own has a second link to it.
#[derive(Debug, Template)]
#[template(path = "_bars.html")]
pub(super) struct Bars {
    pub(super) items: Vec<Bar>,
    /// How many there are besides.
    pub(super) hidden: usize,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Bar {
    pub(super) name: String,
    /// Filters by it.
    pub(super) href: String,
    /// To its own page.
    pub(super) open: String,
    pub(super) value: u64,
    /// What the value is of, as words: `12.5 %`.
    pub(super) soft: String,
    /// More or less than before, as a share.
    pub(super) change: Option<f64>,
    pub(super) fault: bool,
}

impl Bars {
    /// The first so many, as they are ordered.
    pub(super) fn of(items: impl IntoIterator<Item = Bar>, most: usize) -> Self {
        let mut items: Vec<Bar> = items.into_iter().collect();
        let hidden = items.len().saturating_sub(most);
        items.truncate(most);
        Self { items, hidden }
    }

    fn more(&self) -> u64 {
        self.hidden as u64
    }

    fn svg(&self, item: &Bar) -> String {
        let most = self.items.iter().map(|item| item.value).max().unwrap_or_default();
        charts::bar(item.value as f64, most as f64)
    }
}

impl Bar {
    fn shown(&self) -> &str {
        if self.name.trim().is_empty() { "unknown" } else { &self.name }
    }

    fn changed(&self) -> Option<(&'static str, String)> {
        let change = self.change?;
        let class = match (change * 1000.0).round() as i64 {
            0 => "none",
            1.. => "good",
            _ => "bad",
        };
        Some((class, format::change(change)))
    }
}

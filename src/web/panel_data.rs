//! What plugins show: data, never markup. It is drawn, escaped and exported here.

use std::{fmt, sync::Arc};

use crate::{error::Error, report::Ask};

/// A part of a plugin's page: a question of its own.
#[derive(Clone)]
pub struct Panel {
    pub(super) id: &'static str,
    pub(super) title: String,
    pub(super) ask: Arc<Question>,
}

type Question = dyn Fn(&Ask) -> Result<PanelData, Error> + Send + Sync;

/// What a panel shows; CSV, JSON and the table view follow from it.
#[derive(Clone, Debug, PartialEq)]
pub struct PanelData(pub(super) Shown);

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shown {
    Number(f64),
    Bars(Vec<(String, u64)>),
    Lines { names: Vec<String>, lines: Vec<(String, Vec<f64>)> },
    Heat { rows: Vec<String>, columns: Vec<String>, values: Vec<u64> },
    Table { columns: Vec<String>, rows: Vec<Vec<String>> },
    Text(String),
}

impl Panel {
    /// The id names it in addresses: lower-case letters, digits and `-`. The question is asked anew for each page, of the page's range and
    /// filters, off the async threads; it may block. If it panics or fails, its panel says so and the page stands.
    pub fn new(id: &'static str, title: impl Into<String>, ask: impl Fn(&Ask) -> Result<PanelData, Error> + Send + Sync + 'static) -> Self {
        Self { id, title: title.into(), ask: Arc::new(ask) }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &'static str {
        self.id
    }
}

impl fmt::Debug for Panel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Panel").field("id", &self.id).field("title", &self.title).finish_non_exhaustive()
    }
}

impl PanelData {
    /// One number.
    #[must_use]
    pub fn number(value: f64) -> Self {
        Self(Shown::Number(value))
    }

    /// Names over bars, in the order given.
    pub fn bars<N: Into<String>>(bars: impl IntoIterator<Item = (N, u64)>) -> Self {
        Self(Shown::Bars(bars.into_iter().map(|(name, value)| (name.into(), value)).collect()))
    }

    /// Lines over steps with names; each line has its own name and a value for each step.
    pub fn lines<N: Into<String>>(steps: impl IntoIterator<Item = N>, lines: impl IntoIterator<Item = (N, Vec<f64>)>) -> Self {
        let lines = lines.into_iter().map(|(name, values)| (name.into(), values)).collect();
        Self(Shown::Lines { names: steps.into_iter().map(Into::into).collect(), lines })
    }

    /// Counts by row and column, row after row; what is not given is none.
    pub fn heatmap<N: Into<String>>(
        rows: impl IntoIterator<Item = N>,
        columns: impl IntoIterator<Item = N>,
        values: impl IntoIterator<Item = u64>,
    ) -> Self {
        let rows: Vec<String> = rows.into_iter().map(Into::into).collect();
        let columns: Vec<String> = columns.into_iter().map(Into::into).collect();
        let mut values: Vec<u64> = values.into_iter().collect();
        values.resize(rows.len() * columns.len(), 0);
        Self(Shown::Heat { rows, columns, values })
    }

    /// Rows of text.
    pub fn table<N: Into<String>>(columns: impl IntoIterator<Item = N>, rows: impl IntoIterator<Item = Vec<String>>) -> Self {
        Self(Shown::Table { columns: columns.into_iter().map(Into::into).collect(), rows: rows.into_iter().collect() })
    }

    /// A few words.
    pub fn text(text: impl Into<String>) -> Self {
        Self(Shown::Text(text.into()))
    }

    /// The same as plain rows.
    pub(super) fn rows(&self) -> (Vec<String>, Vec<Vec<String>>) {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        match &self.0 {
            Shown::Number(value) => (words(&["value"]), vec![vec![value.to_string()]]),
            Shown::Bars(bars) => {
                (words(&["name", "value"]), bars.iter().map(|(name, value)| vec![name.clone(), value.to_string()]).collect())
            }
            Shown::Lines { names, lines } => {
                let columns = ["step".to_owned()].into_iter().chain(lines.iter().map(|(name, _)| name.clone())).collect();
                let value = |values: &[f64], place: usize| values.get(place).map(f64::to_string).unwrap_or_default();
                let row = |(place, name): (usize, &String)| {
                    [name.clone()].into_iter().chain(lines.iter().map(|(_, values)| value(values, place))).collect()
                };
                (columns, names.iter().enumerate().map(row).collect())
            }
            Shown::Heat { rows, columns, values } => {
                let heads = [String::new()].into_iter().chain(columns.iter().cloned()).collect();
                let counts = values.chunks(columns.len().max(1));
                let row = |(name, counts): (&String, &[u64])| [name.clone()].into_iter().chain(counts.iter().map(u64::to_string)).collect();
                (heads, rows.iter().zip(counts).map(row).collect())
            }
            Shown::Table { columns, rows } => (columns.clone(), rows.clone()),
            Shown::Text(text) => (words(&["text"]), vec![vec![text.clone()]]),
        }
    }
}

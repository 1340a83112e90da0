//! What plugins show: data, never markup. It is drawn, escaped and exported here.

use std::{fmt, sync::Arc, time::Duration};

use tokio::sync::Semaphore;

use crate::{error::Error, report::Ask};

/// A part of a plugin's page, and of the overview if it [asks for that](Self::on_overview): a question of its own.
///
/// ```
/// use std::time::Duration;
/// use tower_analytics::{Error, ErrorKind, plugin::{Panel, PanelData}};
///
/// let seats = || -> Result<u64, std::io::Error> { Ok(42) };
/// let panel = Panel::new("seats", "Seats sold", move |_ask| {
///     let sold = seats().map_err(|error| Error::new(ErrorKind::Plugin, "the shop does not say how many were sold").with_source(error))?;
///     Ok(PanelData::bars([("sold", sold), ("left", 100 - sold)]))
/// });
/// assert_eq!(panel.on_overview().time_limit(Duration::from_secs(5)).id(), "seats");
/// ```
#[derive(Clone)]
pub struct Panel {
    pub(super) id: &'static str,
    pub(super) title: String,
    pub(super) ask: Arc<Question>,
    pub(super) on_overview: bool,
    pub(super) limit: Duration,
    /// Questions that are not done yet, of people who may have left long ago.
    pub(super) turns: Arc<Semaphore>,
}

/// As of our own questions.
const USUAL_LIMIT: Duration = Duration::from_secs(30);
/// So many questions of a panel are at work at once; those that never end take no more threads than this.
const TURNS: usize = 2;

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
    /// filters, off the async threads; it may block. Two of them are at work at once, more wait.
    ///
    /// If it panics, fails or takes too long, its card says so and the page stands. Of an error of [`ErrorKind::Plugin`] the card shows the
    /// message, the log its causes too. What it asks of [`Reports`](crate::Reports), on the thread on which it is asked, ends when whoever
    /// looks at the page leaves or the time is over. What else it does cannot be ended: then its answer is given up, and its turn is not
    /// free before it returns.
    ///
    /// [`ErrorKind::Plugin`]: crate::ErrorKind::Plugin
    pub fn new(id: &'static str, title: impl Into<String>, ask: impl Fn(&Ask) -> Result<PanelData, Error> + Send + Sync + 'static) -> Self {
        let turns = Arc::new(Semaphore::new(TURNS));
        Self { id, title: title.into(), ask: Arc::new(ask), on_overview: false, limit: USUAL_LIMIT, turns }
    }

    /// The same, on the overview too: after our own panels, and arranged like them. There it is waited for half a second at most, so that
    /// no plugin makes people wait for the page they open each morning.
    #[must_use]
    pub fn on_overview(self) -> Self {
        Self { on_overview: true, ..self }
    }

    /// The same, with another limit to how long it is waited for, the wait for its turn included. Defaults to 30 seconds.
    #[must_use]
    pub fn time_limit(self, limit: Duration) -> Self {
        Self { limit, ..self }
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

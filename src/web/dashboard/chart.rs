use askama::Template;

use crate::web::{
    charts::{self, Kind, Series},
    format,
};

/// Lines over time with their legend, and the same as a table. What is shown on hover is read from the table, too.
#[derive(Debug, Template)]
#[template(path = "_chart.html")]
pub(super) struct Chart {
    /// What a step is called: on the axis, and in full.
    names: Vec<(String, String)>,
    series: Vec<Series>,
    svg: String,
    unit: Unit,
}

/// What the values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Count,
    Seconds,
    /// From 0 to 1.
    Share,
}

impl Unit {
    /// On the axis.
    fn rough(self) -> fn(f64) -> String {
        match self {
            Self::Count => format::rough,
            Self::Seconds => format::seconds,
            Self::Share => |share| format::percent(share),
        }
    }

    /// In the table.
    fn exact(self) -> fn(f64) -> String {
        if self == Self::Count { format::count } else { self.rough() }
    }
}

impl Chart {
    /// The last step may still go on.
    pub(super) fn new(about: &str, names: Vec<(String, String)>, series: Vec<Series>, unfinished: bool, unit: Unit) -> Self {
        let short: Vec<String> = names.iter().map(|(short, _)| short.clone()).collect();
        let svg = charts::line(about, &short, &series, unfinished, unit.rough());
        Self { names, series, svg, unit }
    }

    fn value(&self, series: &Series, place: &usize) -> String {
        series.values.get(*place).map_or_else(|| "–".to_owned(), |value| self.unit.exact()(*value))
    }

    /// Nothing to see, in any line.
    pub(super) fn is_flat(&self) -> bool {
        self.series.iter().all(|series| series.values.iter().all(|value| *value == 0.0))
    }
}

pub(super) fn series(name: &str, color: usize, kind: Kind, values: impl IntoIterator<Item = f64>) -> Series {
    Series { name: name.to_owned(), values: values.into_iter().collect(), color, kind }
}

use askama::Template;

use super::values::Values;
use crate::web::{
    charts::{self, Kind, Series},
    format,
};

/// Lines over time with their legend, and the same as a table. What is shown on hover is read from the table, too.
#[derive(Debug, Template)]
#[template(path = "_chart.html")]
pub(super) struct Chart {
    series: Vec<Series>,
    svg: String,
    values: Values,
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
    /// Each step has a name for the axis, and one in full; the last one may still go on.
    pub(super) fn new(about: &str, names: Vec<(String, String)>, series: Vec<Series>, unfinished: bool, unit: Unit) -> Self {
        let (short, full): (Vec<String>, Vec<String>) = names.into_iter().unzip();
        let svg = charts::line(about, &short, &series, unfinished, unit.rough());
        let value = |series: &Series, place: usize| series.values.get(place).map_or_else(|| "–".to_owned(), |value| unit.exact()(*value));
        let row = |(place, name)| (name, series.iter().map(|series| value(series, place)).collect());
        let columns = ["When".to_owned()].into_iter().chain(series.iter().map(|series| series.name.clone())).collect();
        let values = Values { columns, rows: full.into_iter().enumerate().map(row).collect(), open: false };
        Self { series, svg, values }
    }

    /// Nothing to see, in any line.
    pub(super) fn is_flat(&self) -> bool {
        self.series.iter().all(|series| series.values.iter().all(|value| *value == 0.0))
    }
}

pub(super) fn series(name: &str, color: usize, kind: Kind, values: impl IntoIterator<Item = f64>) -> Series {
    Series { name: name.to_owned(), values: values.into_iter().collect(), color, kind }
}

use askama::Template;

use super::{
    cell::{Cell, Column},
    sorting::Sorting,
    view::View,
};

/// Rows of cells.
#[derive(Debug, Template)]
#[template(path = "_table.html")]
pub(super) struct Table {
    pub(super) label: String,
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Vec<Cell>>,
    /// Where the list goes on.
    pub(super) older: Option<String>,
    pub(super) newest: Option<String>,
    sorting: Option<Sorting>,
}

impl Table {
    pub(super) fn new(label: &str, columns: &[(&'static str, &'static str)]) -> Self {
        // A column of numbers is marked so: `#Hits`.
        let column = |(label, about): &(&'static str, &'static str)| Column {
            label: label.trim_start_matches('#'),
            about,
            numeric: label.starts_with('#'),
        };
        Self {
            label: label.to_owned(),
            columns: columns.iter().map(column).collect(),
            rows: Vec::new(),
            older: None,
            newest: None,
            sorting: None,
        }
    }

    pub(super) fn row(&mut self, cells: impl Into<Vec<Cell>>) {
        self.rows.push(cells.into());
    }

    /// The links under one page of a long list.
    pub(super) fn pages(&mut self, view: &View, next_cursor: Option<&str>) {
        self.older = next_cursor.map(|cursor| view.with("cursor", cursor));
        self.newest = view.query().get("cursor").map(|_| view.without("cursor"));
    }

    /// Can be sorted, by a form or a click on a head; there is no use in that for less than two rows.
    pub(super) fn sorted(mut self, view: &View, panel: &'static str) -> Self {
        self.sorting = (self.rows.len() > 1).then(|| Sorting::of(view, panel, &self.columns, &mut self.rows));
        self
    }

    /// By what it is sorted.
    fn by(&self) -> Option<String> {
        self.sorting.as_ref()?.by(&self.columns)
    }

    fn direction_of(&self, place: &usize) -> Option<&'static str> {
        self.sorting.as_ref()?.direction(*place)
    }

    /// Where a row stood before it was sorted.
    fn place_of(&self, place: &usize) -> Option<usize> {
        self.sorting.as_ref()?.places.get(*place).copied()
    }

    fn label_of(&self, place: &usize) -> &'static str {
        self.columns.get(*place).map_or("", |column| column.label)
    }
}

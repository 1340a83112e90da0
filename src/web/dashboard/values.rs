use askama::Template;

/// What a drawing shows, as a table that can be opened under it.
#[derive(Debug, Template)]
#[template(path = "_values.html")]
pub(super) struct Values {
    pub(super) columns: Vec<String>,
    /// Each with its name.
    pub(super) rows: Vec<(String, Vec<String>)>,
    /// Whether it is there from the beginning, since there is no drawing.
    pub(super) open: bool,
}

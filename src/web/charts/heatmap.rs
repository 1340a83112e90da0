use std::fmt::Write;

use super::{escaped, short};

/// Counts by row and column, with what each is called.
#[derive(Debug)]
pub(in crate::web) struct Heat<'a> {
    pub(in crate::web) about: &'a str,
    pub(in crate::web) rows: &'a [&'a str],
    pub(in crate::web) columns: &'a [&'a str],
    /// Row after row.
    pub(in crate::web) values: &'a [u64],
    /// What a place says when asked.
    pub(in crate::web) titles: &'a [String],
}

const ROW: usize = 22;
const STEPS: u64 = 5;

/// Five steps of one colour, the greatest outlined. Of many columns every third is named.
pub(in crate::web) fn heatmap(heat: &Heat<'_>) -> String {
    let most = heat.values.iter().copied().max().unwrap_or_default();
    let peak = heat.values.iter().position(|value| *value == most && most > 0);
    let height = heat.rows.len() * ROW + 20;
    // Names of rows take as much room as a column and a half.
    let columns = heat.columns.len().max(1);
    let width = 94.0 / columns as f64;
    let mut svg = format!(r#"<svg class="heat" width="100%" height="{height}" role="img" aria-label="{}">"#, escaped(heat.about));
    for (row, name) in heat.rows.iter().enumerate() {
        let _ = write!(svg, r#"<text y="{}">{}</text>"#, row * ROW + 15, escaped(name));
    }
    for (column, name) in heat.columns.iter().enumerate().step_by(if columns > 12 { 3 } else { 1 }) {
        let _ = write!(svg, r#"<text x="{}%" y="{}">{}</text>"#, short(6.0 + width * column as f64), height - 4, escaped(name));
    }
    for (place, (value, title)) in heat.values.iter().zip(heat.titles).enumerate() {
        let (row, column) = (place / columns, place % columns);
        let class = if Some(place) == peak { " peak" } else { "" };
        let _ = write!(
            svg,
            r#"<rect class="h{}{class}" x="{}%" y="{}" width="{}%" height="{}" rx="3"><title>{}</title></rect>"#,
            step(*value, most),
            short(6.0 + width * column as f64),
            row * ROW,
            short(width - 0.3),
            ROW - 3,
            escaped(title)
        );
    }
    svg += "</svg>";
    svg
}

/// 0 only of nothing.
pub(in crate::web) fn step(value: u64, most: u64) -> u64 {
    if most == 0 { 0 } else { (u128::from(value) * u128::from(STEPS)).div_ceil(u128::from(most)) as u64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(values: &[u64]) -> String {
        let titles: Vec<String> = values.iter().map(|value| format!("<{value}>")).collect();
        heatmap(&Heat { about: "Hits", rows: &["Mon", "Tue"], columns: &["00:00"; 24], values, titles: &titles })
    }

    #[test]
    fn the_peak_is_outlined_once_and_nothing_has_no_peak() {
        let mut values = [3; 48];
        assert_eq!(draw(&values).matches("peak").count(), 1);
        values.fill(0);
        assert_eq!(draw(&values).matches("peak").count(), 0);
        assert_eq!(draw(&values).matches(r#"class="h0""#).count(), 48);
        assert!(draw(&values).contains("&lt;0&gt;"));
        assert!(!draw(&[]).contains("<rect"));
    }

    #[test]
    fn steps_go_from_nothing_to_five() {
        assert_eq!([0, 1, 20, 21, 99, 100].map(|value| step(value, 100)), [0, 1, 1, 2, 5, 5]);
        assert_eq!(step(u64::MAX, u64::MAX), 5);
    }
}

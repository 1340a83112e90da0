//! Charts as SVG, drawn from plain data. Widths are shares of whatever room there is, so that nothing is laid out anew, and no style is
//! inline; colours are classes that the style sheet knows.

mod axis;
mod bar;
mod heatmap;
mod histogram;
mod line;
mod spark;
mod timeline;

pub(super) use self::{
    bar::bar,
    heatmap::{Heat, heatmap},
    histogram::histogram,
    line::{Kind, Series, line},
    spark::spark,
    timeline::{Mark, timeline},
};

/// Text that may stand between tags and in attributes.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            // XML has no other control characters.
            c if c.is_control() && !c.is_whitespace() => {}
            c => safe.push(c),
        }
    }
    safe
}

/// What is no number is nothing.
fn finite(value: f64) -> f64 {
    if value.is_finite() { value.max(0.0) } else { 0.0 }
}

/// A coordinate: two digits after the point are finer than any screen.
fn short(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_does_nothing_in_markup() {
        assert_eq!(escaped("<script>\"a\" & 'b'\u{0}"), "&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;");
    }

    #[test]
    fn coordinates_are_short_and_always_numbers() {
        assert_eq!([1.0, 1.5, 0.333_33, 1e-9].map(short), ["1", "1.5", "0.33", "0"]);
        assert_eq!([f64::NAN, f64::INFINITY, -1.0, 2.0].map(finite), [0.0, 0.0, 0.0, 2.0]);
    }
}

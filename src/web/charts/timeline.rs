use std::fmt::Write;

use super::{escaped, finite, short};

/// Something that happened.
#[derive(Clone, Debug)]
pub(in crate::web) struct Mark {
    /// Seconds since the beginning.
    pub(in crate::web) at: f64,
    /// A class that the style sheet knows: `good`, `warn`, `bad`.
    pub(in crate::web) class: &'static str,
    pub(in crate::web) title: String,
}

/// What happened on a line scaled by time: gaps are gaps. What went wrong is greater as well as red.
pub(in crate::web) fn timeline(about: &str, marks: &[Mark]) -> String {
    let whole = marks.iter().map(|mark| finite(mark.at)).fold(0.0, f64::max);
    let mut svg = format!(r#"<svg class="timeline" width="100%" height="40" role="img" aria-label="{}">"#, escaped(about));
    svg += r#"<line class="grid" x1="1%" x2="99%" y1="20" y2="20"/>"#;
    for mark in marks {
        let share = if whole > 0.0 { finite(mark.at) / whole } else { 0.5 };
        let radius = if mark.class == "bad" { 6 } else { 4 };
        let x = short(1.0 + 98.0 * share);
        let _ = write!(
            svg,
            r#"<circle class="{}" cx="{x}%" cy="20" r="{radius}"><title>{}</title></circle>"#,
            mark.class,
            escaped(&mark.title)
        );
    }
    svg += "</svg>";
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_stand_where_their_time_is() {
        let mark = |at| Mark { at, class: "good", title: "GET /<a>".to_owned() };
        let svg = timeline("Session", &[mark(0.0), mark(5.0), mark(10.0)]);
        for x in ["cx=\"1%\"", "cx=\"50%\"", "cx=\"99%\"", "&lt;a&gt;"] {
            assert!(svg.contains(x), "{svg}");
        }
        assert!(timeline("Session", &[mark(0.0)]).contains("cx=\"50%\""));
        assert!(!timeline("Session", &[mark(f64::NAN), mark(-1.0)]).contains("NaN"));
    }
}

use std::fmt::Write;

use super::{axis, escaped, finite, short};

const PLOT: f64 = 182.0;
/// Of fewer steps the bars are no wider.
const FEW: usize = 12;

/// How often something was how great: a bar for each step, named below where there is room.
pub(in crate::web) fn histogram(about: &str, steps: &[(String, u64)]) -> String {
    let most = steps.iter().map(|(_, count)| *count).max().unwrap_or_default().max(1) as f64;
    let mut svg = format!(r#"<svg class="histogram" width="100%" height="{}" role="img" aria-label="{}">"#, PLOT + 22.0, escaped(about));
    let width = 100.0 / steps.len().max(FEW) as f64;
    for (place, (name, count)) in steps.iter().enumerate() {
        let height = (PLOT * finite(*count as f64) / most).max(if *count > 0 { 1.0 } else { 0.0 });
        let _ = write!(
            svg,
            r#"<rect x="{}%" y="{}" width="{}%" height="{}" rx="1"><title>{}</title></rect>"#,
            short(width * (place as f64 + 0.1)),
            short(PLOT - height),
            short(width * 0.8),
            short(height),
            escaped(&format!("from {name}: {count}"))
        );
    }
    let _ = write!(svg, r#"<line class="grid" x2="100%" y1="{PLOT}" y2="{PLOT}"/>"#);
    for place in axis::named(steps.len(), 6) {
        let (x, anchor) = match place {
            0 => (0.0, "start"),
            place if place + 1 == steps.len() && steps.len() >= FEW => (100.0, "end"),
            place => (width * (place as f64 + 0.5), "middle"),
        };
        let _ = write!(svg, r#"<text x="{}%" y="{}" text-anchor="{anchor}">{}</text>"#, short(x), PLOT + 17.0, escaped(&steps[place].0));
    }
    svg += "</svg>";
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_has_its_bar_and_what_is_there_is_seen() {
        let steps = [("<1 ms".to_owned(), 1), ("2 ms".to_owned(), u64::MAX), ("4 ms".to_owned(), 0)];
        let svg = histogram("Latency", &steps);
        assert_eq!(svg.matches("<rect").count(), 3);
        assert!(svg.contains(r#"height="1" rx="1"><title>from &lt;1 ms: 1<"#), "{svg}");
        assert!(!histogram("Latency", &[]).contains("NaN"));
        assert!(svg.contains(r#" width="6.67%""#), "few bars are no wider than those of twelve: {svg}");
    }
}

use std::fmt::Write;

use super::{axis, escaped, finite, short};

/// One line of a chart.
#[derive(Clone, Debug)]
pub(in crate::web) struct Series {
    pub(in crate::web) name: String,
    pub(in crate::web) values: Vec<f64>,
    /// 1 to 6, as in the style sheet.
    pub(in crate::web) color: usize,
    pub(in crate::web) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::web) enum Kind {
    /// A line over its area.
    Area,
    Line,
    /// The period before: dashed.
    Before,
}

/// Above the lowest line lies so much.
const PLOT: f64 = 168.0;
/// Room for the value over the highest line.
const TOP: f64 = 14.0;
const NAMED: usize = 7;

/// Lines over time. Each place has a name; the last one may still go on, and is dotted then.
pub(in crate::web) fn line(about: &str, names: &[String], series: &[Series], unfinished: bool, shown: fn(f64) -> String) -> String {
    let most = series.iter().flat_map(|series| &series.values).copied().map(finite).fold(0.0, f64::max);
    let whole = series.iter().flat_map(|series| &series.values).all(|value| finite(*value).fract() == 0.0);
    let (step, lines) = axis::ticks(most, whole);
    let top = step * lines as f64;
    let mut svg = format!(r#"<svg class="lines" width="100%" height="{}" role="img" aria-label="{}">"#, TOP + PLOT + 22.0, escaped(about));
    for tick in 0..=lines {
        let y = short(TOP + PLOT - PLOT * tick as f64 / lines as f64);
        let _ = write!(svg, r#"<line class="grid" x2="100%" y1="{y}" y2="{y}"/>"#);
        if tick > 0 {
            let above = short(TOP + PLOT - PLOT * tick as f64 / lines as f64 - 3.0);
            let _ = write!(svg, r#"<text y="{above}">{}</text>"#, escaped(&shown(step * tick as f64)));
        }
    }
    let last = names.len().saturating_sub(1);
    let named = axis::named(names.len(), NAMED);
    for (at, &place) in named.iter().enumerate() {
        // Where it is narrow every other name is left out, and never the last.
        let from_end = named.len() - 1 - at;
        let class = if at % 2 == 1 && from_end > 0 || from_end == 1 && at > 0 { " class=\"more\"" } else { "" };
        let (x, anchor) = match place {
            0 if last == 0 => (50.0, "middle"),
            0 => (0.0, "start"),
            place if place == last => (100.0, "end"),
            place => (100.0 * place as f64 / last as f64, "middle"),
        };
        let _ = write!(
            svg,
            r#"<text{class} x="{}%" y="{}" text-anchor="{anchor}">{}</text>"#,
            short(x),
            TOP + PLOT + 17.0,
            escaped(&names[place])
        );
    }
    // A view of its own that is stretched, and strokes that are not.
    let _ = write!(
        svg,
        r#"<svg class="plot" y="{TOP}" width="100%" height="{PLOT}" viewBox="0 0 {} {PLOT}" preserveAspectRatio="none" overflow="visible">"#,
        last.max(1)
    );
    let y = |value: f64| short(PLOT - PLOT * finite(value) / top);
    for (place, series) in series.iter().enumerate() {
        svg += &drawn(series, place, last, unfinished, y);
    }
    svg += "</svg></svg>";
    svg
}

fn drawn(series: &Series, place: usize, last: usize, unfinished: bool, y: impl Fn(f64) -> String) -> String {
    let Series { values, color, kind, .. } = series;
    let points: Vec<String> = values.iter().enumerate().map(|(place, value)| format!("{place} {}", y(*value))).collect();
    let mut group = format!(r#"<g class="series c{color}" data-series="{place}">"#);
    let stroke =
        |class: &str, points: &[String]| format!(r#"<path class="{class}" d="M{}" vector-effect="non-scaling-stroke"/>"#, points.join("L"));
    match points.as_slice() {
        [] => {}
        // A line of one point is a short one, in the middle if it is alone.
        [point] => {
            let level = point.trim_start_matches("0 ");
            let (from, to) = if last == 0 { ("0.4", "0.6") } else { ("0", "0.1") };
            group += &stroke("line", &[format!("{from} {level}"), format!("{to} {level}")]);
        }
        all => {
            if *kind == Kind::Area {
                let _ = write!(group, r#"<path class="fill" d="M{}V{PLOT}H0Z"/>"#, all.join("L"));
            }
            let is_open = unfinished && *kind != Kind::Before && all.len() > 1;
            let done = if is_open { &all[..all.len() - 1] } else { all };
            group += &stroke(if *kind == Kind::Before { "line before" } else { "line" }, done);
            if is_open {
                group += &stroke("line open", &all[all.len() - 2..]);
            }
        }
    }
    group += "</g>";
    group
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(values: &[f64], unfinished: bool) -> String {
        let names: Vec<String> = (0..values.len()).map(|place| format!("day {place}")).collect();
        let series = Series { name: "Hits".to_owned(), values: values.to_vec(), color: 1, kind: Kind::Area };
        line("Hits <b>", &names, &[series], unfinished, |value| value.to_string())
    }

    #[test]
    fn every_shape_of_data_is_drawn_with_numbers() {
        for values in [&[][..], &[0.0], &[5.0], &[1.0, 1.0, 1.0], &[0.0, 1e18], &[f64::NAN, f64::INFINITY, -4.0]] {
            let svg = chart(values, true);
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{values:?}: {svg}");
            assert_eq!(svg.matches("<svg").count(), svg.matches("</svg>").count());
            assert!(svg.contains("aria-label=\"Hits &lt;b&gt;\""));
        }
    }

    #[test]
    fn the_last_place_is_dotted_while_it_goes_on() {
        assert!(chart(&[1.0, 2.0, 4.0], true).contains(r#"<path class="line open" d="M1 84L2 0""#), "{}", chart(&[1.0, 2.0, 4.0], true));
        assert!(!chart(&[1.0, 2.0, 3.0], false).contains("open"));
    }

    #[test]
    fn a_line_may_end_before_the_names_do() {
        let names: Vec<String> = (0..4).map(|place| place.to_string()).collect();
        let series = Series { name: "Hits".to_owned(), values: vec![1.0, 2.0], color: 1, kind: Kind::Line };
        let svg = line("Hits", &names, &[series], true, |value| value.to_string());
        assert!(svg.contains(r#"viewBox="0 0 3 168""#) && svg.contains(r#"<path class="line open" d="M0 84L1 0""#), "{svg}");
    }

    #[test]
    fn the_first_and_last_name_stand_at_the_edges() {
        let svg = chart(&[1.0; 30], false);
        assert!(svg.contains(r#"text-anchor="start">day 0<"#) && svg.contains(r#"text-anchor="end">day 29<"#), "{svg}");
    }
}

use super::{finite, short};

const HEIGHT: f64 = 28.0;

/// A small line without words: only the shape.
pub(in crate::web) fn spark(values: &[f64]) -> String {
    let most = values.iter().copied().map(finite).fold(0.0, f64::max);
    if values.len() < 2 || most <= 0.0 {
        return format!(r#"<svg class="spark" width="100%" height="{HEIGHT}" aria-hidden="true"></svg>"#);
    }
    let y = |value: f64| short(HEIGHT - 1.5 - (HEIGHT - 3.0) * finite(value) / most);
    let points: Vec<String> = values.iter().enumerate().map(|(place, value)| format!("{place} {}", y(*value))).collect();
    let (line, last) = (points.join("L"), values.len() - 1);
    format!(
        r#"<svg class="spark" width="100%" height="{HEIGHT}" viewBox="0 0 {last} {HEIGHT}" preserveAspectRatio="none" aria-hidden="true"><path class="fill" d="M{line}V{HEIGHT}H0Z"/><path class="line" d="M{line}" vector-effect="non-scaling-stroke"/></svg>"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_needs_two_points_and_something_in_them() {
        for flat in [&[][..], &[5.0], &[0.0, 0.0], &[f64::NAN, f64::NAN]] {
            assert!(!spark(flat).contains("<path"), "{flat:?}");
        }
        assert!(spark(&[1.0, 2.0, 0.0]).contains("d=\"M0 14L1 1.5L2 26.5\""), "{}", spark(&[1.0, 2.0, 0.0]));
        assert!(spark(&[7.0, 7.0]).contains("M0 1.5L1 1.5"));
        assert!(!spark(&[f64::INFINITY, 1e300, 3.0]).contains("NaN"));
    }
}

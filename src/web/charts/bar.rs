use super::{finite, short};

/// A bar as long as its share of the room.
pub(in crate::web) fn bar(value: f64, most: f64) -> String {
    let share = if finite(most) > 0.0 { (finite(value) * 100.0 / most).min(100.0) } else { 0.0 };
    // Something is always seen of what is there.
    let share = if finite(value) > 0.0 { share.max(0.5) } else { share };
    format!(r#"<svg class="bar" width="100%" height="4" aria-hidden="true"><rect width="{}%" height="4" rx="2"/></svg>"#, short(share))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_stay_in_their_room() {
        let width =
            |value, most| bar(value, most).split("<rect width=\"").nth(1).unwrap().split('%').next().unwrap().parse::<f64>().unwrap();
        assert_eq!(
            [width(1.0, 2.0), width(0.0, 2.0), width(5.0, 2.0), width(1.0, 1e18), width(1.0, 0.0), width(f64::NAN, 1.0)],
            [50.0, 0.0, 100.0, 0.5, 0.5, 0.0]
        );
    }
}

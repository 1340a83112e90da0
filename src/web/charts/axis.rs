use super::finite;

/// The most lines above zero.
const LINES: f64 = 4.0;

/// The distance between lines at round values, and how many there are above zero, so that the highest holds the greatest value.
pub(super) fn ticks(most: f64, whole: bool) -> (f64, usize) {
    let most = finite(most);
    let mut unit = 10_f64.powi((most / LINES).max(1e-9).log10().floor() as i32);
    if whole {
        unit = unit.max(1.0);
    }
    let rounded = [1.0, 2.0, 2.5, 5.0, 10.0].map(|round| round * unit);
    let fits = |step: &f64| (!whole || step.fract() == 0.0) && most <= step * LINES;
    let step = rounded.into_iter().find(fits).unwrap_or(10.0 * unit);
    (step, ((most / step).ceil() as usize).clamp(1, LINES as usize))
}

/// Which of so many places are named: the first, the last, and a few evenly between.
pub(super) fn named(places: usize, most: usize) -> Vec<usize> {
    match places {
        0 => Vec::new(),
        1 => vec![0],
        _ => {
            let last = places - 1;
            let steps = (1..most.max(2)).rev().find(|steps| last.is_multiple_of(*steps) && (*steps > 1 || last < 3));
            let steps = steps.unwrap_or_else(|| (most - 1).min(last));
            (0..=steps).map(|step| (step * last + steps / 2) / steps).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stand_at_round_values_and_the_highest_holds_everything() {
        let cases =
            [(0.0, true), (1.0, true), (3.0, true), (4.0, true), (7.0, true), (99.0, true), (1_234.0, true), (8.1e15, true), (0.07, false)];
        for (most, whole) in cases {
            let (step, lines) = ticks(most, whole);
            assert!(step * lines as f64 >= most && lines <= 4, "{most}: {step} × {lines}");
            let digits = step / 10_f64.powf(step.log10().floor());
            assert!([1.0, 2.0, 2.5, 5.0].iter().any(|round| (digits - round).abs() < 1e-6), "{most}: {step}");
            assert!(!whole || step.fract() == 0.0, "{most}: {step}");
        }
        assert_eq!(ticks(7.0, true), (2.0, 4));
        assert_eq!(ticks(f64::NAN, true), (1.0, 1));
    }

    #[test]
    fn the_first_and_last_place_are_always_named() {
        for places in 0..400 {
            let named = named(places, 6);
            assert!(named.len() <= 6 && named.is_sorted(), "{places}: {named:?}");
            assert_eq!(named.last().copied(), places.checked_sub(1));
            assert_eq!(named.first().copied(), (places > 0).then_some(0));
            assert!(named.windows(2).all(|pair| pair[0] < pair[1]), "{places}: {named:?}");
        }
        assert_eq!(named(31, 7), [0, 5, 10, 15, 20, 25, 30]);
    }
}

use std::cmp::Ordering;

/// Versions by meaning: numbers as numbers, so that 3.10 comes after 3.9; what is before a release (`-beta`) before it.
pub(in crate::report) fn compare(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (pieces(a), pieces(b));
    loop {
        let order = match (left.next(), right.next()) {
            (None, None) => return a.cmp(b),
            // 3.1 comes before 3.1.2, and 3.1-beta before 3.1.
            (None, Some(Piece::Word(_))) => Ordering::Greater,
            (None, Some(Piece::Number(_))) => Ordering::Less,
            (Some(Piece::Word(_)), None) => Ordering::Less,
            (Some(Piece::Number(_)), None) => Ordering::Greater,
            (Some(left), Some(right)) => left.cmp(&right),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// Words come before numbers: `3.beta` before `3.0`.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Piece<'a> {
    Word(&'a str),
    /// By length, then digit by digit: no number is too long.
    Number((usize, &'a str)),
}

fn pieces(version: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = version.strip_prefix(['v', 'V']).unwrap_or(version);
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(['.', '-', '_', '+', ' ']);
        let first = rest.chars().next()?;
        let is_digit = first.is_ascii_digit();
        let ends = |c: char| if is_digit { !c.is_ascii_digit() } else { c.is_ascii_digit() || ".-_+ ".contains(c) };
        let (piece, after) = rest.split_at(rest.find(ends).unwrap_or(rest.len()));
        rest = after;
        Some(if is_digit {
            let digits = piece.trim_start_matches('0');
            Piece::Number((digits.len(), digits))
        } else {
            Piece::Word(piece)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_sort_by_meaning() {
        let sorted =
            ["", "0.9", "1.0-alpha", "1.0-beta.2", "1.0-beta.10", "1.0", "1.0.1", "v1.1", "3.9", "3.9.1", "3.10", "10.0", "20260101.1"];
        for (place, version) in sorted.iter().enumerate() {
            for (other_place, other) in sorted.iter().enumerate() {
                assert_eq!(compare(version, other), place.cmp(&other_place), "{version} and {other}");
            }
        }
    }
}

//! By what the rows of a table are sorted, as an address says it: `sort=users:-Actions`. For narrow screens, where no heads are, and for
//! browsers without JavaScript; with it nothing is asked for anew.

use std::cmp::Ordering;

use super::{
    cell::{Cell, Column},
    view::{Pair, View},
};

/// A form that sends the same page with another order.
#[derive(Debug)]
pub(super) struct Sorting {
    pub(super) action: String,
    pub(super) rest: Vec<Pair>,
    /// The panel that the table is in.
    pub(super) panel: &'static str,
    /// What is to come first; nothing if rows stay as they came.
    by: Option<(usize, Direction)>,
    /// As they came, for the way back.
    pub(super) places: Vec<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Up,
    Down,
}

impl Direction {
    fn sign(self) -> &'static str {
        if self == Self::Down { "-" } else { "" }
    }
}

/// A choice of the form.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) text: String,
    pub(super) selected: bool,
}

impl Sorting {
    pub(super) fn of(view: &View, panel: &'static str, columns: &[Column], rows: &mut Vec<Vec<Cell>>) -> Self {
        let asked = view.query().get("sort").and_then(|sort| sort.split_once(':'));
        let by = asked.filter(|(other, _)| *other == panel).and_then(|(_, by)| {
            let (name, direction) = by.strip_prefix('-').map_or((by, Direction::Up), |name| (name, Direction::Down));
            Some((columns.iter().position(|column| column.label == name && !name.is_empty())?, direction))
        });
        let mut places: Vec<usize> = Vec::new();
        if let Some((column, direction)) = by {
            let mut numbered: Vec<(usize, Vec<Cell>)> = std::mem::take(rows).into_iter().enumerate().collect();
            numbered.sort_by(|(_, a), (_, b)| compare(a.get(column), b.get(column), direction));
            (places, *rows) = numbered.into_iter().unzip();
        }
        let rest = view.pairs.iter().filter(|(name, _)| name != "sort").cloned().collect();
        Self { action: view.action(), rest, panel, by, places }
    }

    /// As addresses have it: `-Actions`.
    pub(super) fn by(&self, columns: &[Column]) -> Option<String> {
        let (place, direction) = self.by?;
        Some(format!("{}{}", direction.sign(), columns.get(place)?.label))
    }

    /// How this column is sorted, as `aria-sort` has it.
    pub(super) fn direction(&self, column: usize) -> Option<&'static str> {
        let (_, direction) = self.by.filter(|(by, _)| *by == column)?;
        Some(if direction == Direction::Up { "ascending" } else { "descending" })
    }

    /// Both ways of each column, the one first that a click on its head gives first.
    pub(super) fn choices(&self, columns: &[Column]) -> Vec<Choice> {
        let named = columns.iter().enumerate().filter(|(_, column)| !column.label.is_empty());
        named
            .flat_map(|(place, column)| {
                let ways = if column.numeric { [Direction::Down, Direction::Up] } else { [Direction::Up, Direction::Down] };
                ways.map(|way| Choice {
                    value: format!("{}:{}{}", self.panel, way.sign(), column.label),
                    text: format!("{} {}", column.label, if way == Direction::Down { "↓" } else { "↑" }),
                    selected: self.by == Some((place, way)),
                })
            })
            .collect()
    }
}

/// What there is none of comes last, both ways.
fn compare(a: Option<&Cell>, b: Option<&Cell>, direction: Direction) -> Ordering {
    let turned = |order: Ordering| if direction == Direction::Up { order } else { order.reverse() };
    match (a.and_then(Cell::number_of), b.and_then(Cell::number_of)) {
        (Some(a), Some(b)) => turned(a.total_cmp(&b)),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => turned(natural(&a.map(Cell::words).unwrap_or_default(), &b.map(Cell::words).unwrap_or_default())),
    }
}

/// As people read: 3.9 before 3.10, capitals beside small letters.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a, b);
    while let (Some(x), Some(y)) = (left.chars().next(), right.chars().next()) {
        let order = if x.is_ascii_digit() && y.is_ascii_digit() {
            let (x, y) = (digits(&mut left), digits(&mut right));
            x.len().cmp(&y.len()).then_with(|| x.cmp(y))
        } else {
            (left, right) = (&left[x.len_utf8()..], &right[y.len_utf8()..]);
            x.to_lowercase().cmp(y.to_lowercase())
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    left.len().cmp(&right.len()).then_with(|| a.cmp(b))
}

/// Takes the number off that it begins with, without its leading noughts.
fn digits<'a>(text: &mut &'a str) -> &'a str {
    let (number, rest) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    *text = rest;
    number.trim_start_matches('0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_words_count_as_numbers() {
        let mut versions = ["3.10", "10", "3.9", "b", "A", "3.9.1", "", "a", "03.9"];
        versions.sort_by(|a, b| natural(a, b));
        assert_eq!(versions, ["", "03.9", "3.9", "3.9.1", "3.10", "10", "A", "a", "b"]);
    }

    #[test]
    fn what_there_is_none_of_comes_last_both_ways() {
        let order = |direction: Direction| {
            let mut cells = [Cell::text("–"), Cell::number(2), Cell::number(10)];
            cells.sort_by(|a, b| compare(Some(a), Some(b), direction));
            cells.map(|cell| cell.words())
        };
        assert_eq!(order(Direction::Up), ["2", "10", "–"]);
        assert_eq!(order(Direction::Down), ["10", "2", "–"]);
    }
}

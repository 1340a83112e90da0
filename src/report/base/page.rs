use crate::{
    clock::{Millis, Month},
    error::Error,
    report::base::ask::wrong,
};

/// A part of a long list: at most so many rows, after those seen before.
///
/// A cursor carries the moment at which the first page was asked for, so that a list whose order moves never says a row twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub(in crate::report) limit: usize,
    pub(in crate::report) after: Option<Cursor>,
}

/// The last row that was seen: what the list is ordered by, and which of those that are alike there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::report) struct Cursor {
    pub(in crate::report) now: Millis,
    pub(in crate::report) key: i64,
    pub(in crate::report) id: i64,
}

/// Rows on a page unless something else is said.
pub(crate) const USUAL_LIMIT: usize = 50;
/// The most rows on a page.
pub(crate) const MOST_ROWS: usize = 1000;

impl Default for Page {
    fn default() -> Self {
        Self { limit: USUAL_LIMIT, after: None }
    }
}

impl Page {
    /// The first rows; at least one, at most 1000.
    #[must_use]
    pub fn first(limit: usize) -> Self {
        Self { limit: limit.clamp(1, MOST_ROWS), after: None }
    }

    /// The rows after those of an answer that said `next_cursor`.
    ///
    /// # Errors
    ///
    /// If it is no cursor of ours.
    pub fn after(mut self, cursor: &str) -> Result<Self, Error> {
        let mut numbers = cursor.split('_').map(str::parse::<i64>);
        let mut next = || numbers.next()?.ok();
        let cursor = match (next(), next(), next(), next()) {
            (Some(now), Some(key), Some(id), None) if Month::of(now).is_some() => Some(Cursor { now, key, id }),
            _ => None,
        };
        self.after = Some(cursor.ok_or_else(|| wrong("this cursor is none that an earlier answer gave as next_cursor".to_owned()))?);
        Ok(self)
    }

    /// Cuts the page out of all rows: greatest key first, among equals greatest id first.
    pub(in crate::report) fn cut<T>(&self, now: Millis, mut rows: Vec<T>, order: impl Fn(&T) -> (i64, i64)) -> (Vec<T>, Option<String>) {
        if let Some(Cursor { key, id, .. }) = self.after {
            rows.retain(|row| order(row) < (key, id));
        }
        let by = |a: &T, b: &T| order(b).cmp(&order(a));
        if rows.len() > self.limit {
            // The rest need not be in order.
            rows.select_nth_unstable_by(self.limit, by);
            rows.truncate(self.limit);
            rows.sort_unstable_by(by);
            let next = rows.last().map(|row| self.cursor(now, order(row)));
            return (rows, next);
        }
        rows.sort_unstable_by(by);
        (rows, None)
    }

    pub(in crate::report) fn cursor(&self, now: Millis, (key, id): (i64, i64)) -> String {
        let now = self.after.map_or(now, |after| after.now);
        format!("{now}_{key}_{id}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_say_every_row_once_in_order() {
        let rows: Vec<(i64, i64)> = (0..257).map(|n| (n * 7 % 10, n)).collect();
        let mut expected = rows.clone();
        expected.sort_unstable_by(|a, b| b.cmp(a));
        let (mut page, mut seen) = (Page::first(10), Vec::new());
        loop {
            let (rows, next) = page.cut(5, rows.clone(), |row| *row);
            seen.extend(rows);
            let Some(next) = next else { break };
            page = Page::first(10).after(&next).unwrap();
        }
        assert_eq!(seen, expected);
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        for text in ["", "1", "1_2", "1_2_3_4", "a_b_c", "1_2_99999999999999999999", "948652487907054550_0_0"] {
            assert!(Page::default().after(text).is_err(), "{text}");
        }
    }
}

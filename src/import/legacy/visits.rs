use std::ops::Range;

use super::rows::{Row, Rows};
use crate::{
    clock::Millis,
    import::{
        found::{Found, Noted},
        source::SourceId,
    },
};

/// Sessions in order of their beginning.
#[derive(Default)]
pub(super) struct Visits {
    pub(super) list: Vec<Visit>,
    /// Numbers of rows, each visit's one after the other.
    rows: Vec<u32>,
}

/// One session: records of one id that lie close together.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    pub(super) source: SourceId,
    pub(super) start: Millis,
    pub(super) end: Millis,
    rows: Range<u32>,
}

impl Visits {
    /// The numbers of a visit's records, by their beginning.
    pub(super) fn rows_of(&self, visit: &Visit) -> &[u32] {
        &self.rows[visit.rows.start as usize..visit.rows.end as usize]
    }
}

pub(super) fn merge(rows: &mut Rows, timeout: Millis, found: &mut Found) -> Visits {
    let list = &rows.list;
    let mut order: Vec<u32> = (0..list.len() as u32).collect();
    order.sort_by_key(|place| {
        let row = &list[*place as usize];
        (row.key, row.start, row.file, *place)
    });
    let mut visits = Visits { list: Vec::new(), rows: Vec::with_capacity(order.len()) };
    let mut last: Option<&Row> = None;
    for place in order {
        let row = &list[place as usize];
        if last.is_some_and(|last| is_repeated(last, row)) {
            found.repeated += 1;
            // What an older file had of it is less, unless that one was of a later day.
            if let (Some(kept), Some(visit)) = (visits.rows.last_mut(), visits.list.last_mut())
                && (row.end, row.actions) > (list[*kept as usize].end, list[*kept as usize].actions)
            {
                *kept = place;
                visit.end = visit.end.max(row.end);
            }
            continue;
        }
        match visits.list.last_mut() {
            Some(visit) if last.is_some_and(|last| last.key == row.key) && row.start <= visit.end.saturating_add(timeout) => {
                found.merged += 1;
                visit.end = visit.end.max(row.end);
                visit.rows.end += 1;
            }
            _ => {
                let at = visits.rows.len() as u32;
                let source = SourceId::of(&[&row.key.0, &row.start.to_le_bytes()]);
                visits.list.push(Visit { source, start: row.start, end: row.end, rows: at..at + 1 });
            }
        }
        visits.rows.push(place);
        last = Some(row);
    }
    visits.list.sort_by_key(|visit| (visit.start, visit.rows.start));
    for visit in &visits.list {
        if visits.rows_of(visit).iter().all(|row| list[*row as usize].actions == 0) {
            found.note(Noted::NoActions);
        }
    }
    visits
}

/// Two files tell of the same record; of one file, two records are two.
fn is_repeated(last: &Row, row: &Row) -> bool {
    last.key == row.key && last.start == row.start && last.file != row.file
}

use roaring::RoaringBitmap;

use super::Out;
use crate::{
    error::Error,
    report::{
        base::{group, user_sums, view::View},
        users::{first_seen, rows},
    },
};

/// So many people are looked up together.
const AT_ONCE: usize = 5_000;

pub(super) fn write(view: &mut View<'_, '_>, out: &mut Out<'_>) -> Result<(), Error> {
    let span = view.span.clone();
    let mut persons = group::users(view, &span)?.persons(view);
    if let Some(only) = first_seen(view)? {
        persons &= &only;
    }
    // A filter that says which hits count has them all read; once is enough, and their sums are small.
    let all = view.filter.tells_hits().then(|| user_sums::of(view, &span.at, Some(&persons))).transpose()?;
    let mut persons = persons.iter();
    loop {
        let few: RoaringBitmap = persons.by_ref().take(AT_ONCE).collect();
        if few.is_empty() {
            return Ok(());
        }
        let some = if all.is_none() { Some(user_sums::of(view, &span.at, Some(&few))?) } else { None };
        let sums = all.as_ref().or(some.as_ref());
        let of = |person: u32| (person, sums.and_then(|sums| sums.get(&person).copied()).unwrap_or_default());
        let people: Vec<_> = few.iter().map(of).collect();
        rows(view, people)?.iter().try_for_each(|row| out.row(row))?;
    }
}

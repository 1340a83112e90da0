use super::{Out, parts_with_raw};
use crate::{
    error::Error,
    report::{
        base::{
            sessions::{self, Session},
            view::View,
        },
        sessions::{Wanted, row},
    },
    store::FIRST_IMPORTED,
};

/// So many session numbers are looked at together.
const AT_ONCE: u32 = 4096;

pub(super) fn write(view: &mut View<'_, '_>, out: &mut Out<'_>) -> Result<(), Error> {
    for part in parts_with_raw(view)? {
        let (wanted, past) = (Wanted::all(view, &part)?, sessions::first_past(view, &part)?);
        // Imports have numbers of their own, from there on.
        let lowest = if part.key.is_import() { FIRST_IMPORTED } else { 0 };
        for first in (lowest..past).step_by(AT_ONCE as usize) {
            let end = first.saturating_add(AT_ONCE).min(past);
            let mut found: Vec<Session> = Vec::new();
            let only = format!(" and number >= {first} and number < {end}");
            wanted.each(view, &part, &only, "order by number", |session| {
                found.push(session);
                true
            })?;
            found.iter().try_for_each(|session| out.row(&row(view, part.month, session)?))?;
        }
    }
    Ok(())
}

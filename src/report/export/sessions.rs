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
};

/// So many session numbers are looked at together.
const AT_ONCE: u32 = 4096;

pub(super) fn write(view: &mut View<'_, '_>, out: &mut Out<'_>) -> Result<(), Error> {
    for part in parts_with_raw(view)? {
        let (wanted, past) = (Wanted::new(view, &part)?, sessions::first_past(view, &part)?);
        for first in (0..past).step_by(AT_ONCE as usize) {
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

//! What people used last, where only their last session is known: that says what it began with.

use rusqlite::{OptionalExtension, params};

use crate::{
    error::Error,
    report::base::{
        sessions,
        user_sums::{LastSession, UserSum},
        view::View,
    },
    store::{Context, PartView},
};

/// Looks up the devices of those who need it; nothing is left to do of whoever it was done for before.
pub(in crate::report) fn look_up<'a>(view: &mut View<'_, '_>, sums: impl Iterator<Item = &'a mut UserSum>) -> Result<(), Error> {
    for sum in sums {
        let Some(of) = sum.last_session.take() else { continue };
        let Some(part) = view.snapshot.part_of(of.month, of.number) else { continue };
        // Most were not there later in that month either, and what they used last in it is known.
        sum.device = match last_of_month(view, &part, &of).context("read users' totals")? {
            Some((last, device)) if Some(last) == sum.last => device,
            _ => last_of_session(view, &part, &of)?.unwrap_or(sum.device),
        };
    }
    Ok(())
}

fn last_of_month(view: &View<'_, '_>, part: &PartView, of: &LastSession) -> rusqlite::Result<Option<(i64, u32)>> {
    const SQL: &str = "select last_seen, last_device from user_totals where part = ? and user = ?";
    view.main().prepare_cached(SQL)?.query_row(params![part.number, of.user], |row| Ok((row.get(0)?, row.get(1)?))).optional()
}

fn last_of_session(view: &mut View<'_, '_>, part: &PartView, of: &LastSession) -> Result<Option<u32>, Error> {
    let Some(session) = sessions::one(view, part, of.number)? else { return Ok(None) };
    let mut newest: Option<(i64, u32)> = None;
    sessions::each_row(view, part, &session, |row| {
        if newest.is_none_or(|(at, _)| row.at >= at) {
            newest = Some((row.at, row.device));
        }
    })?;
    Ok(newest.map(|(_, device)| device))
}

//! Whole lists, row by row, in as little memory as a page takes: for spreadsheets, other programs, and people who ask what is
//! known of them.

mod actions;
mod daily;
mod out;
mod person;
mod sessions;
mod users;

use std::io::Write;

pub use self::out::ExportFormat;
use self::out::Out;
pub(super) use self::person::ask as person;
use super::base::{scan::put_away, view::View};
use crate::error::Error;

/// What is exported, see [`Reports::export`](crate::Reports::export).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Export {
    /// Sessions that began in the range, oldest month first, in the order of their opening.
    Sessions,
    /// Hits one by one, in the order in which they were recorded; of one user, session by session.
    Actions,
    /// Each reporting day by everything that is counted: in all, by endpoint, version, platform, device, bot class, failure and error.
    Daily,
    /// Users of the range and what they did in it, those recorded first before others.
    Users,
}

/// Writes all rows; gives how many there were.
pub(super) fn ask(view: &mut View<'_, '_>, what: Export, format: ExportFormat, to: &mut dyn Write) -> Result<u64, Error> {
    let mut out = Out::new(format, to);
    match what {
        Export::Sessions => sessions::write(view, &mut out)?,
        Export::Actions => actions::write(view, &mut out)?,
        Export::Daily => daily::write(view, &mut out)?,
        Export::Users => users::write(view, &mut out)?,
    }
    out.end()
}

/// Parts that the range touches, oldest first; an error, before anything is written, if single hits of one are not there.
fn parts_with_raw(view: &View<'_, '_>) -> Result<Vec<crate::store::PartView>, Error> {
    let at = &view.span.at;
    let is_touched = |least: Option<i64>, greatest: Option<i64>| {
        least.is_some_and(|least| least < at.end) && greatest.is_some_and(|greatest| greatest >= at.start)
    };
    let mut parts = view.snapshot.parts().to_vec();
    parts.retain(|part| is_touched(part.least, part.greatest));
    parts.sort_by_key(|part| (part.month, part.number));
    match parts.iter().find(|part| !part.state.has_raw()) {
        Some(part) => Err(put_away(part)),
        None => Ok(parts),
    }
}

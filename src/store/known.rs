use std::collections::HashMap;

use rusqlite::Connection;

use super::{dictionary::Dictionary, raw::Row, visitors::FIRST_VISITOR};
use crate::clock::{Millis, day_of};

/// Numbers that the dictionaries have given.
///
/// After a loss of power raw rows may be on disk that refer to later ones: a disk writes two files in the order it likes.
pub(super) struct Known {
    next: [u32; 4],
    visitors: HashMap<i64, u32>,
}

impl Known {
    pub(super) fn load(main: &Connection, dictionary: &Dictionary) -> rusqlite::Result<Self> {
        let mut statement = main.prepare("select day, next from visitor_days")?;
        let visitors = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?;
        Ok(Self { next: dictionary.next_numbers(), visitors })
    }

    /// Whether everything that a row of the month that began at `start` refers to is there.
    pub(super) fn covers(&self, row: &Row, start: Millis) -> bool {
        let [user, endpoint, device, error] = self.next;
        let who = match row.user {
            // The first is shared by all past the day's cap.
            FIRST_VISITOR => true,
            visitor if visitor > FIRST_VISITOR => self.visitors.get(&day_of(start + row.at)).is_some_and(|next| visitor < *next),
            known => known < user,
        };
        who && row.endpoint < endpoint && row.device < device && row.error < error
    }
}

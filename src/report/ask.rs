use std::ops::Range;

use crate::{
    clock::Millis,
    zone::{Day, Zone},
};

/// What a question is about: so far the range.
///
/// ```
/// use tower_analytics::{Analytics, Ask};
///
/// # fn main() -> Result<(), tower_analytics::Error> {
/// let (analytics, _clock) = Analytics::testing();
/// assert_eq!(analytics.reports().stats(&Ask::all_time())?.total_hits, 0);
/// assert_eq!(analytics.reports().stats(&Ask::last_days(30))?.total_users, 0);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    last_days: Option<u32>,
}

impl Ask {
    /// Everything that was ever recorded.
    #[must_use]
    pub fn all_time() -> Self {
        Self { last_days: None }
    }

    /// So many reporting days, today the last of them. No days at all are taken as one.
    #[must_use]
    pub fn last_days(days: u32) -> Self {
        Self { last_days: Some(days) }
    }

    pub(super) fn days(&self, zone: &Zone, now: Millis) -> Option<Range<Day>> {
        let end = zone.day_of(now) + 1;
        self.last_days.map(|days| end.saturating_sub_unsigned(days.max(1))..end)
    }
}

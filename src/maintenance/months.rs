use std::path::Path;

use serde_json::json;

use super::{Maintenance, PutAway, Restored};
use crate::{
    aging::RetentionRules,
    error::Error,
    store::{Kind, PutAwayOrder, RestoreOrder},
};

impl Maintenance {
    /// Compresses the raw hits of months that ended longer ago than this, such as `90d` or `13 months`, puts them into a directory (`archive`
    /// in the data directory if none is said), reads what was written again, and then deletes the raw files. What was counted of these
    /// months stays; what only their hits could say is refused until [`restore`](Self::restore) brings them back. Hits that come later and
    /// belong to them are dropped and counted ([`DropCause::ClosedMonth`](crate::DropCause)). Gives bytes, from time to time, with how many
    /// there are to be read.
    ///
    /// # Errors
    ///
    /// If that is no length of time of a day or more, or no month could be put away: the directory cannot be written or has no room, it holds
    /// such files of another data directory, a raw file is damaged, a month stays in use for five minutes. If some could, the others are
    /// [`failed`](PutAway::failed), and stay as they were.
    ///
    /// ```
    /// # fn main() -> Result<(), tower_analytics::Error> {
    /// use std::time::Duration;
    /// use tower_analytics::{Analytics, Hit};
    ///
    /// let (analytics, clock) = Analytics::testing();
    /// analytics.record(&Hit::new("GET", "/items"));
    /// analytics.flush()?;
    /// clock.advance(Duration::from_secs(200 * 86_400));
    /// analytics.flush()?;
    /// let done = analytics.maintenance().archive("90d", None, |_, _| {})?;
    /// assert_eq!(done.parts[0].month, "202601");
    /// analytics.maintenance().restore(&["202601"], true, |_, _| {})?;
    /// # Ok(()) }
    /// ```
    pub fn archive(&self, older_than: &str, to: Option<&Path>, progress: impl FnMut(u64, u64)) -> Result<PutAway, Error> {
        let rules =
            RetentionRules { archive_after: Some(older_than.to_owned()), archive_to: to.map(Path::to_owned), ..RetentionRules::default() };
        self.put_away(Kind::Archive, &rules, progress)
    }

    /// Brings the raw hits of months back that were put away. What was put away is kept, unless it is said to `remove` it: then only once
    /// they are back. Gives bytes, from time to time, with how many there are to be written.
    ///
    /// # Errors
    ///
    /// If a month is not archived, or of none of them the archive is whole: then nothing is changed. Months of which it is missing, damaged or
    /// another directory's, while others come back, are [`failed`](Restored::failed), and stay as they were.
    pub fn restore(&self, months: &[&str], remove: bool, progress: impl FnMut(u64, u64)) -> Result<Restored, Error> {
        let order = RestoreOrder { months: months.iter().map(|month| (*month).to_owned()).collect(), remove };
        self.ask(Kind::Restore, &json!(order).to_string(), progress)
    }

    /// Does with old months what these rules say, now, by the clock of whoever records. With the rules of the settings this happens by
    /// itself once a day, see [`RetentionRules`]; [`Reports::expiring`](crate::Reports::expiring) says beforehand what it will be.
    ///
    /// # Errors
    ///
    /// If the rules are wrong, and as [`archive`](Self::archive).
    pub fn retention(&self, rules: &RetentionRules, progress: impl FnMut(u64, u64)) -> Result<PutAway, Error> {
        self.put_away(Kind::Retention, rules, progress)
    }

    fn put_away(&self, kind: Kind, rules: &RetentionRules, progress: impl FnMut(u64, u64)) -> Result<PutAway, Error> {
        // Whoever does it stands elsewhere.
        let rules = rules.absolute()?;
        rules.understood()?;
        self.ask(kind, &json!(PutAwayOrder { rules, by: None }).to_string(), progress)
    }
}

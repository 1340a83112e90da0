use serde_json::json;

use super::{Forgotten, Maintenance};
use crate::{error::Error, store::Kind};

impl Maintenance {
    /// Counts one user as another from now on, in all that was ever recorded: two ids that turned out to be one person.
    ///
    /// # Errors
    ///
    /// If there is no such user, both count as one already, the store refuses, or nobody records in the directory.
    pub fn merge_users(&self, from: &str, into: &str) -> Result<(), Error> {
        self.run(Kind::Merge, &json!([from, into]).to_string(), |_, _| {}).map(drop)
    }
    /// Takes a person's identity away, for ever: the id with all ids that were merged with it, their names, errors, routes and devices
    /// that hold one of them, the keys of their sessions. What was counted stays true: a number without a name stays in it. What is
    /// recorded under the id from then on, hits in the queue among it, is somebody new.
    ///
    /// A process that is killed meanwhile, or an error of whoever asked, does not take it back: it is begun again at each start until it is
    /// done; interrupted three times or more, later each time, up to a day after the start, while recording goes on.
    ///
    /// The files are written anew, so that nothing of it is left in free pages or in the log. **Not** covered are backups, what plugins
    /// keep, logs of your own, and who may sign in.
    ///
    /// ```
    /// # fn main() -> Result<(), tower_analytics::Error> {
    /// use tower_analytics::{Analytics, Ask, Hit};
    ///
    /// let (analytics, _clock) = Analytics::testing();
    /// let mut hit = Hit::new("GET", "/items");
    /// hit.set_user("ann@example.com");
    /// analytics.record(&hit);
    /// analytics.flush()?;
    /// assert_eq!(analytics.maintenance().forget_user("ann@example.com", |_, _| {})?.ids, 1);
    /// assert!(analytics.reports().user(&Ask::all_time(), "ann@example.com")?.is_none());
    /// assert_eq!(analytics.reports().stats(&Ask::all_time())?.total_users, 1);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// If somebody reads the files for so long that they cannot be written anew, the store refuses, or nobody records in the directory. Say
    /// it again then: what is left of the first time is erased, too. An id that nobody has is no error.
    pub fn forget_user(&self, id: &str, progress: impl FnMut(u64, u64)) -> Result<Forgotten, Error> {
        self.ask(Kind::Forget, &json!(id).to_string(), progress)
    }
}

use serde_json::json;

use super::{Maintenance, Reprocessed, in_words};
use crate::{
    error::{Error, ErrorKind},
    store::Kind,
};

impl Maintenance {
    /// Makes all roll-ups anew from the raw hits, a month after the other. Questions are answered from the old ones until a
    /// month's new ones take their place at once. Gives the number of hits that were read, from time to time, with
    /// how many there are.
    ///
    /// # Errors
    ///
    /// If a raw file cannot be read (all the others are done then), the store refuses, or nobody records in the directory.
    ///
    /// ```
    /// # fn main() -> Result<(), tower_analytics::Error> {
    /// use tower_analytics::{Analytics, Hit};
    ///
    /// let (analytics, _clock) = Analytics::testing();
    /// analytics.record(&Hit::new("GET", "/items"));
    /// analytics.maintenance().reprocess(|done, total| println!("{done} of {total} hits"))?;
    /// # Ok(()) }
    /// ```
    pub fn reprocess(&self, progress: impl FnMut(u64, u64)) -> Result<(), Error> {
        let Reprocessed { failed, .. } = self.reprocess_months(&[], progress)?;
        if failed.is_empty() { Ok(()) } else { Err(Error::new(ErrorKind::Job, in_words(&failed))) }
    }

    /// Makes the roll-ups of some months anew, such as `["202611"]`, or of all if none is named; see [`reprocess`](Self::reprocess). Gives
    /// how many hits were read, and which raw files could not be: their counts stay as they are.
    ///
    /// # Errors
    ///
    /// If none of the raw files can be read, nothing was recorded in one of the months or its raw hits are not all there, the store refuses,
    /// or nobody records in the directory.
    pub fn reprocess_months(&self, months: &[&str], progress: impl FnMut(u64, u64)) -> Result<Reprocessed, Error> {
        let months = if months.is_empty() { String::new() } else { json!(months).to_string() };
        self.ask(Kind::Reprocess, &months, progress)
    }
}

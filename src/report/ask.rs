/// What a question is about: so far the range, which is all time.
///
/// ```
/// use tower_analytics::{Analytics, Ask};
///
/// # fn main() -> Result<(), tower_analytics::Error> {
/// let (analytics, _clock) = Analytics::testing();
/// assert_eq!(analytics.reports().stats(&Ask::all_time())?.total_hits, 0);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask(());

impl Ask {
    /// Everything that was ever recorded.
    #[must_use]
    pub fn all_time() -> Self {
        Self(())
    }
}

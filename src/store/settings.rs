use super::{dictionary::Caps, import::OpenSource};
use crate::{aging::RetentionRules, clock::Millis, zone::Zone};

/// What shapes what is stored.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) caps: Caps,
    pub(crate) session_timeout: Millis,
    pub(crate) zone: Zone,
    /// Features and names of endpoints, as JSON: readers answer by them.
    pub(crate) shown: String,
    /// Opens what is to be imported; `None` in a build that cannot.
    pub(crate) open_source: Option<OpenSource>,
    /// What is imported into a directory that is new, as a job says it.
    pub(crate) first_import: Option<String>,
    /// What becomes of old months.
    pub(crate) retention: RetentionRules,
    /// Whether that is looked for by itself, once a day.
    pub(crate) tends: bool,
}

use std::path::PathBuf;

use super::duration::DurationUnit;

/// What is read of a file: of one that has grown since an earlier import, what came after that.
#[derive(Clone, Debug)]
pub(crate) struct LogPart {
    pub(crate) path: PathBuf,
    /// In bytes of what is in it if it is packed.
    pub(crate) from: u64,
    pub(crate) to: u64,
    /// In what its last field says how long a request took, if it does.
    pub(crate) unit: Option<DurationUnit>,
}

impl LogPart {
    /// All of a file.
    #[cfg(test)]
    pub(crate) fn all(path: PathBuf) -> Self {
        Self { path, from: 0, to: u64::MAX, unit: None }
    }
}

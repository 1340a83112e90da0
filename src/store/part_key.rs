use std::{
    fmt,
    path::{Path, PathBuf},
};

use crate::{clock::Month, error::Error};

/// Which raw file: a month's own, into which is recorded, or one that an import has written beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PartKey {
    pub(crate) month: Month,
    /// 0 is the one that is recorded into.
    pub(crate) import: u32,
}

/// Where the numbers of imported sessions begin: those of all parts of a month are told apart by their number alone.
pub(crate) const FIRST_IMPORTED: u32 = 1 << 31;

impl PartKey {
    pub(crate) const fn recorded(month: Month) -> Self {
        Self { month, import: 0 }
    }

    pub(crate) const fn is_import(self) -> bool {
        self.import > 0
    }

    pub(crate) fn file(self, directory: &Path) -> PathBuf {
        directory.join(self.to_string())
    }

    /// The part that a file of this name holds.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        let text = name.strip_prefix("analytics-")?.strip_suffix(".db")?;
        let (month, import) = text.split_once("-i").unwrap_or((text, "0"));
        let key = Self { month: Month::from_number(month.parse().ok()?)?, import: import.parse().ok()? };
        Some(key).filter(|key| key.to_string() == name)
    }
}

/// The name of its file.
impl fmt::Display for PartKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.import {
            0 => write!(f, "analytics-{}.db", self.month),
            import => write!(f, "analytics-{}-i{import}.db", self.month),
        }
    }
}

/// The parts whose files lie in a directory.
pub(super) fn parts_on_disk(directory: &Path) -> Result<Vec<PartKey>, Error> {
    let mut parts = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        parts.extend(entry?.file_name().to_str().and_then(PartKey::from_name));
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_lead_back_to_their_part_and_others_to_none() {
        for name in ["analytics-202611.db", "analytics-202511-i7.db"] {
            assert_eq!(PartKey::from_name(name).map(|key| key.to_string()).as_deref(), Some(name));
        }
        for name in ["analytics.db", "analytics-202613.db", "analytics-202611-i0.db", "analytics-202611-i07.db", "analytics-202611.db-wal"]
        {
            assert_eq!(PartKey::from_name(name), None, "{name}");
        }
    }
}

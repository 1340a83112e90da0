use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use super::{Report, fault::fault, legacy::Legacy, source::Rules};
use crate::{
    error::Error,
    store::{Imported, Known, OpenSource, Progress, Source},
};

/// What is to be imported, as a job's argument says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Asked {
    Legacy { paths: Vec<PathBuf> },
}

/// What the service's settings say of hits, for those that it did not see.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub(crate) rules: Rules,
}

impl Asked {
    /// The panel's files in a directory in which nothing was recorded yet; `None` if there are none.
    pub(crate) fn left_in(directory: &Path) -> Option<Self> {
        let is_there = ["app_analytics.json", "analytics_archive"].iter().any(|name| directory.join(name).exists());
        is_there.then(|| Self::Legacy { paths: vec![directory.to_owned()] })
    }

    /// Paths that another process understands too, and that are there.
    pub(crate) fn absolute(self) -> Result<Self, Error> {
        let absolute = |paths: Vec<PathBuf>| -> Result<Vec<PathBuf>, Error> {
            paths.iter().map(|path| path.canonicalize().map_err(|error| super::fault::unreadable(path, error))).collect()
        };
        Ok(match self {
            Self::Legacy { paths } => Self::Legacy { paths: absolute(paths)? },
        })
    }

    pub(crate) fn to_argument(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    fn open(&self, setting: &Setting, known: &Known, progress: &Progress) -> Result<Box<dyn Source>, Error> {
        match self {
            Self::Legacy { paths } => {
                let mut broken = None;
                let is_known = |session: &_| known.has(session).unwrap_or_else(|error| broken.replace(error).is_some());
                let hits = Legacy::read(paths, progress)?.hits(setting.rules, is_known);
                broken.map_or(Ok(Box::new(hits)), Err)
            }
        }
    }

    /// Reads and checks all of it as an import would, and stores nothing.
    pub(crate) fn check(&self, setting: &Setting, directory: &Path, mut seen: impl FnMut(u64, u64)) -> Result<Report, Error> {
        let progress = Progress::default();
        let mut source = self.open(setting, &Known::open(directory)?, &progress)?;
        let mut next = Imported::default();
        let mut hits = 0_u64;
        while source.next(&mut next)? {
            hits += 1;
            if hits.is_multiple_of(10_000) {
                seen(progress.done(), progress.total());
            }
        }
        Report::from_json(source.end().report)
    }
}

impl Setting {
    /// For the store, which does not know what it stores.
    pub(crate) fn into_opener(self) -> OpenSource {
        OpenSource(Arc::new(move |argument, known, progress| {
            let asked: Asked = serde_json::from_str(argument).map_err(|error| {
                fault("this version cannot read what it was asked to import: update the program".to_owned()).with_source(error)
            })?;
            asked.open(&self, known, progress)
        }))
    }
}

impl Report {
    pub(crate) fn from_json(json: serde_json::Value) -> Result<Self, Error> {
        serde_json::from_value(json).map_err(|error| fault("what came of the import cannot be read".to_owned()).with_source(error))
    }
}

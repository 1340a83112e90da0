use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use super::{
    Report,
    access_log::{AccessLog, DurationUnit, LogPart},
    content::Lines,
    fault::fault,
    legacy::Legacy,
    source::{Content, Rules},
};
use crate::{
    error::Error,
    pattern::Routes,
    recorder::Noise,
    store::{Imported, Known, OpenSource, Progress, Source},
};

/// What is to be imported, as a job's argument says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Asked {
    Legacy {
        paths: Vec<PathBuf>,
    },
    AccessLog {
        files: Vec<PathBuf>,
        routes: Vec<String>,
        /// In what the last field says how long a request took.
        #[serde(default)]
        duration: Option<DurationUnit>,
    },
}

/// What the service's settings say of hits, for those that it did not see.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub(crate) rules: Rules,
    /// Which routes' hits are no actions.
    pub(crate) noise: Vec<String>,
    /// Templates for what knows paths alone, unless others are said.
    pub(crate) routes: Vec<String>,
}

impl Asked {
    /// The panel's files in a directory in which nothing was recorded yet; `None` if there are none.
    pub(crate) fn left_in(directory: &Path) -> Option<Self> {
        // Not the directory, in which an analytics.db of ours is soon.
        let names = ["app_analytics.json", "analytics_archive", "error_analytics.json", "app_usage.json"];
        let paths: Vec<_> = names.map(|name| directory.join(name)).into_iter().filter(|path| path.exists()).collect();
        paths.iter().any(|path| !path.ends_with("app_usage.json")).then_some(Self::Legacy { paths })
    }

    /// Paths that another process understands too, and that are there.
    pub(crate) fn absolute(self) -> Result<Self, Error> {
        let absolute = |paths: Vec<PathBuf>| -> Result<Vec<PathBuf>, Error> {
            paths.iter().map(|path| path.canonicalize().map_err(|error| super::fault::unreadable(path, error))).collect()
        };
        Ok(match self {
            Self::Legacy { paths } => Self::Legacy { paths: absolute(paths)? },
            Self::AccessLog { files, routes, duration } => Self::AccessLog { files: absolute(files)?, routes, duration },
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
            Self::AccessLog { files, routes, duration } => {
                let new = New::of(files, &known.contents()?, *duration, progress)?;
                let templates = if routes.is_empty() { &setting.routes } else { routes };
                let mut of_paths = Routes::default();
                templates.iter().try_for_each(|template| of_paths.insert(template))?;
                let log = AccessLog::open(&new.parts, of_paths, Noise::new(&setting.noise)?, setting.rules, progress)?;
                Ok(Box::new(log.remembering(new.contents, new.cut)))
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

/// What of some logs no earlier import has read, and what they are now. One that has grown since then is read from there on.
#[derive(Default)]
struct New {
    parts: Vec<LogPart>,
    contents: Vec<Content>,
    /// How many end in the middle of a line. That is not read, and known by nobody: it is new to the next import.
    cut: u64,
}

impl New {
    fn of(files: &[PathBuf], known: &[Content], unit: Option<DurationUnit>, progress: &Progress) -> Result<Self, Error> {
        files.iter().for_each(|file| progress.expect(file.metadata().map_or(0, |about| about.len())));
        let mut new = Self::default();
        for file in files {
            let lines = Lines::of(file, known, progress)?;
            new.cut += u64::from(lines.is_cut());
            let content = lines.ended;
            if !known.contains(&content) && !new.contents.contains(&content) {
                let from = lines.begins_with.map_or(0, |content| content.bytes);
                new.parts.push(LogPart { path: file.clone(), from, to: content.bytes, unit });
                new.contents.push(content);
            }
        }
        Ok(new)
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

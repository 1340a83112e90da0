use std::path::PathBuf;

use clap::Args;

use super::How;
use crate::{error::Error, import::Asked};

/// Import the files of the panel that came before: app_analytics.json, analytics_archive/2025-12.json, error_analytics.json,
/// app_usage.json, and the analytics.db of its later generation.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Legacy {
    /// Files, or directories that hold them
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    how: How,
}

const EXAMPLES: &str = "Examples:
  tower-analytics import legacy --dry-run /srv/panel/data
  tower-analytics import legacy /srv/panel/data --data /srv/analytics
  tower-analytics import legacy old/app_analytics.json old/analytics_archive/2025-11.json";

impl Legacy {
    pub(super) fn run(self) -> Result<(), Error> {
        let Self { paths, how } = self;
        how.run(Asked::Legacy { paths })
    }
}

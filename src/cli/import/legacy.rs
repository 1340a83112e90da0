use std::path::PathBuf;

use clap::Args;

use super::said::say;
use crate::{
    cli::{at_work::at_work_anew, place::Place},
    error::Error,
};

/// Import the files of the panel that came before: app_analytics.json, analytics_archive/2025-12.json, error_analytics.json,
/// app_usage.json, and the analytics.db of its later generation.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Legacy {
    /// Files, or directories that hold them
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    place: Place,
    /// Read and check everything, say what would come of it, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Print what came of it as JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "Examples:
  tower-analytics import legacy --dry-run /srv/panel/data
  tower-analytics import legacy /srv/panel/data --data /srv/analytics
  tower-analytics import legacy old/app_analytics.json old/analytics_archive/2025-11.json";

impl Legacy {
    pub(super) fn run(self) -> Result<(), Error> {
        let Self { paths, place, dry_run, json } = self;
        let report = match dry_run {
            true => crate::cli::at_work::look_ahead(&place, |setting, directory, progress| {
                crate::import::Asked::Legacy { paths }.absolute()?.check(setting, directory, progress)
            })?,
            false => at_work_anew(&place, |maintenance, progress| maintenance.import_legacy(paths, progress))?,
        };
        say(&report, dry_run, json)
    }
}

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{
    at_work::at_work,
    failed, output,
    place::Place,
    words::{bytes, hits},
};
use crate::{error::Error, maintenance::PutAway};

/// Compress the raw hits of old months and put them away; what was counted of them stays.
///
/// Each month is read again and compared before its raw file is deleted. Where a service records in the directory, it does the work,
/// between batches.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Archive {
    #[command(flatten)]
    place: Place,
    /// Months that ended longer ago than this, such as 90d, "13 months" or 2y
    #[arg(long, value_name = "AGE")]
    older_than: String,
    /// Where to put them [default: archive in the data directory]
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
    /// Print what was done as JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "Examples:
  tower-analytics archive --older-than 90d
  tower-analytics archive --older-than \"13 months\" --data /srv/analytics --to /mnt/cold/analytics
  tower-analytics restore 202511                   bring one back";

impl Archive {
    pub(super) fn run(self) -> Result<(), Error> {
        let done = at_work(&self.place, |maintenance, progress| maintenance.archive(&self.older_than, self.to.as_deref(), progress))?;
        match self.json {
            true => output::json(&json!(done))?,
            false if done.parts.is_empty() => {
                output::line(format!("No month with raw hits ended longer than {} ago: nothing was done.", self.older_than))?;
            }
            false => say(&done)?,
        }
        failed::none(&done.failed)
    }
}

/// A line a file.
pub(super) fn say(done: &PutAway) -> Result<(), Error> {
    for part in &done.parts {
        let what = match &part.archive {
            Some(archive) => {
                format!(
                    "archived, {} became {} in {}",
                    bytes(part.bytes),
                    bytes(part.archive_bytes),
                    output::printable(&archive.to_string_lossy())
                )
            }
            None => format!("{}, {}", part.what, bytes(part.bytes)),
        };
        output::line(format!("{}  {}: {what}", part.file, hits(part.hits)))?;
    }
    Ok(())
}

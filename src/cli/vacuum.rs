use clap::Args;
use serde_json::json;

use super::{at_work::at_work, failed, output, place::Place, words::bytes};
use crate::error::Error;

/// Give back to the file system what is free in the files.
///
/// Where a service records in the directory, it does the work and goes on recording: hits wait in its bounded queue while a file is written
/// anew. The disk needs room for a second copy of the largest file for that time.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Vacuum {
    #[command(flatten)]
    place: Place,
    /// Print each file's bytes before and after as JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "Examples:
  tower-analytics vacuum
  tower-analytics vacuum --data /srv/analytics --json";

impl Vacuum {
    pub(super) fn run(self) -> Result<(), Error> {
        let done = at_work(&self.place, |maintenance, progress| maintenance.vacuum(progress))?;
        let sum = |of: fn(&crate::maintenance::VacuumedFile) -> u64| done.files.iter().map(of).sum::<u64>();
        let (before, after) = (sum(|file| file.before), sum(|file| file.after));
        if self.json {
            output::json(&json!({ "before": before, "after": after, "files": done.files, "failed": done.failed }))?;
            return failed::none(&done.failed);
        }
        for file in &done.files {
            output::line(format!("{:24} {:>10} -> {:>10}", file.name, bytes(file.before), bytes(file.after)))?;
        }
        output::line(format!("{} before, {} now.", bytes(before), bytes(after)))?;
        failed::none(&done.failed)
    }
}

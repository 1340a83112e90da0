use clap::Args;
use serde_json::json;

use super::{
    at_work::at_work,
    failed, output,
    place::Place,
    words::{bytes, hits},
};
use crate::error::Error;

/// Bring the raw hits of months back that were put away.
///
/// What was put away is compared with what it should be; if it is missing or damaged the month stays as it is. Where a service records in the
/// directory, it does the work, between batches.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Restore {
    #[command(flatten)]
    place: Place,
    /// The months, such as 202611
    #[arg(value_name = "YYYYMM", required = true)]
    months: Vec<String>,
    /// Delete what was put away once the months are back
    #[arg(long)]
    remove: bool,
    /// Print what was done as JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "Examples:
  tower-analytics restore 202511
  tower-analytics restore 202511 202512 --data /srv/analytics --remove";

impl Restore {
    pub(super) fn run(self) -> Result<(), Error> {
        let months: Vec<&str> = self.months.iter().map(String::as_str).collect();
        let done = at_work(&self.place, |maintenance, progress| maintenance.restore(&months, self.remove, progress))?;
        if self.json {
            output::json(&json!(done))?;
        } else {
            for part in &done.parts {
                output::line(format!("{}  {}: back, {}", part.file, hits(part.hits), bytes(part.bytes)))?;
            }
        }
        failed::none(&done.failed)
    }
}

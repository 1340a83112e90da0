use clap::Args;
use serde_json::json;

use super::{at_work::at_work, failed, output, place::Place};
use crate::error::Error;

/// Make all counts anew from the raw hits.
///
/// Questions are answered from the old ones until a month's new ones take their place. Where a service records in the directory, it does
/// the work, between batches.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Reprocess {
    #[command(flatten)]
    place: Place,
    /// Only this month, such as 202611; may be said again
    #[arg(long = "month", value_name = "YYYYMM")]
    months: Vec<String>,
    /// Print what was done as JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "Examples:
  tower-analytics reprocess
  tower-analytics reprocess --data /srv/analytics --month 202610 --month 202611";

impl Reprocess {
    pub(super) fn run(self) -> Result<(), Error> {
        let months: Vec<&str> = self.months.iter().map(String::as_str).collect();
        let done = at_work(&self.place, |maintenance, progress| maintenance.reprocess_months(&months, progress))?;
        match self.json {
            true => output::json(&json!(done))?,
            false => output::line(format!("Counted {} hits anew.", done.hits))?,
        }
        failed::none(&done.failed)
    }
}

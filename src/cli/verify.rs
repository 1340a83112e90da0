use std::{path::PathBuf, process::ExitCode};

use clap::Args;

use super::{output, place::Place, progress::Progress, words};
use crate::{error::Error, report::Reports};

/// Look into every byte of a data directory or a backup: is it sound, and if not, what is wrong where.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Verify {
    /// The directory to look into, such as a backup [default: that of --data]
    directory: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
    /// Show no progress
    #[arg(long)]
    quiet: bool,
    /// Print what was found as JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "Examples:
  tower-analytics verify --data /var/lib/analytics
  tower-analytics verify /backups/2026-11-02 --json

It runs SQLite's integrity check of each file, makes all roll-ups once more from the raw hits and compares them cell by cell, looks for
what raw hits refer to and for sessions that are not their hits, and reads all archives. It changes nothing, works beside a service that
records, and where nobody records on read-only media too. The exit code is 0 if all is sound, and 1 if not.";

impl Verify {
    pub(super) fn run(self) -> Result<ExitCode, Error> {
        let reports = match &self.directory {
            Some(directory) => Reports::open(directory)?,
            None => self.place.reports()?,
        };
        let verified = {
            let progress = Progress::new("Verifying", self.quiet || self.json);
            reports.verify(|done, total| progress.tell(done, total))?
        };
        let code = if verified.is_sound() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        if self.json {
            return output::serialized(&verified).map(|()| code);
        }
        for fault in &verified.faults {
            let place: Vec<&str> = [&*fault.file, &*fault.table, &*fault.key].into_iter().filter(|word| !word.is_empty()).collect();
            output::line(output::printable(&format!("fault: {}: {}\n  do: {}", place.join(", "), fault.what, fault.remedy)))?;
        }
        for note in &verified.notes {
            output::line(output::printable(&format!("note: {note}")))?;
        }
        let sound = match verified.faults.len() {
            0 => "all is sound".to_owned(),
            faults => format!("{faults} faults"),
        };
        output::line(format!("{} hits in {} files: {sound}.", words::number(verified.hits), verified.files))?;
        Ok(code)
    }
}

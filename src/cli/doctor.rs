use std::process::ExitCode;

use clap::Args;

use super::{output, place::Place};
use crate::{
    error::Error,
    report::{Diagnosis, Severity},
};

/// How healthy it is, and what to do.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Doctor {
    #[command(flatten)]
    place: Place,
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "Examples:
  tower-analytics doctor --data /var/lib/analytics
  tower-analytics doctor --config settings.toml --json

The exit code is 0 if nothing is to be done, and 1 if something is. It looks, and changes nothing: at the pages of the files for two seconds,
newest months first; `verify` looks into every byte.";

impl Doctor {
    pub(super) fn run(self) -> Result<ExitCode, Error> {
        let settings = self.place.settings()?;
        let diagnosis = Diagnosis::of(settings.data()?);
        self.say(&diagnosis)?;
        Ok(if diagnosis.needs_action() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }

    fn say(&self, diagnosis: &Diagnosis) -> Result<(), Error> {
        if self.json {
            return output::serialized(diagnosis);
        }
        for finding in &diagnosis.findings {
            let severity = match finding.severity {
                Severity::Note => "note",
                Severity::Warning => "warning",
                Severity::Problem => "problem",
            };
            output::line(output::printable(&format!("{severity}: {}", finding.what)))?;
            if finding.severity > Severity::Note {
                output::line(output::printable(&format!("  do: {}", finding.remedy)))?;
            }
        }
        if diagnosis.needs_action() { Ok(()) } else { output::line("All is well.") }
    }
}

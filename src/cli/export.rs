use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};

use super::{asked::Asked, output_file, place::Place, words};
use crate::{
    error::Error,
    report::{self, ExportFormat},
};

/// Write whole lists as CSV or NDJSON, row by row.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Export {
    /// What to write
    #[arg(value_enum)]
    what: What,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Csv)]
    format: Format,
    /// Where to write it [default: the standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    asked: Asked,
    #[command(flatten)]
    place: Place,
    /// Say nothing of how much was written
    #[arg(long)]
    quiet: bool,
}

const EXAMPLES: &str = "Examples:
  tower-analytics export sessions --days 30 > sessions.csv
  tower-analytics export actions --user ann --format ndjson | jq .endpoint
  tower-analytics export daily --from 2026-10-01 --to 2026-11-01 --bots include --out october.csv
  tower-analytics export users --platform iOS --version 2.0

It works beside a service that records; what came after it began is not in it. CSV is as RFC 4180 says, and what a spreadsheet would run
as a formula has an apostrophe before it. Everything about one person is `tower-analytics user export ID`.";

#[derive(Clone, Copy, Debug, ValueEnum)]
enum What {
    /// Sessions that began in the range
    Sessions,
    /// Hits one by one
    Actions,
    /// Each day by endpoint, version, platform, device, bot class, failure and error
    Daily,
    /// Users and what they did
    Users,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// RFC 4180
    Csv,
    /// A JSON object a line
    Ndjson,
}

/// Nobody waits for a page here: it takes as long as it takes.
pub(super) const PATIENCE: Duration = Duration::from_secs(30 * 86_400);

impl Export {
    pub(super) fn run(self) -> Result<(), Error> {
        let what = match self.what {
            What::Sessions => report::Export::Sessions,
            What::Actions => report::Export::Actions,
            What::Daily => report::Export::Daily,
            What::Users => report::Export::Users,
        };
        let format = match self.format {
            Format::Csv => ExportFormat::Csv,
            Format::Ndjson => ExportFormat::Ndjson,
        };
        let ask = self.asked.ask()?;
        let reports = self.place.reports()?.time_limit(PATIENCE);
        let rows = output_file::write(self.out.as_deref(), |out| reports.export(&ask, what, format, out))?;
        output_file::say(self.out.as_deref(), self.quiet, &format!("{} rows", words::number(rows.unwrap_or_default())));
        Ok(())
    }
}

use clap::Args;

use super::{output, place::Place, words};
use crate::{error::Error, report::PartRow};

/// The raw files: one a month, and those of imports.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Parts {
    #[command(flatten)]
    place: Place,
    /// Print a list as JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "Examples:
  tower-analytics parts
  tower-analytics parts --data /var/lib/analytics --json | jq '.[] | select(.state != \"sealed\")'

States: open (recorded into), sealed (its month is over, its totals stand), archived or dropped (its roll-ups stay), missing.";

impl Parts {
    pub(super) fn run(self) -> Result<(), Error> {
        let parts = self.place.reports()?.parts()?.into_inner();
        if self.json {
            return output::serialized(&parts);
        }
        let row = |part: &PartRow| {
            vec![
                part.file.clone(),
                part.state.clone(),
                words::number(part.hits),
                words::number(part.sessions),
                words::moment(part.from),
                words::moment(part.to),
                part.bytes.map_or_else(|| "-".to_owned(), words::bytes),
                words::bytes(part.wal_bytes),
                part.watermark.to_string(),
                if part.zone.is_empty() { "(changing)".to_owned() } else { part.zone.clone() },
                part.source.clone(),
                if part.totals { "yes" } else { "no" }.to_owned(),
            ]
        };
        let heads = ["File", "state", "hits", "sessions", "from", "to", "size", "log", "watermark", "zone", "source", "totals"];
        let numbers = [false, false, true, true, false, false, true, true, true, false, false, false];
        words::table(&heads, &numbers, &parts.iter().map(row).collect::<Vec<_>>())
    }
}

use clap::Args;

use super::{output, place::Place, words};
use crate::{
    error::Error,
    report::{Dictionary, Stored},
};

/// What is there: how much of everything, since when, how big, and whether somebody records.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Stats {
    #[command(flatten)]
    place: Place,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "Examples:
  tower-analytics stats --data /var/lib/analytics
  tower-analytics stats --json | jq .hits

It works beside a service that records, and without one. Caps are those of whoever records there, or did last.";

impl Stats {
    pub(super) fn run(self) -> Result<(), Error> {
        let settings = self.place.settings()?;
        let stored = self.place.reports()?.stored()?.into_inner();
        if self.json {
            return output::serialized(&stored);
        }
        let heard =
            stored.heartbeat.map_or_else(|| "never heard of a writer".to_owned(), |beat| format!("last heard of {}", words::ago(beat)));
        let recording = format!("{}, {heard}", if stored.recording { "yes" } else { "no" });
        let counters = &stored.counters;
        for (name, value) in [
            ("Directory", settings.data()?.display().to_string()),
            ("Recording", recording),
            ("Users", words::number(stored.users)),
            ("Visitors", words::number(stored.visitors)),
            ("Sessions", words::number(stored.sessions)),
            ("Hits", words::number(stored.hits)),
            ("Errors", words::number(stored.errors)),
            ("First hit", words::moment(stored.first)),
            ("Last hit", words::moment(stored.last)),
            ("Months", format!("{} in {} parts", stored.months, stored.parts)),
            ("Zone", stored.time_zone.clone()),
            ("On disk", format!("{} in {} files", words::bytes(stored.bytes), stored.files.len())),
            ("Written", format!("{} since the last writer began", words::number(counters.written))),
            ("Dropped", dropped(&stored)),
        ] {
            output::line(output::printable(&format!("{name:11}{value}")))?;
        }
        output::line("")?;
        let row = |dictionary: &Dictionary| {
            let Dictionary { name, entries, cap, other_hits } = dictionary;
            vec![(*name).to_owned(), words::number(*entries), words::number(*cap), words::number(*other_hits)]
        };
        let rows: Vec<_> = stored.dictionaries.iter().map(row).collect();
        words::table(&["Dictionary", "entries", "cap", "hits past it"], &[false, true, true, true], &rows)?;
        output::line("")?;
        let rows: Vec<_> = stored.files.iter().map(|file| vec![file.name.clone(), words::bytes(file.bytes)]).collect();
        words::table(&["File", "size"], &[false, true], &rows)
    }
}

fn dropped(stored: &Stored) -> String {
    let by_cause = stored.counters.by_cause();
    let causes: Vec<String> = by_cause.iter().filter(|(_, hits)| *hits > 0).map(|(cause, hits)| format!("{hits} {cause}")).collect();
    if causes.is_empty() { "none".to_owned() } else { format!("{} ({})", words::number(stored.counters.dropped()), causes.join(", ")) }
}

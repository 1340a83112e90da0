use std::io::{BufRead, IsTerminal, stdin};

use clap::Args;
use serde_json::json;

use super::{
    archive,
    at_work::at_work,
    failed, output,
    place::Place,
    words::{bytes, hits},
};
use crate::{
    aging::RetentionRules,
    error::{Error, ErrorKind},
    report::{Expiring, Reports},
};

/// Show what the settings would remove of old months, and remove it.
///
/// The rules are those of [retention] in the settings file; without one, those of the service that records in the directory, which does the
/// same by itself once a day.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Retention {
    #[command(flatten)]
    place: Place,
    /// Only show it
    #[arg(long)]
    dry_run: bool,
    /// Do not ask before it is done
    #[arg(long)]
    yes: bool,
    /// Print as JSON what was done, or with --dry-run what would be
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "Examples:
  tower-analytics retention --dry-run
  tower-analytics retention --config /etc/tower-analytics.toml --yes

Settings:
  [retention]
  archive_after = \"90d\"            raw hits are compressed and put away, their counts stay
  drop_raw_after = \"13 months\"     raw hits are deleted, their counts stay
  drop_all_after = \"5 years\"       everything of the month is deleted";

impl Retention {
    pub(super) fn run(self) -> Result<(), Error> {
        let settings = self.place.settings()?;
        let reports = Reports::open(settings.data()?)?;
        let own = Some(&settings.config.retention).filter(|rules| !rules.is_empty());
        let expiring = reports.expiring(own)?.into_inner();
        if expiring.rules.is_empty() {
            let message = "no rule says what becomes of old months: add [retention] to the settings and say --config, see `tower-analytics help retention`";
            return Err(Error::new(ErrorKind::Config, message));
        }
        if self.dry_run {
            return if self.json { output::json(&json!(expiring)) } else { show(&expiring) };
        }
        if !expiring.parts.is_empty() && !self.yes {
            confirm(&expiring)?;
        }
        self.remove(&expiring.rules)
    }

    fn remove(&self, rules: &RetentionRules) -> Result<(), Error> {
        let done = at_work(&self.place, |maintenance, progress| maintenance.retention(rules, progress))?;
        match self.json {
            true => output::json(&json!(done))?,
            false if done.parts.is_empty() => output::line("No month is old enough: nothing was done.")?,
            false => archive::say(&done)?,
        }
        failed::none(&done.failed)
    }
}

fn show(expiring: &Expiring) -> Result<(), Error> {
    if expiring.parts.is_empty() {
        return output::line("No month is old enough: nothing would be done.");
    }
    lines(expiring).iter().try_for_each(output::line)
}

fn lines(expiring: &Expiring) -> Vec<String> {
    let line = |(file, count, size, what): (&str, u64, u64, &str)| format!("{file}  {}, {}: {what}", hits(count), bytes(size));
    let all = expiring.parts.iter();
    let total = (all.clone().map(|part| part.hits).sum(), all.clone().map(|part| part.bytes).sum());
    let parts = all.map(|part| line((&part.file, part.hits, part.bytes, &format!("to be {}", part.what))));
    parts.chain([format!("All in all {}, {}", hits(total.0), bytes(total.1))]).collect()
}

/// What is deleted does not come back: somebody must mean it.
fn confirm(expiring: &Expiring) -> Result<(), Error> {
    if !stdin().is_terminal() {
        output::note("note: type yes, or say --yes in a script");
    }
    lines(expiring).iter().for_each(output::note);
    output::note("Do this now? Type yes: ");
    let mut answer = String::new();
    let read = stdin().lock().read_line(&mut answer);
    read.map_err(|error| Error::new(ErrorKind::Question, "the answer cannot be read: say --yes").with_source(error))?;
    match answer.trim() {
        "yes" => Ok(()),
        _ => Err(Error::new(ErrorKind::Cancelled, "nothing was done: it goes on with yes alone, or with --yes")),
    }
}

use clap::Args;
use serde_json::json;

use crate::{
    cli::{at_work::at_work, output, place::Place},
    error::Error,
};

/// Count two ids as one person from now on, in all that was ever recorded.
///
/// What counted as FROM counts as INTO. It cannot be taken back.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Merge {
    /// The id that is given up
    from: String,
    /// The id that stays
    into: String,
    #[command(flatten)]
    place: Place,
    /// Print both as JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "Examples:
  tower-analytics user merge guest-8812 4711
  tower-analytics user merge ann ann@example.com --data /srv/analytics --json";

impl Merge {
    pub(super) fn run(self) -> Result<(), Error> {
        at_work(&self.place, |maintenance, _| maintenance.merge_users(&self.from, &self.into))?;
        if self.json {
            return output::json(&json!({ "from": self.from, "into": self.into }));
        }
        let [from, into] = [&self.from, &self.into].map(|id| output::printable(id));
        output::line(format!("{from} counts as {into} from now on."))
    }
}

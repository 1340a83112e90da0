use clap::Args;
use serde_json::json;

use super::note_no_admin;
use crate::{
    cli::{output, place::Place},
    error::Error,
};

/// Remove a user, sessions and all. What was recorded of the same name in an app stays.
#[derive(Args, Clone, Debug)]
pub(super) struct Remove {
    /// Whom
    name: String,
    #[command(flatten)]
    place: Place,
    /// Print the name as JSON
    #[arg(long)]
    json: bool,
}

impl Remove {
    pub(super) fn run(self) -> Result<(), Error> {
        let access = self.place.open()?;
        access.remove_user(&self.name)?;
        note_no_admin(&access)?;
        if self.json {
            output::json(&json!({"removed": self.name}))
        } else {
            output::line(format!("Removed {}.", output::printable(&self.name)))
        }
    }
}

use clap::Args;

use super::{note_no_admin, say};
use crate::{
    cli::{output, place::Place},
    error::Error,
};

/// Keep a user out without removing anything. It ends the user's sessions.
#[derive(Args, Clone, Debug)]
pub(super) struct Disable {
    #[command(flatten)]
    whom: Whom,
}

/// Let a user in again who was disabled.
#[derive(Args, Clone, Debug)]
pub(super) struct Enable {
    #[command(flatten)]
    whom: Whom,
}

#[derive(Args, Clone, Debug)]
struct Whom {
    /// Whom
    name: String,
    #[command(flatten)]
    place: Place,
    /// Print the user as JSON
    #[arg(long)]
    json: bool,
}

impl Disable {
    pub(super) fn run(self) -> Result<(), Error> {
        self.whom.set(true, "may not sign in any more")
    }
}

impl Enable {
    pub(super) fn run(self) -> Result<(), Error> {
        self.whom.set(false, "may sign in")
    }
}

impl Whom {
    fn set(&self, disabled: bool, what: &str) -> Result<(), Error> {
        let access = self.place.open()?;
        access.set_disabled(&self.name, disabled)?;
        note_no_admin(&access)?;
        say(&access, &self.name, self.json, &format!("{} {what}.", output::printable(&self.name)))
    }
}

use clap::Args;

use super::{borrowed, note_no_admin, note_unknown, say};
use crate::{
    cli::{output, place::Place},
    error::Error,
};

/// Give a user other roles, in place of all that were. It ends the user's sessions.
#[derive(Args, Clone, Debug)]
pub(super) struct SetRole {
    /// Whom
    name: String,
    /// admin, mod, or one that policies of yours ask for; may be said several times
    #[arg(long = "role", value_name = "ROLE", required = true)]
    roles: Vec<String>,
    #[command(flatten)]
    place: Place,
    /// Print the user as JSON
    #[arg(long)]
    json: bool,
}

impl SetRole {
    pub(super) fn run(self) -> Result<(), Error> {
        let access = self.place.open()?;
        access.set_roles(&self.name, &borrowed(&self.roles))?;
        note_unknown(&self.roles);
        note_no_admin(&access)?;
        say(&access, &self.name, self.json, &format!("{} has the role {} now.", output::printable(&self.name), self.roles.join(", ")))
    }
}

use clap::Args;
use serde_json::Value;

use super::as_json;
use crate::{
    cli::{output, place::Place},
    error::Error,
};

/// List those who may sign in, with their roles.
#[derive(Args, Clone, Debug)]
pub(super) struct List {
    #[command(flatten)]
    place: Place,
    /// Print a list of users as JSON
    #[arg(long)]
    json: bool,
}

impl List {
    pub(super) fn run(self) -> Result<(), Error> {
        let users = self.place.open()?.users()?;
        if self.json {
            return output::json(&Value::Array(users.iter().map(as_json).collect()));
        }
        let names: Vec<String> = users.iter().map(|user| output::printable(&user.name)).collect();
        let width = names.iter().map(|name| name.chars().count()).max().unwrap_or_default();
        for (name, user) in names.iter().zip(&users) {
            let disabled = if user.is_disabled { "  (disabled)" } else { "" };
            output::line(format!("{name:width$}  {}{disabled}", user.roles.join(", ")))?;
        }
        Ok(())
    }
}

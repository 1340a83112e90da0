use clap::Args;
use serde_json::json;

use super::{as_json, borrowed, note_unknown};
use crate::{
    auth::Passwords,
    cli::{output, password::PasswordFrom, place::Place},
    error::{Error, ErrorKind},
};

/// Add a user. The password is asked for, or is the first line of the standard input.
#[derive(Args, Clone, Debug)]
pub(super) struct Add {
    /// The name to sign in with, exactly
    name: String,
    /// admin, mod, or one that policies of yours ask for; may be said several times [default: mod, and admin for the first user]
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    #[command(flatten)]
    password: PasswordFrom,
    #[command(flatten)]
    place: Place,
    /// Print the user as JSON
    #[arg(long)]
    json: bool,
}

impl Add {
    pub(super) fn run(self) -> Result<(), Error> {
        let Self { name, mut roles, .. } = self;
        // Looked at before a password is typed in vain, and made only once there is something to keep.
        let known = self.place.open_if_there()?.map_or_else(|| Ok(Vec::new()), |access| access.users())?;
        if known.iter().any(|user| user.name == name) {
            let message = format!("there is a user {name:?} already: `tower-analytics user passwd` gives another password");
            return Err(Error::new(ErrorKind::Question, message));
        }
        let is_first = known.is_empty();
        if roles.is_empty() {
            roles = vec![if is_first { "admin" } else { "mod" }.to_owned()];
        }
        let given = self.password.read(&name)?;
        let hash = Passwords::new()?.hash(&given.password)?;
        let access = self.place.open_or_make()?;
        access.add_user(&name, &hash, &borrowed(&roles))?;
        note_unknown(&roles);
        let added = access.user(&name)?.ok_or_else(|| Error::new(ErrorKind::Question, "the user was removed meanwhile"))?;
        if self.json {
            let mut user = as_json(&added);
            user["first"] = json!(is_first);
            if let Some(password) = &given.generated {
                user["password"] = json!(password.as_str());
            }
            return output::json(&user);
        }
        let first = if is_first { format!(", the first user of {}", self.place.settings()?.data()?.display()) } else { String::new() };
        output::line(format!("Added {}{first}, with the role {}.", output::printable(&name), added.roles.join(", ")))?;
        given.generated.map_or(Ok(()), |password| output::line(format!("Password: {}", password.as_str())))
    }
}

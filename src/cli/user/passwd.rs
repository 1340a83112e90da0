use clap::Args;
use serde_json::json;

use super::{as_json, say};
use crate::{
    auth::Passwords,
    cli::{output, password::PasswordFrom, place::Place},
    error::{Error, ErrorKind},
};

/// Give a user another password. It ends the user's sessions.
#[derive(Args, Clone, Debug)]
pub(super) struct Passwd {
    /// Whose
    name: String,
    #[command(flatten)]
    password: PasswordFrom,
    #[command(flatten)]
    place: Place,
    /// Print the user as JSON
    #[arg(long)]
    json: bool,
}

impl Passwd {
    pub(super) fn run(self) -> Result<(), Error> {
        let name = &self.name;
        let access = self.place.open()?;
        let Some(user) = access.user(name)? else {
            return Err(Error::new(ErrorKind::Question, "there is no user of this name: see `tower-analytics user list`"));
        };
        let given = self.password.read(name)?;
        access.set_password(name, &Passwords::new()?.hash(&given.password)?)?;
        let Some(password) = given.generated else {
            return say(&access, name, self.json, &format!("The password of {} is changed.", output::printable(name)));
        };
        if self.json {
            let mut user = as_json(&user);
            user["password"] = json!(password.as_str());
            return output::json(&user);
        }
        output::line(format!("Password: {}", password.as_str()))
    }
}

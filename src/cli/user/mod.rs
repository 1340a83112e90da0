//! `user`: who may sign in; and, apart from them, people who were recorded (`export`, `forget`, `merge`). What is changed holds at once,
//! also for servers that run; each command but `add` and `list` ends the sessions of whom it is about.

mod add;
mod disable;
mod export;
mod forget;
mod list;
mod merge;
mod passwd;
mod remove;
mod role;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::output;
use crate::{
    auth::{AccessDb, Account},
    error::{Error, ErrorKind},
};

/// Those who may sign in, and people who were recorded.
///
/// add, passwd, role, disable, enable, remove and list are about those who may sign in here (access.db). export is about the people who
/// use your app, by the app's own ids (analytics.db).
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct User {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "Examples:
  tower-analytics user add ann                                 asks for the password twice
  tower-analytics user add ann --role admin < password.txt     takes it from the first line
  tower-analytics user add ann --generate --data /srv/stats    makes one and prints it
  tower-analytics user list --json
  tower-analytics user export 4711 > person.json               all that was recorded about a person";

#[derive(Clone, Debug, Subcommand)]
enum Command {
    Add(add::Add),
    Passwd(passwd::Passwd),
    Remove(remove::Remove),
    List(list::List),
    Role(role::SetRole),
    Disable(disable::Disable),
    Enable(disable::Enable),
    Export(export::Export),
    Forget(forget::Forget),
    Merge(merge::Merge),
}

impl User {
    pub(super) fn run(self) -> Result<(), Error> {
        match self.command {
            Command::Add(add) => add.run(),
            Command::Passwd(passwd) => passwd.run(),
            Command::Remove(remove) => remove.run(),
            Command::List(list) => list.run(),
            Command::Role(role) => role.run(),
            Command::Disable(disable) => disable.run(),
            Command::Enable(enable) => enable.run(),
            Command::Export(export) => export.run(),
            Command::Forget(forget) => forget.run(),
            Command::Merge(merge) => merge.run(),
        }
    }
}

/// A user as programs read it. Never the hash.
fn as_json(user: &Account) -> Value {
    json!({"name": user.name, "roles": user.roles, "disabled": user.is_disabled})
}

/// Says what became of a user, in words or for a program.
fn say(access: &AccessDb, name: &str, json: bool, words: &str) -> Result<(), Error> {
    if !json {
        return output::line(words);
    }
    let gone = || Error::new(ErrorKind::Question, "the user was removed meanwhile");
    output::json(&as_json(&access.user(name)?.ok_or_else(gone)?))
}

fn borrowed(roles: &[String]) -> Vec<&str> {
    roles.iter().map(String::as_str).collect()
}

/// A misspelt role opens nothing, and nobody would notice.
fn note_unknown(roles: &[String]) {
    if !roles.iter().any(|role| role == "admin" || role == "mod") {
        output::note(
            "note: none of these roles is admin or mod, so the pages stay closed; they count where your own policies ask for them",
        );
    }
}

/// After a change that may have taken the last one away.
fn note_no_admin(access: &AccessDb) -> Result<(), Error> {
    let is_admin = |user: &Account| !user.is_disabled && user.roles.iter().any(|role| role == "admin");
    if !access.users()?.iter().any(is_admin) {
        output::note("note: nobody is an admin now; `tower-analytics user role NAME --role admin` makes one");
    }
    Ok(())
}

//! `token`: made, looked at, revoked.

mod check;
mod claims;
mod issue;
mod reasons;
mod revocations;
mod revoke;
mod source;
mod time;
mod unrevoke;

use std::io::{self, IsTerminal, Read};

use clap::{Args, Subcommand};
use zeroize::Zeroizing;

use super::output;
use crate::error::{Error, ErrorKind};

/// Issue, check and revoke tokens.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Token {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "Examples:
  tower-analytics token issue --for ann --role mod --expires 12h --config settings.toml > token
  tower-analytics token check --config settings.toml < token
  tower-analytics token revoke --config settings.toml < token
  tower-analytics token revocations --data analytics-data";

#[derive(Clone, Debug, Subcommand)]
enum Command {
    Issue(issue::Issue),
    Check(check::Check),
    Revoke(revoke::Revoke),
    Revocations(revocations::Revocations),
    Unrevoke(unrevoke::Unrevoke),
}

impl Token {
    pub(super) fn run(self) -> Result<(), Error> {
        match self.command {
            Command::Issue(issue) => issue.run(),
            Command::Check(check) => check.run(),
            Command::Revoke(revoke) => revoke.run(),
            Command::Revocations(revocations) => revocations.run(),
            Command::Unrevoke(unrevoke) => unrevoke.run(),
        }
    }
}

/// More than any settings take.
const LONGEST: u64 = 1 << 20;

/// A token from the standard input, as people copy them: with blanks around it, or after `Bearer`.
fn from_stdin() -> Result<Zeroizing<String>, Error> {
    if io::stdin().is_terminal() {
        output::note("Paste the token, then Enter and Ctrl-D:");
    }
    let mut text = Zeroizing::new(String::new());
    let cannot = |error| Error::new(ErrorKind::Question, "the standard input cannot be read, or is no text").with_source(error);
    io::stdin().lock().take(LONGEST).read_to_string(&mut text).map_err(cannot)?;
    match bare(&text) {
        "" => Err(Error::new(ErrorKind::Question, "there is no token on the standard input")),
        token => Ok(Zeroizing::new(token.to_owned())),
    }
}

fn bare(text: &str) -> &str {
    let text = text.trim_ascii();
    let scheme = text.get(..7).filter(|start| start.eq_ignore_ascii_case("bearer "));
    scheme.map_or(text, |scheme| text[scheme.len()..].trim_ascii())
}

fn wrong(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Question, message.into())
}

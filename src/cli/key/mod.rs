//! `key`: what tokens are signed with.

mod made;
mod new;

use clap::{Args, Subcommand};

use crate::error::Error;

/// Make keys that tokens are signed with.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Key {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "Examples:
  tower-analytics key new --out secret                        a shared secret, in a file that only you can read
  export ANALYTICS_JWT_SECRET=\"$(tower-analytics key new)\"    or in the environment
  tower-analytics key new --algorithm ES256 --out key.pem     a key pair: key.pem signs, key.pem.pub verifies";

#[derive(Clone, Debug, Subcommand)]
enum Command {
    New(new::New),
}

impl Key {
    pub(super) fn run(self) -> Result<(), Error> {
        match self.command {
            Command::New(new) => new.run(),
        }
    }
}

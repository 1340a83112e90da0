//! The `tower-analytics` program; one file a command.

mod at_work;
mod browser;
mod demo;
mod fault;
mod import;
mod key;
mod open_guard;
mod output;
mod password;
mod place;
mod progress;
mod reload;
mod reprocess;
pub mod serve;
mod settings;
mod settings_file;
mod token;
mod user;
mod verify_only;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Who uses your service, without sending data anywhere.
#[derive(Debug, Parser)]
#[command(name = "tower-analytics", version, after_help = EXAMPLES)]
struct Program {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "Examples:
  tower-analytics serve --data analytics-data
  tower-analytics user add ann
  tower-analytics key new --out secret
  tower-analytics token issue --for ann --role mod --secret-file secret
  tower-analytics help user";

#[derive(Debug, Subcommand)]
enum Command {
    Import(import::Import),
    Reprocess(reprocess::Reprocess),
    Serve(serve::Serve),
    User(user::User),
    Token(token::Token),
    Key(key::Key),
}

/// Runs the program with the process's arguments.
#[must_use]
pub fn main() -> ExitCode {
    match Program::parse().command {
        Command::Import(import) => fault::exit(import.run()),
        Command::Reprocess(reprocess) => fault::exit(reprocess.run()),
        Command::Serve(serve) => serve.run(),
        Command::User(user) => fault::exit(user.run()),
        Command::Token(token) => fault::exit(token.run()),
        Command::Key(key) => fault::exit(key.run()),
    }
}

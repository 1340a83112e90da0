//! The `tower-analytics` program; one file a command.

mod archive;
mod asked;
mod at_work;
mod backup;
mod browser;
mod demo;
mod doctor;
mod export;
mod failed;
mod fault;
mod import;
mod key;
mod open_guard;
mod output;
mod output_file;
mod parts;
mod password;
mod place;
mod progress;
mod reload;
mod reprocess;
mod reset;
mod restore;
mod retention;
pub mod serve;
mod settings;
mod settings_file;
mod stats;
mod stop;
mod token;
mod user;
mod vacuum;
mod verify;
mod verify_only;
mod words;

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
  tower-analytics doctor
  tower-analytics export sessions --days 30 > sessions.csv
  tower-analytics key new --out secret
  tower-analytics token issue --for ann --role mod --secret-file secret
  tower-analytics help user";

#[derive(Debug, Subcommand)]
enum Command {
    Import(import::Import),
    Archive(archive::Archive),
    Reprocess(reprocess::Reprocess),
    Restore(restore::Restore),
    Retention(retention::Retention),
    Serve(serve::Serve),
    User(user::User),
    Token(token::Token),
    Key(key::Key),
    Stats(stats::Stats),
    Parts(parts::Parts),
    Doctor(doctor::Doctor),
    Verify(verify::Verify),
    Export(export::Export),
    Backup(backup::Backup),
    Vacuum(vacuum::Vacuum),
    Reset(reset::Reset),
}

/// Runs the program with the process's arguments.
#[must_use]
pub fn main() -> ExitCode {
    match Program::parse().command {
        Command::Import(import) => fault::exit(import.run()),
        Command::Archive(archive) => fault::exit(archive.run()),
        Command::Reprocess(reprocess) => fault::exit(reprocess.run()),
        Command::Restore(restore) => fault::exit(restore.run()),
        Command::Retention(retention) => fault::exit(retention.run()),
        Command::Serve(serve) => serve.run(),
        Command::User(user) => fault::exit(user.run()),
        Command::Token(token) => fault::exit(token.run()),
        Command::Key(key) => fault::exit(key.run()),
        Command::Stats(stats) => fault::exit(stats.run()),
        Command::Parts(parts) => fault::exit(parts.run()),
        Command::Doctor(doctor) => fault::exit_with(doctor.run()),
        Command::Verify(verify) => fault::exit_with(verify.run()),
        Command::Export(export) => fault::exit(export.run()),
        Command::Backup(backup) => fault::exit(backup.run()),
        Command::Vacuum(vacuum) => fault::exit(vacuum.run()),
        Command::Reset(reset) => fault::exit(reset.run()),
    }
}

use std::io::{self, BufRead, Write};

use clap::Args;
use serde_json::json;

use super::{at_work::at_work, output, place::Place, words::bytes};
use crate::error::{Error, ErrorKind};

/// Delete everything that was recorded, after you have typed the directory's name.
///
/// Archived months go with it, and what was imported. Who may sign in stays, and so do files of plugins and backups. Where a service records
/// in the directory, it does the work and goes on recording from nothing.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Reset {
    #[command(flatten)]
    place: Place,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Those who may sign in, their sessions and revoked tokens, too
    #[arg(long)]
    sign_in_too: bool,
    /// Print what was deleted as JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "Examples:
  tower-analytics reset                            asks for the name of the directory, here analytics-data
  tower-analytics reset --data /srv/analytics --yes --json";

impl Reset {
    pub(super) fn run(self) -> Result<(), Error> {
        if !self.yes {
            self.ask()?;
        }
        let done = at_work(&self.place, |maintenance, _| maintenance.reset())?;
        if self.sign_in_too
            && let Some(access) = self.place.open_if_there()?
        {
            access.clear()?;
        }
        if self.json {
            return output::json(&json!({ "files": done.files, "bytes": done.bytes, "sign_in": self.sign_in_too }));
        }
        output::line(format!("Deleted {} files of raw hits and all that followed from them, {}.", done.files, bytes(done.bytes)))
    }

    /// The name is the last of its path: whoever types it has looked where the work is to be done.
    fn ask(&self) -> Result<(), Error> {
        let settings = self.place.settings()?;
        let data = settings.data()?;
        let whole = data.canonicalize().map_err(|error| {
            let message = format!("there is no directory {}: check --data", data.display());
            Error::new(ErrorKind::Directory, message).with_source(error)
        })?;
        let name = whole.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut err = io::stderr().lock();
        drop(write!(err, "This deletes everything that was recorded in {}. To go on, type {name}: ", whole.display()));
        drop(err.flush());
        let mut typed = String::new();
        io::stdin().lock().read_line(&mut typed)?;
        if typed.trim_end_matches(['\r', '\n']) == name {
            return Ok(());
        }
        let message = format!("nothing was deleted: {name} is what was to be typed; scripts say --yes");
        Err(Error::new(ErrorKind::Question, message))
    }
}

//! `import`: what was recorded elsewhere.

mod access_log;
mod legacy;
mod said;

use clap::{Args, Subcommand};

use super::{
    at_work::{at_work_anew, look_ahead},
    place::Place,
};
use crate::{error::Error, import::Asked};

/// Store what was recorded elsewhere, as if it had been recorded here.
///
/// Everything is read and checked first, and seen all at once at the end: an import that fails leaves nothing behind. Where a
/// service records in the directory, it does the work, between batches. What was imported before is known again.
#[derive(Args, Clone, Debug)]
pub(super) struct Import {
    #[command(subcommand)]
    what: What,
}

#[derive(Clone, Debug, Subcommand)]
enum What {
    AccessLog(access_log::AccessLog),
    Legacy(legacy::Legacy),
}

/// What all imports are asked in.
#[derive(Args, Clone, Debug)]
struct How {
    #[command(flatten)]
    place: Place,
    /// Read and check everything, say what would come of it, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Print what came of it as JSON
    #[arg(long)]
    json: bool,
}

impl How {
    fn run(self, asked: Asked) -> Result<(), Error> {
        let report = match self.dry_run {
            true => look_ahead(&self.place, |setting, directory, progress| asked.absolute()?.check(setting, directory, progress))?,
            false => at_work_anew(&self.place, |maintenance, progress| maintenance.import(asked, progress))?,
        };
        said::say(&report, self.dry_run, self.json)
    }
}

impl Import {
    pub(super) fn run(self) -> Result<(), Error> {
        match self.what {
            What::AccessLog(log) => log.run(),
            What::Legacy(legacy) => legacy.run(),
        }
    }
}

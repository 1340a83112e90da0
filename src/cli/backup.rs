use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{output, place::Place, progress::Progress, words};
use crate::error::{Error, ErrorKind};

/// Copy the data directory as it is at one moment, also while a service records in it.
///
/// The copy is a data directory itself: to restore it, stop the service and put the copy in the place of the directory. It holds who may
/// sign in and is as secret as the directory. Months that were put away come with it, wherever they lie, and each is read as if it were to be
/// restored; if one is not there or damaged, the rest is copied and the exit code is 1. Until it is whole it is called DIR.partial.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Backup {
    /// Where to; not there yet, or empty
    #[arg(value_name = "DIR")]
    to: PathBuf,
    #[command(flatten)]
    place: Place,
    /// Leave out months that were put away: their archives are looked after otherwise
    #[arg(long)]
    without_archives: bool,
    /// Print what is in the copy as JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "Examples:
  tower-analytics backup /var/backups/analytics-monday
  tower-analytics backup --data /srv/analytics \"/mnt/usb/$(date -u +%Y%m%dT%H%M%SZ)\" --json
  tower-analytics backup /var/backups/analytics-small --without-archives";

impl Backup {
    pub(super) fn run(self) -> Result<(), Error> {
        let bar = Progress::new("Copying", self.json);
        let (reports, tell) = (self.place.reports()?, |done, total| bar.tell(done, total));
        let backup = match self.without_archives {
            true => reports.backup_without_archives(&self.to, tell)?,
            false => reports.backup(&self.to, tell)?,
        };
        drop(bar);
        if backup.replaced {
            output::note("note: an earlier backup to this place that was broken off is deleted");
        }
        if !backup.without_raw.is_empty() {
            let months = backup.without_raw.join(", ");
            output::note(format!("note: the raw hits of {months} are not there to be copied; what was counted of them is in the copy"));
        }
        if self.json {
            let files = json!(backup.files);
            output::json(&json!({
                "directory": backup.directory, "taken": backup.taken, "bytes": backup.bytes(), "files": files,
                "without_raw": backup.without_raw, "faults": backup.faults, "replaced": backup.replaced,
            }))?;
        } else {
            let (files, bytes) = (backup.files.len(), words::bytes(backup.bytes()));
            let copied =
                format!("Copied {files} files, {bytes}, to {}: all that was stored at {}.", backup.directory.display(), backup.taken);
            output::line(copied)?;
        }
        match backup.faults.is_empty() {
            true => Ok(()),
            false => Err(Error::new(ErrorKind::NoRaw, format!("not all archives are in the copy: {}", backup.faults.join("; ")))),
        }
    }
}

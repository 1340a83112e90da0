use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{output, place::Place, progress::Progress, words};
use crate::error::Error;

/// Copy the data directory as it is at one moment, also while a service records in it.
///
/// The copy is a data directory itself: to restore it, stop the service and put the copy in the place of the directory. It holds who may
/// sign in and is as secret as the directory. Until it is whole it is called DIR.partial.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Backup {
    /// Where to; not there yet, or empty
    #[arg(value_name = "DIR")]
    to: PathBuf,
    #[command(flatten)]
    place: Place,
    /// Print what is in the copy as JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "Examples:
  tower-analytics backup /var/backups/analytics-monday
  tower-analytics backup --data /srv/analytics \"/mnt/usb/$(date -u +%Y%m%dT%H%M%SZ)\" --json";

impl Backup {
    pub(super) fn run(self) -> Result<(), Error> {
        let bar = Progress::new("Copying", self.json);
        let backup = self.place.reports()?.backup(&self.to, |done, total| bar.tell(done, total))?;
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
            return output::json(&json!({
                "directory": backup.directory, "taken": backup.taken, "bytes": backup.bytes(), "files": files,
                "without_raw": backup.without_raw, "replaced": backup.replaced,
            }));
        }
        let (files, bytes) = (backup.files.len(), words::bytes(backup.bytes()));
        output::line(format!("Copied {files} files, {bytes}, to {}: all that was stored at {}.", backup.directory.display(), backup.taken))
    }
}

use std::path::Path;

use clap::Args;
use serde_json::json;

use crate::{
    auth::Revocation,
    cli::{at_work::at_work, output, place::Place},
    error::{Error, ErrorKind},
    report,
};

/// Erase who somebody was, for ever, from everything that was recorded.
///
/// The id with all ids that were merged with it, their names, error texts, routes and devices that hold one of them: afterwards no file of
/// the directory has any of it, free pages and logs of SQLite included. What was counted stays true under a number without a name. What is
/// recorded of the same id later is somebody new. Where a service records in the directory, it does the work.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Forget {
    /// The id as the app says it
    id: String,
    #[command(flatten)]
    place: Place,
    /// Remove the sign-in of the same name, too
    #[arg(long)]
    sign_in: bool,
    /// Print what was found as JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "Examples:
  tower-analytics user forget 4711
  tower-analytics user forget ann@example.com --sign-in --data /srv/analytics";

impl Forget {
    pub(super) fn run(self) -> Result<(), Error> {
        let found = at_work(&self.place, |maintenance, progress| maintenance.forget_user(&self.id, progress))?;
        let removed = self.sign_in()?;
        let settings = self.place.settings()?;
        let backups = report::backups_beside(settings.data()?);
        if found.ids == 0 && found.texts == 0 && !removed {
            let message = "nobody has this id, and no text holds it: look how the app says it (`tower-analytics export users`); \
                           what an earlier run may have left in the files is erased";
            return Err(Error::new(ErrorKind::Question, message));
        }
        note_not_covered(settings.data()?, &backups);
        if self.json {
            let backups: Vec<_> = backups.iter().map(|backup| backup.display().to_string()).collect();
            return output::json(&json!({
                "ids": found.ids, "texts": found.texts, "keys": found.keys, "sign_in_removed": removed, "backups": backups,
            }));
        }
        let ids = if found.ids == 1 { "1 id".to_owned() } else { format!("{} ids", found.ids) };
        output::line(format!("Forgotten: {ids}, {} texts that held one, keys of {} sessions.", found.texts, found.keys))
    }

    /// Whether one was removed.
    fn sign_in(&self) -> Result<bool, Error> {
        let Some(access) = self.place.open_if_there()? else { return Ok(false) };
        let has_one = access.user(&self.id)?.is_some();
        if has_one && !self.sign_in {
            output::note("note: somebody signs in by this name, which stays: --sign-in removes that, too");
        }
        if has_one && self.sign_in {
            access.remove_user(&self.id)?;
            super::note_no_admin(&access)?;
        }
        if self.sign_in {
            // Also what a removal before this one has left.
            access.compact()?;
            let is_theirs = |revoked: &Revocation| matches!(revoked, Revocation::Subject { subject, .. } if *subject == self.id);
            if access.revocations()?.iter().any(is_theirs) {
                output::note(
                    "note: tokens of this subject are revoked, and the name stands there until `tower-analytics token unrevoke`: without it \
                     tokens that were issued would be good again",
                );
            }
        }
        Ok(has_one && self.sign_in)
    }
}

fn note_not_covered(data: &Path, backups: &[std::path::PathBuf]) {
    output::note(
        "note: not covered are backups, files that plugins keep, logs of the service and of the web server, and the app's own data",
    );
    for backup in backups {
        output::note(format!("  a backup with the person in it, perhaps: {}", backup.display()));
    }
    if data.join("archive").exists() {
        output::note("  archived months hold numbers alone, and hashes of what sessions were grouped by");
    }
}

use std::path::PathBuf;

use clap::Args;

use crate::{
    cli::{export::PATIENCE, output_file, place::Place},
    error::{Error, ErrorKind},
};

/// Everything that was recorded about one person, as a JSON document.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Export {
    /// The app's own id of the person; ids that were merged are one person
    id: String,
    /// Where to write it [default: the standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
}

const EXAMPLES: &str = "Examples:
  tower-analytics user export ann > ann.json
  tower-analytics user export 100000000000000001 --data /var/lib/analytics --out person.json

In it: ids and name, when first and last seen, sums, days, platforms, features, devices, each session with each hit, the texts of errors.
Not in it: an account of the sign-in (see `tower-analytics user list`), and what lies in backups.";

impl Export {
    pub(super) fn run(self) -> Result<(), Error> {
        let reports = self.place.reports()?.time_limit(PATIENCE);
        output_file::write(self.out.as_deref(), |out| match reports.export_user(&self.id, out)? {
            true => Ok(()),
            false => {
                let message = format!(
                    "nobody with the id {:?} was recorded: it is the app's own id that counts, and `tower-analytics export users` lists them",
                    self.id
                );
                Err(Error::new(ErrorKind::Question, message))
            }
        })?;
        output_file::say(self.out.as_deref(), false, "Everything about this person is");
        Ok(())
    }
}

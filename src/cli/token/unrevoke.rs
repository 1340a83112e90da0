use clap::Args;

use super::{
    revocations::{as_json, line},
    wrong,
};
use crate::{
    auth::{HEEDED_WITHIN, Revocation},
    cli::{output, place::Place},
    error::Error,
};

/// Take a revocation back: what it voided is good again, if it has not expired.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example: tower-analytics token unrevoke --id 4Xk9 --data analytics-data")]
pub(super) struct Unrevoke {
    /// The id (jti) of the token
    #[arg(long, value_name = "JTI", allow_hyphen_values = true, required_unless_present = "subject")]
    id: Option<String>,
    /// The subject (sub) whose tokens were revoked
    #[arg(long, value_name = "SUB", allow_hyphen_values = true, conflicts_with = "id")]
    subject: Option<String>,
    /// By whom the token is, if several of that name are listed
    #[arg(long, value_name = "ISS")]
    issuer: Option<String>,
    #[command(flatten)]
    place: Place,
    /// Print the entry as JSON
    #[arg(long)]
    json: bool,
}

impl Unrevoke {
    pub(super) fn run(self) -> Result<(), Error> {
        let access = self.place.open()?;
        let meant: Vec<Revocation> = access.revocations()?.into_iter().filter(|entry| self.is_meant(entry)).collect();
        match &*meant {
            [] => Err(wrong("there is no such revocation: see `tower-analytics token revocations`")),
            [entry] => {
                access.unrevoke(entry)?;
                std::thread::sleep(HEEDED_WITHIN);
                if self.json { output::json(&as_json(entry)) } else { output::line(format!("Taken back: {}.", line(entry))) }
            }
            _ => Err(wrong("several issuers have one of that name: choose with --issuer, see `tower-analytics token revocations`")),
        }
    }

    fn is_meant(&self, entry: &Revocation) -> bool {
        let (issuer, is_named) = match entry {
            Revocation::Token { issuer, id, .. } => (issuer, self.id.as_ref() == Some(id)),
            Revocation::Subject { issuer, subject, .. } => (issuer, self.subject.as_ref() == Some(subject)),
        };
        is_named && self.issuer.as_ref().is_none_or(|named| named == issuer)
    }
}

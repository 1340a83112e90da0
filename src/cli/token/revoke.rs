use std::path::PathBuf;

use clap::Args;

use super::{
    from_stdin,
    reasons::words,
    revocations::{as_json, line},
    source::{Source, pick},
    wrong,
};
use crate::{
    auth::{AccessDb, Auth, FOR_EVER, HEEDED_WITHIN, Reason, Revocation, Seconds},
    cli::{output, place::Place, settings::Settings},
    clock::Clock,
    error::Error,
};

/// Void a token, or all tokens that a subject has. Servers on the data directory refuse them once this command is done.
///
/// Without --id and --subject the token is read from the standard input.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Revoke {
    /// The id (jti) of the token
    #[arg(long, value_name = "JTI", allow_hyphen_values = true, conflicts_with = "subject")]
    id: Option<String>,
    /// All tokens of this subject (sub) that were issued up to now
    #[arg(long, value_name = "SUB", allow_hyphen_values = true)]
    subject: Option<String>,
    /// By whom the token is; said by the settings if they have one issuer. Without either it holds where any issuer is taken
    #[arg(long, value_name = "ISS")]
    issuer: Option<String>,
    #[command(flatten)]
    place: Place,
    /// The shared secret of a token on the standard input, if no settings have it
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// Print the revocation as JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "Examples:
  tower-analytics token revoke --config settings.toml < token
  tower-analytics token revoke --id 4Xk9 --issuer https://id.example.com --data analytics-data
  tower-analytics token revoke --subject ann --config settings.toml";

impl Revoke {
    pub(super) fn run(self) -> Result<(), Error> {
        let settings = self.place.settings()?;
        let access = self.place.open()?;
        let entry = match (&self.id, &self.subject) {
            (Some(id), _) => {
                let until = longest(&settings).unwrap_or(FOR_EVER);
                Revocation::Token { issuer: self.issuer(&settings)?, id: id.clone(), until }
            }
            (None, Some(subject)) => {
                let before = Clock::system().millis().div_euclid(1000) + 1;
                let until = longest(&settings);
                Revocation::Subject { issuer: self.issuer(&settings)?, subject: subject.clone(), before, until }
            }
            (None, None) => match self.read_token()? {
                Some(entry) => entry,
                None => return output::line("The token has expired already: there is nothing to revoke."),
            },
        };
        revoke(&access, &entry)?;
        // Servers look for changes so often: when we say it, it holds.
        std::thread::sleep(HEEDED_WITHIN);
        if self.json { output::json(&as_json(&entry)) } else { output::line(format!("Revoked: {}.", line(&entry))) }
    }

    /// A token that is not good needs no revocation, and what it says of itself proves nothing.
    fn read_token(&self) -> Result<Option<Revocation>, Error> {
        let auth = self.auth()?;
        let token = from_stdin()?;
        let who = match auth.verify(&token) {
            Ok(who) => who,
            Err(Reason::Exp) => return Ok(None),
            Err(reason) => {
                let (what, advice) = words(reason, &auth, &token);
                return Err(wrong(format!("the token is not good anyway: {what}. What to do: {advice} ({reason})")));
            }
        };
        let no_id = || wrong("the token has no id (jti) to be revoked by: revoke all of its subject's with --subject, or replace the key");
        let id = who.token_id().ok_or_else(no_id)?.to_owned();
        let until = auth.config().revoked_until_after(who.expires_s());
        Ok(Some(Revocation::Token { issuer: who.issuer().to_owned(), id, until }))
    }

    fn auth(&self) -> Result<Auth, Error> {
        let Self { issuer, secret_file, .. } = self.clone();
        // A file with settings that has no [auth] may still name the directory.
        let config = self.place.config.clone().filter(|_| secret_file.is_none());
        Source { config, secret_file, algorithm: None, issuer, audience: None }.auth_alone()
    }

    /// As servers with these settings call it: no name, where they take any.
    fn issuer(&self, settings: &Settings) -> Result<String, Error> {
        match &settings.config.auth {
            Some(auth) if !auth.issuer.is_empty() => pick(auth, self.issuer.as_deref()).map(|issuer| issuer.issuer.clone()),
            _ => Ok(self.issuer.clone().unwrap_or_else(|| {
                output::note(
                    "note: without --issuer or settings this holds only where any issuer is taken (`allow_any_issuer`, `Auth::hs256`)",
                );
                String::new()
            })),
        }
    }
}

/// When the last of the tokens ends by itself that servers with these settings take, if they bound that.
fn longest(settings: &Settings) -> Option<Seconds> {
    settings.config.auth.as_ref()?.revoked_until(Clock::system().millis().div_euclid(1000))
}

fn revoke(access: &AccessDb, entry: &Revocation) -> Result<(), Error> {
    match entry {
        Revocation::Token { issuer, id, until } => access.revoke_token(issuer, id, *until),
        Revocation::Subject { issuer, subject, until, .. } => access.revoke_subject(issuer, subject, *until),
    }
}

use clap::Args;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{
    bare, from_stdin,
    reasons::{claims_of, words},
    source::Source,
    time::{moment, rough},
    wrong,
};
use crate::{
    auth::{Auth, Identity},
    cli::output,
    error::Error,
};

/// Say whether a token is good, or why it is not and what to do. Exit code 0 or 1.
///
/// It is decided as a server with the same settings would, revocations of its data directory included.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Check {
    /// The token; better on the standard input: every user of this machine can read arguments
    token: Option<String>,
    #[command(flatten)]
    source: Source,
    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "Examples:
  tower-analytics token check --config settings.toml < token
  wl-paste | tower-analytics token check --secret-file secret --json";

impl Check {
    pub(super) fn run(self) -> Result<(), Error> {
        let auth = self.source.auth()?;
        let token = match self.token {
            Some(token) => Zeroizing::new(bare(&token).to_owned()),
            None => from_stdin()?,
        };
        match auth.verify(&token) {
            Ok(who) => good(&who, &token, &auth, self.json),
            Err(reason) => {
                let (what, advice) = words(reason, &auth, &token);
                if self.json {
                    output::json(&json!({"good": false, "reason": reason.code(), "what": what, "advice": advice}))?;
                }
                Err(wrong(format!("the token is not good: {what}. What to do: {advice} ({reason})")))
            }
        }
    }
}

fn good(who: &Identity, token: &str, auth: &Auth, json: bool) -> Result<(), Error> {
    let claims = Value::Object(claims_of(token));
    let expires = who.expires_s();
    if json {
        return output::json(&json!({
            "good": true, "issuer": who.issuer(), "subject": who.subject(), "name": who.name(), "roles": who.roles(),
            "id": who.token_id(), "expires": moment(expires), "claims": claims,
        }));
    }
    let roles = if who.roles().is_empty() { "no role".to_owned() } else { format!("the role {}", who.roles().join(", ")) };
    let subject = if who.subject().is_empty() { "nobody in particular" } else { who.subject() };
    output::line(format!("Good, for {} with {roles}.", output::printable(subject)))?;
    output::line(format!("It expires in {}, at {}.", rough((expires - auth.now_s()).max(0)), moment(expires)))?;
    output::line(output::printable(&format!("{claims:#}")))
}

use clap::Args;
use serde_json::{Value, json};

use super::time::{FOR_EVER, moment};
use crate::{
    auth::{Revocation, Seconds},
    cli::{output, place::Place},
    error::Error,
};

/// List what was revoked and still matters.
#[derive(Args, Clone, Debug)]
pub(super) struct Revocations {
    #[command(flatten)]
    place: Place,
    /// Print a list as JSON
    #[arg(long)]
    json: bool,
}

impl Revocations {
    pub(super) fn run(self) -> Result<(), Error> {
        let entries = self.place.open()?.revocations()?;
        if self.json {
            return output::json(&Value::Array(entries.iter().map(as_json).collect()));
        }
        entries.iter().try_for_each(|entry| output::line(line(entry)))
    }
}

pub(super) fn as_json(entry: &Revocation) -> Value {
    let ends = |until: &Seconds| (*until < FOR_EVER).then(|| moment(*until));
    match entry {
        Revocation::Token { issuer, id, until } => json!({"issuer": issuer, "id": id, "until": ends(until)}),
        Revocation::Subject { issuer, subject, before, until } => {
            json!({"issuer": issuer, "subject": subject, "issued_before": moment(*before), "until": until.as_ref().and_then(ends)})
        }
    }
}

pub(super) fn line(entry: &Revocation) -> String {
    let kept = |until: Seconds| if until < FOR_EVER { format!("kept until {}", moment(until)) } else { "kept for ever".to_owned() };
    let by = |issuer: &str| if issuer.is_empty() { "where any issuer is taken".to_owned() } else { format!("by {issuer}") };
    output::printable(&match entry {
        Revocation::Token { issuer, id, until } => format!("token {id} {}, {}", by(issuer), kept(*until)),
        Revocation::Subject { issuer, subject, before, until } => {
            let kept = kept(until.unwrap_or(FOR_EVER));
            format!("tokens for {subject} {}, issued before {}, {kept}", by(issuer), moment(*before))
        }
    })
}

use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use clap::Args;
use serde_json::json;

use super::{
    claims::Wanted,
    reasons::words,
    source::Source,
    time::{duration, moment},
    wrong,
};
use crate::{
    auth::{Auth, Identity, Issuer, Keys, Seconds, SigningKey},
    cli::output,
    error::Error,
};

/// Make a token, after a look at whether a server with the same settings would take it.
///
/// Signed with the secret of the settings, of the file or of the environment; or with a private key, whose public half the settings have.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Issue {
    /// Whom it is for: the subject
    #[arg(long = "for", value_name = "SUBJECT", allow_hyphen_values = true)]
    subject: String,
    /// admin, mod, or another role of the settings; may be said several times
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    /// How long it is good, such as 15m, 12h or 7d
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = duration)]
    expires: Seconds,
    /// A name for people
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    source: Source,
    /// A private key in PEM to sign with
    #[arg(long, value_name = "FILE", conflicts_with = "secret_file")]
    private_key: Option<PathBuf>,
    /// What its key is called, if that cannot be told from the settings
    #[arg(long)]
    kid: Option<String>,
    /// Print the token as JSON, with its id and what it says
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "Examples:
  tower-analytics token issue --for ann --role mod --expires 12h --config settings.toml > token
  tower-analytics token issue --for robot --role admin --expires 7d --secret-file secret
  tower-analytics token issue --for ann --role mod --private-key key.pem --config settings.toml";

impl Issue {
    pub(super) fn run(self) -> Result<(), Error> {
        let (auth, issuer, key) = self.signer()?;
        let wanted = Wanted {
            subject: &self.subject,
            name: self.name.as_deref(),
            roles: &self.roles,
            issuer: self.source.issuer.as_deref(),
            audience: self.source.audience.as_deref(),
            now: auth.now_s(),
            lifetime: self.expires,
        };
        let typ = &auth.config().typ;
        let typ = typ.iter().find(|typ| *typ == "JWT").or(typ.first()).map_or("JWT", String::as_str);
        let token = key.sign(typ, &wanted.claims(&issuer)?)?;
        let who = auth.verify(&token).map_err(|reason| {
            let (what, advice) = words(reason, &auth, &token);
            wrong(format!("no token was issued, because these settings would refuse it: {what}. What to do: {advice} ({reason})"))
        })?;
        self.say(&token, &who)
    }

    /// Who verifies, as whom to sign, and with what.
    fn signer(&self) -> Result<(Auth, Issuer, SigningKey), Error> {
        let source = &self.source;
        let kid = self.kid.as_deref();
        match (&self.private_key, &source.config) {
            (None, _) => {
                let auth = if source.secret_file.is_some() { source.of_secret_file(&self.roles)? } else { source.auth()? };
                let issuer = source.pick(auth.config())?.clone();
                let key = SigningKey::secret(&issuer, kid)?;
                Ok((auth, issuer, key))
            }
            (Some(file), Some(_)) => {
                let auth = source.auth()?;
                let issuer = source.pick(auth.config())?.clone();
                let key = SigningKey::private(&issuer, kid, None, &read(file)?)?;
                Ok((auth, issuer, key))
            }
            (Some(file), None) => self.by_key_alone(&read(file)?),
        }
    }

    /// No settings: what the key's own public half verifies is good.
    fn by_key_alone(&self, pem: &[u8]) -> Result<(Auth, Issuer, SigningKey), Error> {
        let issuer = Issuer { algorithms: Vec::new(), keys: Keys::default(), ..Issuer::shared_secret("", "".into()) };
        let mut issuer = self.source.named(issuer, &self.roles);
        let key = SigningKey::private(&issuer, self.kid.as_deref(), self.source.algorithm.as_deref(), pem)?;
        issuer.algorithms = vec![key.algorithm()];
        let public = Arc::new(key.public_jwks()?);
        let fetcher = move || Ok(public.to_vec());
        let builder = Auth::builder().issuer(issuer.clone()).fetcher(issuer.issuer.as_str(), fetcher);
        let auth = builder.max_token_lifetime(Duration::ZERO).build()?;
        auth.reload()?;
        Ok((auth, issuer, key))
    }

    fn say(&self, token: &str, who: &Identity) -> Result<(), Error> {
        let (roles, id, expires) = (who.roles(), who.token_id().unwrap_or_default(), moment(who.expires_s()));
        if self.json {
            return output::json(&json!({
                "token": token, "id": id, "issuer": who.issuer(), "subject": who.subject(), "name": who.name(), "roles": roles, "expires": expires,
            }));
        }
        // The token alone, so that a shell can take it.
        output::line(token)?;
        let roles = if roles.is_empty() { "no role, which only policies let in that ask for none".to_owned() } else { roles.join(", ") };
        output::note(format!("For {}, {roles}; expires {expires}; id {id}", output::printable(who.subject())));
        Ok(())
    }
}

fn read(file: &PathBuf) -> Result<Vec<u8>, Error> {
    fs::read(file).map_err(|error| wrong(format!("the private key {} cannot be read", file.display())).with_source(error))
}

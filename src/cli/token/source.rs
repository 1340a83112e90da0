use std::{path::PathBuf, time::Duration};

use clap::Args;

use super::wrong;
use crate::{
    auth::{Auth, AuthConfig, Issuer, Secret, TokenCache},
    cli::settings::Settings,
    error::Error,
};

/// Whose tokens are good. Without either, what `ANALYTICS_JWT_SECRET` and its like in the environment say.
#[derive(Args, Clone, Debug)]
pub(super) struct Source {
    /// The settings file, with an [auth] table
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// A file with the shared secret [default: ANALYTICS_JWT_SECRET or another of `Auth::from_env` in the environment]
    #[arg(long, value_name = "FILE", conflicts_with = "config")]
    pub(super) secret_file: Option<PathBuf>,
    /// What signs, such as HS256; said by the settings, or HS256 for a secret
    #[arg(long, value_name = "ALG", conflicts_with = "config")]
    pub(super) algorithm: Option<String>,
    /// Whose tokens, where the settings have several issuers; else what `iss` is
    #[arg(long, value_name = "ISS")]
    pub(super) issuer: Option<String>,
    /// Whom tokens are for (`aud`)
    #[arg(long, value_name = "AUD")]
    pub(super) audience: Option<String>,
}

impl Source {
    /// As a server with the same settings would decide, revocations of its directory included.
    pub(super) fn auth(&self) -> Result<Auth, Error> {
        match (&self.config, &self.secret_file) {
            (Some(_), _) => self.of_settings(Settings::auth_to_look),
            (None, Some(_)) => self.of_secret_file(&[]),
            (None, None) => from_env(),
        }
    }

    /// Whatever was revoked.
    pub(super) fn auth_alone(&self) -> Result<Auth, Error> {
        if self.config.is_some() { self.of_settings(Settings::auth_alone) } else { self.auth() }
    }

    fn of_settings(&self, made: impl FnOnce(&Settings) -> Result<Option<Auth>, Error>) -> Result<Auth, Error> {
        let settings = Settings::read_with_keys(self.config.as_deref(), None)?;
        made(&settings)?.ok_or_else(|| wrong("these settings have no [auth] table, so no token is good: see examples/verify.toml"))
    }

    /// Roles beyond admin and mod count under their own names: no settings say otherwise.
    pub(super) fn of_secret_file(&self, roles: &[String]) -> Result<Auth, Error> {
        let path = self.secret_file.as_deref().unwrap_or_else(|| "".as_ref());
        let secret = Secret::new(format!("file:{}", path.display()));
        let issuer = Issuer::shared_secret(self.algorithm.as_deref().unwrap_or("HS256"), secret);
        Auth::builder().issuer(self.named(issuer, roles)).max_token_lifetime(Duration::ZERO).cache(TokenCache::Off).build()
    }

    /// What the flags say of an issuer that no settings know.
    pub(super) fn named(&self, mut issuer: Issuer, roles: &[String]) -> Issuer {
        if let Some(name) = &self.issuer {
            (issuer.issuer, issuer.allow_any_issuer) = (name.clone(), false);
        }
        if let Some(name) = &self.audience {
            (issuer.audience, issuer.allow_any_audience) = (vec![name.clone()], false);
        }
        issuer.role_map.extend(roles.iter().map(|role| (role.clone(), role.clone())));
        issuer
    }

    /// The issuer that is meant.
    pub(super) fn pick<'a>(&self, config: &'a AuthConfig) -> Result<&'a Issuer, Error> {
        pick(config, self.issuer.as_deref())
    }
}

pub(super) fn pick<'a>(config: &'a AuthConfig, named: Option<&str>) -> Result<&'a Issuer, Error> {
    let found = match named {
        Some(name) => config.issuer.iter().find(|issuer| issuer.issuer == name || issuer.allow_any_issuer),
        None => Some(&config.issuer).filter(|all| all.len() == 1).and_then(|all| all.first()),
    };
    let names: Vec<&str> = config.issuer.iter().map(|issuer| issuer.issuer.as_str()).collect();
    found.ok_or_else(|| match named {
        Some(name) => wrong(format!("the settings have no issuer {name:?}, but {}", names.join(", "))),
        None => wrong(format!("the settings have several issuers, {}: choose one with --issuer", names.join(", "))),
    })
}

fn from_env() -> Result<Auth, Error> {
    Auth::from_env().map_err(|error| wrong("nothing says whose tokens are good: give --config or --secret-file").with_source(error))
}

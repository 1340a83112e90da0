use std::time::Duration;

use super::{
    auth::Auth,
    config::{Issuer, Keys, TokenCache},
    role_path::RolePath,
    secret::Secret,
};
use crate::error::{Error, ErrorKind};

const SECRET: &str = "ANALYTICS_JWT_SECRET";
const SECRET_FILE: &str = "ANALYTICS_JWT_SECRET_FILE";
const PEM_FILE: &str = "ANALYTICS_JWT_PEM_FILE";
const JWKS_FILE: &str = "ANALYTICS_JWKS_FILE";
const JWKS_URL: &str = "ANALYTICS_JWKS_URL";
const ALGORITHM: &str = "ANALYTICS_JWT_ALGORITHM";
const ISSUER: &str = "ANALYTICS_JWT_ISSUER";
const AUDIENCE: &str = "ANALYTICS_JWT_AUDIENCE";
const ROLE_PATHS: &str = "ANALYTICS_JWT_ROLE_PATHS";
const ADMIN_ROLES: &str = "ANALYTICS_JWT_ADMIN_ROLES";
const MOD_ROLES: &str = "ANALYTICS_JWT_MOD_ROLES";

impl Auth {
    /// What the environment says; nothing else in this crate reads it, but values `env:NAME` in the settings.
    ///
    /// | variable | what it is |
    /// |---|---|
    /// | `ANALYTICS_JWT_SECRET` | a shared secret, as for [`hs256`](Self::hs256) |
    /// | `ANALYTICS_JWT_SECRET_FILE` | the file that holds it |
    /// | `ANALYTICS_JWT_PEM_FILE` | a public key or certificate in PEM |
    /// | `ANALYTICS_JWKS_FILE` | a JWK set |
    /// | `ANALYTICS_JWKS_URL` | where the issuer serves its JWK set; with the feature `jwks-http` |
    /// | `ANALYTICS_JWT_ALGORITHM` | such as `RS256`; several with commas. Defaults to `HS256` for a secret, for keys to what they say |
    /// | `ANALYTICS_JWT_ISSUER` | what `iss` must be. Required with keys |
    /// | `ANALYTICS_JWT_AUDIENCE` | what `aud` must name; several with commas. Required with keys |
    /// | `ANALYTICS_JWT_ROLE_PATHS` | where roles stand, such as `realm_access.roles`; several with commas. Defaults to `role,roles` |
    /// | `ANALYTICS_JWT_ADMIN_ROLES` | what admins are called there, with commas. Defaults to `admin` for a secret, to nothing for keys |
    /// | `ANALYTICS_JWT_MOD_ROLES` | what moderators are called there. Defaults to `mod` for a secret, to nothing for keys |
    ///
    /// Of the first five exactly one. One that is empty counts as absent.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if none is set, or what they say is wrong.
    pub fn from_env() -> Result<Self, Error> {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let get = |name: &str| variable(name).filter(|value| !value.is_empty());
        let list = |name: &str| get(name).map(|value| value.split(',').map(|item| item.trim().to_owned()).collect::<Vec<_>>());
        let keys = Keys {
            hmac: get(SECRET).map(|secret| Secret::new(secret_as_it_is(&secret))),
            hmac_base64url: get(SECRET).is_some(),
            hmac_file: get(SECRET_FILE).map(Into::into),
            pem_file: get(PEM_FILE).map(Into::into),
            jwks_file: get(JWKS_FILE).map(Into::into),
            jwks_url: get(JWKS_URL),
            ..Keys::default()
        };
        let sources =
            [SECRET, SECRET_FILE, PEM_FILE, JWKS_FILE, JWKS_URL].into_iter().filter(|name| get(name).is_some()).collect::<Vec<_>>();
        if sources.len() != 1 {
            let message = format!(
                "the environment has {} of {SECRET}, {SECRET_FILE}, {PEM_FILE}, {JWKS_FILE} and {JWKS_URL}, and exactly one must be set: \
                 without a key nobody can be let in. Users with passwords need none: `Auth::users(directory)`",
                if sources.is_empty() { "none".to_owned() } else { sources.join(" and ") }
            );
            return Err(Error::new(ErrorKind::Config, message));
        }
        let is_secret = keys.hmac.is_some() || keys.hmac_file.is_some();
        let mut issuer = if is_secret { Issuer::shared_secret("HS256", Secret::new("")) } else { Issuer::default() };
        issuer.keys = keys;
        issuer.role_paths = list(ROLE_PATHS).map_or_else(
            || ["role", "roles"].map(RolePath::from).into(),
            |paths| paths.iter().map(|path| RolePath::from(&**path)).collect(),
        );
        if let Some(name) = get(ISSUER) {
            (issuer.issuer, issuer.allow_any_issuer) = (name, false);
        }
        if let Some(names) = list(AUDIENCE) {
            (issuer.audience, issuer.allow_any_audience) = (names, false);
        }
        if let Some(names) = list(ALGORITHM) {
            issuer.algorithms = names;
        }
        for (variable, ours) in [(ADMIN_ROLES, "admin"), (MOD_ROLES, "mod")] {
            if let Some(theirs) = list(variable) {
                issuer.role_map.retain(|_, role| role != ours);
                issuer.role_map.extend(theirs.into_iter().map(|role| (role, ours.to_owned())));
            }
        }
        let builder = Self::builder().issuer(issuer);
        if is_secret { builder.max_token_lifetime(Duration::ZERO).cache(TokenCache::All).build() } else { builder.build() }
    }
}

/// A secret that begins with `env:` or `file:` means itself here.
fn secret_as_it_is(secret: &str) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.encode(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(variables: &[(&str, &str)]) -> Result<Auth, Error> {
        Auth::from_variables(|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn exactly_one_key_must_be_set() {
        let secret = "env:a secret of more than 32 bytes that means itself";
        from(&[(SECRET, secret)]).unwrap();
        let none = from(&[(SECRET, "")]).unwrap_err().to_string();
        assert!(none.contains("none of ANALYTICS_JWT_SECRET"), "{none}");
        let both = from(&[(SECRET, secret), (PEM_FILE, "key.pem")]).unwrap_err().to_string();
        assert!(both.contains("ANALYTICS_JWT_SECRET and ANALYTICS_JWT_PEM_FILE"), "{both}");
    }

    #[test]
    fn keys_need_an_issuer_and_an_audience() {
        let error = from(&[(JWKS_FILE, "jwks.json")]).unwrap_err().to_string();
        assert!(error.contains("`issuer`") && error.contains("`audience`"), "{error}");
    }

    #[test]
    fn a_short_secret_is_refused_and_not_shown() {
        let error = from(&[(SECRET, "too short")]).unwrap_err();
        assert!(error.to_string().contains("32 bytes"), "{error}");
        assert!(!format!("{error:?} {error}").contains("too short"));
    }
}

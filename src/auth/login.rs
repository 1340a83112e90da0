use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The sign-in with a name and a password, and its session; the `[auth.login]` table. Unknown keys are refused.
///
/// Users, sessions and revocations lie in `access.db` of a data directory: that of the dashboard, or the one that
/// [`AuthBuilder::sign_in`](super::AuthBuilder::sign_in) names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Login {
    /// Whether there is one. Defaults to true.
    pub enabled: bool,
    /// How long a session lives without a request, in seconds. Defaults to 1800.
    pub idle_s: u64,
    /// How long it lives at most, in seconds. Defaults to 43 200, which is 12 hours.
    pub absolute_s: u64,
    /// A user's sessions; one more ends the oldest. Defaults to 5.
    pub max_sessions_per_user: u32,
    /// Whether a browser sends the session along with links from other sites. Defaults to `lax`: with links that are followed.
    pub same_site: SameSite,
    /// Lets browsers on this machine sign in over plain http, for trying things out. Defaults to false: https only.
    pub insecure_cookies_for_loopback: bool,
}

/// When a browser sends the session along with a request that another site caused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum SameSite {
    /// With links that are followed, not with forms or scripts.
    #[default]
    Lax,
    /// Never: whoever follows a link to the dashboard has to reload it.
    Strict,
}

/// A proxy that has signed people in already, and says whom in headers; the `[auth.proxy]` table. Believed only from
/// [`trusted_proxies`](crate::Builder::trusted_proxies), which must overwrite what clients send. For the pages and the API; the verify
/// route is asked by proxies and does not believe them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ProxyIdentity {
    /// The header that names the user, such as `X-Remote-User`. Defaults to none: nobody is believed.
    pub user_header: String,
    /// The header with the user's roles, with commas or blanks. Defaults to none.
    pub roles_header: String,
    /// Whose roles are ours: from the proxy's name to `admin` or `mod`. Defaults to these two by their own names.
    pub role_map: BTreeMap<String, String>,
    /// What everybody may be whom the proxy names: `mod`, say. Defaults to nothing.
    pub role: String,
}

impl Default for Login {
    fn default() -> Self {
        Self {
            enabled: true,
            idle_s: 30 * 60,
            absolute_s: 12 * 3600,
            max_sessions_per_user: 5,
            same_site: SameSite::Lax,
            insecure_cookies_for_loopback: false,
        }
    }
}

impl Default for ProxyIdentity {
    fn default() -> Self {
        let role_map = ["admin", "mod"].map(|role| (role.to_owned(), role.to_owned())).into();
        Self { user_header: String::new(), roles_header: String::new(), role_map, role: String::new() }
    }
}

impl Login {
    pub(super) fn check(&self, wrong: &mut Vec<String>) {
        let mut check = |right: bool, message: &str| {
            if !right {
                wrong.push(format!("auth.login.{message}"));
            }
        };
        check((60..=7 * 86_400).contains(&self.idle_s), "idle_s must lie between 60 and 604 800");
        check((60..=30 * 86_400).contains(&self.absolute_s), "absolute_s must lie between 60 and 2 592 000");
        check((1..=1000).contains(&self.max_sessions_per_user), "max_sessions_per_user must lie between 1 and 1000");
    }

    #[cfg(feature = "sqlite")]
    pub(super) fn limits(&self) -> super::signin::limits::SessionLimits {
        super::signin::limits::SessionLimits {
            idle: std::time::Duration::from_secs(self.idle_s),
            absolute: std::time::Duration::from_secs(self.absolute_s),
            per_user: self.max_sessions_per_user,
            ..Default::default()
        }
    }
}

impl ProxyIdentity {
    pub(super) fn check(&self, wrong: &mut Vec<String>) {
        for (name, header) in [("user_header", &self.user_header), ("roles_header", &self.roles_header)] {
            if !header.is_empty() && header.parse::<http::HeaderName>().is_err() {
                wrong.push(format!("auth.proxy.{name}: {header:?} is no name of a header"));
            }
        }
        let given = self.role_map.values().chain(Some(&self.role).filter(|role| !role.is_empty()));
        for role in given.filter(|role| !["admin", "mod"].contains(&role.as_str())) {
            wrong.push(format!("auth.proxy: {role:?} is neither \"admin\" nor \"mod\""));
        }
        if self.user_header.is_empty() && !(self.roles_header.is_empty() && self.role.is_empty()) {
            wrong.push("auth.proxy: roles need a `user_header` that says whose they are".to_owned());
        }
    }
}

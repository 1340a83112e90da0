use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use super::roles::{RoleNames, RoleSet};
use crate::access::Role;

/// Whom a verified token speaks for.
#[derive(Clone, PartialEq)]
pub struct Identity {
    pub(super) issuer: Arc<str>,
    pub(super) subject: Box<str>,
    pub(super) name: Option<Box<str>>,
    pub(super) roles: RoleSet,
    pub(super) role_names: Arc<RoleNames>,
    /// The claim `scope`, as it stands.
    pub(super) scope: Box<str>,
    pub(super) token_id: Option<Box<str>>,
    pub(super) session: Option<Box<str>>,
    pub(super) key_id: Option<Box<str>>,
    pub(super) issued_at: Option<f64>,
    pub(super) not_before: f64,
    pub(super) expires: f64,
    /// Of `claims_to_headers`, in its order.
    pub(super) passed_on: Vec<Vec<String>>,
}

impl Identity {
    /// The issuer that the settings name; empty where they name none.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Who it is; empty where the token does not say and need not.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// A name for people.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The roles that the settings give for those in the token, sorted.
    #[must_use]
    pub fn roles(&self) -> Vec<&str> {
        self.role_names.of(self.roles)
    }

    /// The role on our own pages.
    #[must_use]
    pub fn role(&self) -> Role {
        self.roles.role()
    }

    /// The token's own id, `jti`.
    #[must_use]
    pub fn token_id(&self) -> Option<&str> {
        self.token_id.as_deref()
    }

    /// The app's session, from the claim that the settings name.
    #[must_use]
    pub fn session(&self) -> Option<&str> {
        self.session.as_deref()
    }

    /// The key's name, `kid`.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// When the token was issued.
    #[must_use]
    pub fn issued_at(&self) -> Option<SystemTime> {
        self.issued_at.map(time)
    }

    /// When it expires.
    #[must_use]
    pub fn expires_at(&self) -> SystemTime {
        time(self.expires)
    }

    /// What `claims_to_headers` asks for, in its order: the items of each, none where the token does not say.
    #[cfg_attr(not(feature = "axum"), allow(dead_code, reason = "for the route"))]
    pub(crate) fn passed_on(&self) -> &[Vec<String>] {
        &self.passed_on
    }

    /// Whole seconds since 1970.
    #[cfg_attr(not(feature = "axum"), allow(dead_code, reason = "for the route"))]
    pub(crate) fn expires_s(&self) -> i64 {
        self.expires as i64
    }
}

/// Claims are checked to lie below 2^53.
fn time(seconds: f64) -> SystemTime {
    UNIX_EPOCH.checked_add(Duration::from_secs_f64(seconds)).unwrap_or(UNIX_EPOCH)
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Identity");
        shown.field("issuer", &self.issuer).field("subject", &self.subject).field("roles", &self.roles()).finish_non_exhaustive()
    }
}

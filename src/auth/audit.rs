//! Events of the sign-in for whoever watches over it, named after the OWASP logging vocabulary. They are `tracing` events with the target
//! `tower_analytics::audit`, which subscribers can send elsewhere.
//!
//! Never in them: passwords, tokens, cookies, hashes. Names only of users that exist: people type passwords into the wrong field.

use std::net::IpAddr;

use super::signin::session::Begun;

const TARGET: &str = "tower_analytics::audit";

/// What of an address is said.
struct From(Option<IpAddr>);

impl std::fmt::Display for From {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(address) => address.fmt(f),
            None => f.write_str("unknown"),
        }
    }
}

/// At most 64 characters, and none that would make two lines of one.
fn shown(name: &str) -> String {
    name.chars().take(64).flat_map(char::escape_debug).collect()
}

pub(super) fn login_succeeded(user: &str, address: Option<IpAddr>, begun: &Begun, is_odd: bool) {
    let (user, from, session) = (shown(user), From(address), &begun.public_id);
    if is_odd {
        tracing::warn!(target: TARGET, event = "authn_login_success", %user, %from, session, "signed in from a new address after others failed");
    } else {
        tracing::info!(target: TARGET, event = "authn_login_success", %user, %from, session, "signed in");
    }
    for ended in &begun.ended {
        tracing::info!(target: TARGET, event = "session_expired", %user, session = ended, "ended to make room for a newer session");
    }
}

#[cfg(feature = "cli")]
pub(super) fn first_admin(user: &str, begun: &Begun) {
    tracing::warn!(target: TARGET, event = "user_created", user = %shown(user), session = begun.public_id, "the first admin was made by the one-time link");
}

pub(super) fn login_failed(address: Option<IpAddr>) {
    tracing::warn!(target: TARGET, event = "authn_login_fail", from = %From(address), "a sign-in failed");
}

pub(super) fn login_throttled(address: Option<IpAddr>, wait_s: u64) {
    tracing::warn!(target: TARGET, event = "authn_login_lock", from = %From(address), wait_s, "a sign-in has to wait");
}

#[cfg_attr(not(feature = "dashboard"), allow(dead_code, reason = "for the pages"))]
pub(crate) fn signed_out(user: Option<&str>) {
    let user = shown(user.unwrap_or_default());
    tracing::info!(target: TARGET, event = "authn_logout", %user, "signed out");
}

#[cfg_attr(not(feature = "dashboard"), allow(dead_code, reason = "for the pages"))]
pub(crate) fn session_ended(by: &str, session: &str) {
    tracing::info!(target: TARGET, event = "session_ended", by = %shown(by), session = %shown(session), "a session was ended");
}

#[cfg_attr(not(feature = "dashboard"), allow(dead_code, reason = "for the pages"))]
pub(crate) fn revoked(by: &str, what: &str) {
    tracing::info!(target: TARGET, event = "authn_token_revoked", by = %shown(by), what, "tokens were revoked");
}

#[cfg_attr(not(feature = "dashboard"), allow(dead_code, reason = "for the pages"))]
pub(crate) fn taken_back(by: &str, what: &str) {
    tracing::warn!(target: TARGET, event = "authn_token_unrevoked", by = %shown(by), what, "a revocation was taken back");
}

#[cfg_attr(not(feature = "dashboard"), allow(dead_code, reason = "for the pages"))]
pub(crate) fn forbidden(user: &str, path: &str) {
    tracing::info!(target: TARGET, event = "authz_fail", user = %shown(user), path = %shown(path), "refused for want of a role");
}

#[cfg_attr(not(feature = "dashboard"), allow(dead_code, reason = "for the pages"))]
pub(crate) fn stale_token() {
    tracing::warn!(target: TARGET, event = "session_reuse", "a session's old token came back: somebody may have copied it");
}

//! What a policy says of a request.

use std::sync::Arc;

use http::HeaderMap;

use super::{
    auth::Auth,
    identity::Identity,
    policy::{Held, Rule},
    reason::Reason,
};

/// Who may pass.
#[derive(Debug)]
pub(crate) enum Admitted {
    /// By a token.
    Token(Arc<Identity>),
    /// By the session of the sign-in.
    #[cfg_attr(not(feature = "sqlite"), allow(dead_code, reason = "there are no sessions without a store"))]
    Session {
        user: String,
        /// Those that policies know, sorted.
        roles: Vec<String>,
        /// Seconds since 1970: when it ends if nobody uses it.
        expires: i64,
    },
    /// Nobody in particular, where nobody is let in.
    Anyone,
}

impl Auth {
    /// Who may pass, or why not. No answer if there is no such policy.
    pub(crate) async fn decide(&self, policy: &str, headers: &HeaderMap, host: Option<&str>) -> Option<Result<Admitted, Reason>> {
        let rule = self.0.policies.get(policy)?;
        let decision = match self.verify_headers(headers) {
            Ok(who) => by_token(rule, who, host),
            Err(Reason::Missing) => match self.by_session(rule, headers, host).await {
                Err(Reason::Missing) if rule.takes_anybody() && rule.is_for(host) => Ok(Admitted::Anyone),
                decision => decision,
            },
            Err(reason) => Err(reason),
        };
        self.tally().verified(&decision);
        if let Err(reason) = decision {
            tracing::debug!(policy, %reason, "refused");
        }
        Some(decision)
    }

    #[cfg(feature = "sqlite")]
    async fn by_session(&self, rule: &Rule, headers: &HeaderMap, host: Option<&str>) -> Result<Admitted, Reason> {
        if !rule.takes_sessions() {
            return Err(Reason::Missing);
        }
        let session = self.glance(headers).await?;
        let names = &self.0.role_names;
        let roles = names.set(&session.roles);
        if !rule.is_for(host) || !rule.is_met_by(Held { roles, scope: "", issuer: "" }) {
            return Err(Reason::Role);
        }
        let roles = names.of(roles).into_iter().map(str::to_owned).collect();
        Ok(Admitted::Session { user: session.user, roles, expires: session.idle_ends.div_euclid(1000) })
    }

    #[cfg(not(feature = "sqlite"))]
    async fn by_session(&self, _: &Rule, _: &HeaderMap, _: Option<&str>) -> Result<Admitted, Reason> {
        Err(Reason::Missing)
    }
}

fn by_token(rule: &Rule, who: Arc<Identity>, host: Option<&str>) -> Result<Admitted, Reason> {
    let held = Held { roles: who.roles, scope: &who.scope, issuer: &who.issuer };
    if rule.is_for(host) && rule.is_met_by(held) { Ok(Admitted::Token(who)) } else { Err(Reason::Role) }
}

use super::{
    config::Policy,
    roles::{ADMIN, MOD, RoleNames, RoleSet},
};

/// A policy whose names have been looked up.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    any_of: RoleSet,
    all_of: RoleSet,
    admin_is_mod: Option<(RoleSet, RoleSet)>,
    policy: Policy,
}

/// What somebody brings along.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held<'a> {
    pub(super) roles: RoleSet,
    /// The claim `scope`, as it stands.
    pub(super) scope: &'a str,
    pub(super) issuer: &'a str,
}

/// Those that are there without being asked for.
pub(super) fn built_in() -> [(&'static str, Policy); 4] {
    [("any", Policy::default()), (ADMIN, Policy::any_of([ADMIN])), (MOD, Policy::any_of([MOD])), ("default", Policy::any_of([ADMIN, MOD]))]
}

impl Rule {
    /// What is wrong, as a clause that continues "the policy ..".
    pub(super) fn new(policy: &Policy, names: &RoleNames, admin_is_mod: bool) -> Result<Self, String> {
        let set = |roles: &[String]| {
            roles.iter().try_fold(RoleSet::default(), |set, role| {
                let bit = names
                    .bit(role)
                    .ok_or_else(|| format!("asks for the role {role:?}, which no issuer's `role_map` gives, nor users of a sign-in"))?;
                Ok::<_, String>(set.with(bit))
            })
        };
        let admin_is_mod = names.bit(ADMIN).zip(names.bit(MOD)).filter(|_| admin_is_mod);
        Ok(Self { any_of: set(&policy.any_of)?, all_of: set(&policy.all_of)?, admin_is_mod, policy: policy.clone() })
    }

    pub(super) fn takes_anybody(&self) -> bool {
        self.policy.anonymous
    }

    /// Whether the request's host is one it is for.
    pub(super) fn is_for(&self, host: Option<&str>) -> bool {
        let hosts = &self.policy.hosts;
        hosts.is_empty() || host.is_some_and(|host| hosts.iter().any(|allowed| allowed == host))
    }

    #[cfg(feature = "sqlite")]
    pub(super) fn takes_sessions(&self) -> bool {
        self.policy.accept_session
    }

    pub(super) fn is_met_by(&self, who: Held<'_>) -> bool {
        let held = match self.admin_is_mod {
            Some((admin, moderator)) if who.roles.has_any(admin) => who.roles.with(moderator),
            _ => who.roles,
        };
        let Policy { scopes_all, issuers, .. } = &self.policy;
        (self.any_of.is_empty() || held.has_any(self.any_of))
            && held.has_all(self.all_of)
            && scopes_all.iter().all(|scope| who.scope.split(' ').any(|held| held == scope))
            && (issuers.is_empty() || issuers.iter().any(|issuer| issuer == who.issuer))
    }
}

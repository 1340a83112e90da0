use std::{
    collections::HashMap,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use http::HeaderMap;

use super::{
    cache::{Cache, Entry},
    claims::{CLAIM_BOUNDS, ClaimRules},
    compact::Compact,
    config::{AuthConfig, TokenCache},
    credential::Places,
    identity::Identity,
    json::{Json, Object},
    policy::Rule,
    reason::Reason,
    roles::RoleNames,
    store::KeyStore,
    tally::Tally,
    watch::Watch,
};
use crate::{
    access::{Guard, Head, Role},
    clock::Clock,
    error::Error,
    user::User,
};

/// Keys, roles and policies: knows whose token a request carries and what it may do. Cheap to clone.
///
/// It is a [`Guard`] for the pages and the API, a `user` closure ([`user`](Self::user)), and what [`Verify`](crate::Verify) asks.
/// A token is taken from `Authorization: Bearer ..`, or from where [`AuthConfig`] says otherwise. See the [module](super) for what
/// it must be like.
#[derive(Clone)]
pub struct Auth(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) config: AuthConfig,
    pub(super) issuers: Vec<Trusted>,
    pub(super) policies: HashMap<String, Rule>,
    #[cfg_attr(not(feature = "sqlite"), allow(dead_code, reason = "for those of sessions"))]
    pub(super) role_names: Arc<RoleNames>,
    pub(super) places: Places,
    pub(super) cache: Option<Cache>,
    pub(super) clock: Clock,
    pub(super) generation: Arc<AtomicU64>,
    pub(super) revoked: Option<Arc<IsRevoked>>,
    pub(super) watch: Option<Watch>,
    pub(super) tally: Arc<Tally>,
    #[cfg(feature = "sqlite")]
    pub(super) attached: super::attached::Attached,
}

/// An issuer whose settings have been looked through.
pub(super) struct Trusted {
    pub(super) rules: ClaimRules,
    pub(super) keys: Arc<KeyStore>,
}

/// Whether a good token counts no more; an error if that cannot be known now.
pub(super) type IsRevoked = dyn Fn(&Identity) -> Result<bool, Error> + Send + Sync;

impl Auth {
    /// Verifies a token, in the compact form.
    ///
    /// # Errors
    ///
    /// Why it is not good; [`Reason::KeysUnavailable`] if that cannot be known now.
    pub fn verify(&self, token: &str) -> Result<Arc<Identity>, Reason> {
        let inner = &*self.0;
        if token.len() > inner.config.max_token_bytes {
            return Err(Reason::TooLarge);
        }
        let compact = Compact::split(token)?;
        let now = inner.clock.millis();
        // Before the keys are looked at: if they change meanwhile, what is found with the old ones is not kept for the new.
        let generation = inner.generation.load(Ordering::SeqCst);
        let cache = inner.cache.as_ref().map(|cache| (cache, Cache::print(token)));
        if let Some((cache, print)) = &cache
            && let Some(Entry { who, issuer, .. }) = cache.get(print, generation, now)
            && inner.issuers.get(issuer).is_some_and(|issuer| issuer.rules.still_stands(&who, now))
        {
            return self.unless_revoked(&who).map(|()| who);
        }
        let header = compact.read_header(&inner.config.typ)?;
        compact.check_signature()?;
        let payload = compact.read_payload()?;
        let parse = || Object::parse(&payload, CLAIM_BOUNDS).ok_or(Reason::Malformed);
        // The issuer that it claims only says whose keys to try; that it is the one is checked after the signature.
        let (at, issuer, claims) = match &*inner.issuers {
            [only] => (0, only, None),
            several => {
                let claims = parse()?;
                let named = claims.get("iss").and_then(Json::text).ok_or(Reason::Iss)?;
                let at = several.iter().position(|issuer| issuer.rules.issuer() == named).ok_or(Reason::Iss)?;
                (at, &several[at], Some(claims))
            }
        };
        let keys = issuer.keys.keys()?;
        let key = keys.choose(&header).inspect_err(|reason| inner.look_for_key(issuer, *reason, header.kid.as_deref()))?;
        key.verify(&compact)?;
        let claims = claims.map_or_else(parse, Ok)?;
        let who = Arc::new(issuer.rules.check(&claims, header.kid, now)?);
        self.unless_revoked(&who)?;
        if let Some((cache, print)) = cache
            && (inner.config.cache == TokenCache::All || !key.is_secret())
        {
            cache.put(print, Entry { who: Arc::clone(&who), issuer: at, verified: now, generation });
        }
        Ok(who)
    }

    /// Verifies the token that a request carries.
    ///
    /// # Errors
    ///
    /// [`Reason::Missing`] if it carries none, or why it is not good.
    pub fn verify_headers(&self, headers: &HeaderMap) -> Result<Arc<Identity>, Reason> {
        self.verify(self.0.places.find(headers)?.ok_or(Reason::Missing)?)
    }

    /// A ready-made `user` closure: whom the request's token speaks for, if it is good.
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")]
    /// # fn main() -> Result<(), tower_analytics::Error> {
    /// # let dir = tempfile::tempdir().unwrap();
    /// use tower_analytics::{Analytics, Auth};
    ///
    /// let auth = Auth::hs256("an example, and too well known to be a secret")?;
    /// let analytics = Analytics::builder(dir.path()).user(auth.user()).build()?;
    /// # Ok(()) }
    /// # #[cfg(not(feature = "sqlite"))] fn main() {}
    /// ```
    pub fn user(&self) -> impl Fn(&Head<'_>) -> Option<User> + Send + Sync + 'static {
        let auth = self.clone();
        move |head| {
            let who = auth.verify_headers(head.headers()).ok().filter(|who| !who.subject().is_empty())?;
            let user = User::new(who.subject());
            Some(match who.name() {
                Some(name) => user.name(name),
                None => user,
            })
        }
    }

    /// Reads key files and fetches key sets anew, now. Blocks.
    ///
    /// # Errors
    ///
    /// If one of them could not be loaded: its keys from before stay, the others are new.
    pub fn reload(&self) -> Result<(), Error> {
        let changing = self.0.issuers.iter().filter(|issuer| issuer.keys.changes());
        // All of them, whatever becomes of the first.
        let refreshed: Vec<_> = changing.map(|issuer| issuer.keys.refresh()).collect();
        refreshed.into_iter().collect()
    }

    #[cfg_attr(not(feature = "axum"), allow(dead_code, reason = "for the route"))]
    pub(crate) fn config(&self) -> &AuthConfig {
        &self.0.config
    }

    /// The names of the policies, in order.
    #[cfg(feature = "cli")]
    pub(crate) fn policies(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.0.policies.keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }

    #[cfg_attr(not(feature = "axum"), allow(dead_code, reason = "for the route"))]
    pub(crate) fn tally(&self) -> &Tally {
        &self.0.tally
    }

    #[cfg_attr(not(feature = "axum"), allow(dead_code, reason = "for the route"))]
    pub(crate) fn now_s(&self) -> i64 {
        self.0.clock.millis().div_euclid(1000)
    }
}

impl Auth {
    fn unless_revoked(&self, who: &Identity) -> Result<(), Reason> {
        let is_revoked = || {
            if let Some(revoked) = &self.0.revoked
                && revoked(who)?
            {
                return Ok(true);
            }
            #[cfg(feature = "sqlite")]
            return self.is_revoked_there(who);
            #[cfg(not(feature = "sqlite"))]
            Ok(false)
        };
        match catch_unwind(AssertUnwindSafe(is_revoked)) {
            Ok(Ok(false)) => Ok(()),
            Ok(Ok(true)) => Err(Reason::Revoked),
            Ok(Err(error)) => {
                tracing::error!(error = %Error::chain(&error), "whether a token is revoked cannot be known: it is refused");
                Err(Reason::KeysUnavailable)
            }
            Err(_) => Err(Reason::KeysUnavailable),
        }
    }
}

impl Inner {
    fn look_for_key(&self, issuer: &Trusted, reason: Reason, kid: Option<&str>) {
        if reason == Reason::UnknownKey
            && let (Some(kid), Some(watch)) = (kid, &self.watch)
            && issuer.keys.misses(kid)
        {
            watch.wake();
        }
    }
}

impl Guard for Auth {
    fn role(&self, head: &Head<'_>) -> Option<Role> {
        match self.verify_headers(head.headers()) {
            Ok(who) => Some(who.role()),
            #[cfg(feature = "sqlite")]
            Err(Reason::Missing) => self.role_by_session(head.headers()),
            Err(_) => None,
        }
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let issuers: Vec<&str> = self.0.issuers.iter().map(|issuer| issuer.rules.issuer()).collect();
        f.debug_struct("Auth").field("issuers", &issuers).finish_non_exhaustive()
    }
}

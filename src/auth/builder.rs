use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::Algorithm;

use super::{
    auth::{Auth, Inner, IsRevoked, Trusted},
    backend,
    cache::Cache,
    check,
    claims::{ClaimRules, Common},
    config::{AuthConfig, Issuer, Keys, Policy, TokenCache},
    credential::Places,
    document::KeyRules,
    fetch::KeyFetcher,
    identity::Identity,
    key_origin::Origin,
    policy::{self, Rule},
    role_path::RolePath,
    roles::RoleNames,
    secret::Secret,
    secret_keys::SecretKeys,
    store::KeyStore,
    watch::Watch,
};
use crate::{
    clock::Clock,
    error::{Error, ErrorKind},
};

/// Settings of an [`Auth`]; made by [`Auth::builder`].
#[must_use = "nobody is let in until `build` is called"]
pub struct AuthBuilder {
    config: AuthConfig,
    fetchers: Vec<(String, Arc<dyn KeyFetcher>)>,
    clock: Clock,
    revoked: Option<Arc<IsRevoked>>,
    #[cfg(feature = "sqlite")]
    directory: Option<std::path::PathBuf>,
    expects_users: bool,
}

impl Auth {
    /// Tokens that an app signs with HS256 and a secret of at least 32 bytes, and that need say no more than `exp`: see
    /// [`Issuer::shared_secret`]. They may live as long as they like, and verified ones are kept for a minute.
    ///
    /// ```
    /// # fn main() -> Result<(), tower_analytics::Error> {
    /// use tower_analytics::{Auth, auth::Reason};
    ///
    /// let auth = Auth::hs256("an example, and too well known to be a secret")?;
    /// assert_eq!(auth.verify("no token").unwrap_err(), Reason::Malformed);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if the secret is too short or a key file, or the cryptography does not work in this program.
    pub fn hs256(secret: impl AsRef<[u8]>) -> Result<Self, Error> {
        Self::with_secret(Algorithm::HS256, secret.as_ref())
    }

    /// As [`hs256`](Self::hs256) with HS384 and a secret of at least 48 bytes.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn hs384(secret: impl AsRef<[u8]>) -> Result<Self, Error> {
        Self::with_secret(Algorithm::HS384, secret.as_ref())
    }

    /// As [`hs256`](Self::hs256) with HS512 and a secret of at least 64 bytes.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn hs512(secret: impl AsRef<[u8]>) -> Result<Self, Error> {
        Self::with_secret(Algorithm::HS512, secret.as_ref())
    }

    fn with_secret(algorithm: Algorithm, secret: &[u8]) -> Result<Self, Error> {
        // As bytes: a secret that begins with `env:` means itself here.
        let issuer = Issuer::shared_secret(format!("{algorithm:?}"), Secret::new(URL_SAFE_NO_PAD.encode(secret)));
        let issuer = Issuer { keys: Keys { hmac_base64url: true, ..issuer.keys }, ..issuer };
        Self::builder().issuer(issuer).max_token_lifetime(Duration::ZERO).cache(TokenCache::All).build()
    }

    /// Users with passwords alone, those in `access.db` of a data directory, and no tokens: `tower-analytics user add` makes the first.
    ///
    /// ```
    /// # fn main() -> Result<(), tower_analytics::Error> {
    /// # let directory = tempfile::tempdir().unwrap();
    /// use tower_analytics::{Analytics, Auth};
    ///
    /// let analytics = Analytics::open(directory.path())?;            // such as "analytics-data"
    /// let dashboard = analytics.dashboard(Auth::users(directory.path())?);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// If access.db cannot be opened or made.
    #[cfg(feature = "sqlite")]
    pub fn users(directory: impl Into<std::path::PathBuf>) -> Result<Self, Error> {
        Self::builder().sign_in(directory).build()
    }

    /// Settings first.
    pub fn builder() -> AuthBuilder {
        AuthBuilder {
            config: AuthConfig::default(),
            fetchers: Vec::new(),
            clock: Clock::system(),
            revoked: None,
            #[cfg(feature = "sqlite")]
            directory: None,
            expects_users: false,
        }
    }
}

impl AuthBuilder {
    fn set(mut self, with: impl FnOnce(&mut AuthConfig)) -> Self {
        with(&mut self.config);
        self
    }

    /// All values at once; what was set before is replaced.
    pub fn config(self, config: AuthConfig) -> Self {
        self.set(|mine| *mine = config)
    }

    /// One more issuer.
    pub fn issuer(self, issuer: Issuer) -> Self {
        self.set(|config| config.issuer.push(issuer))
    }

    /// Fetches the keys of an issuer, which has none in the settings. See [`KeyFetcher`] for when.
    pub fn fetcher(mut self, issuer: impl Into<String>, fetcher: impl KeyFetcher) -> Self {
        self.fetchers.push((issuer.into(), Arc::new(fetcher)));
        self
    }

    /// A policy: what `{base}/auth/verify/{name}` asks for.
    pub fn policy(self, name: impl Into<String>, policy: Policy) -> Self {
        self.set(|config| drop(config.policy.insert(name.into(), policy)))
    }

    /// By how much clocks may differ, at most 5 minutes. Defaults to 30 seconds.
    pub fn leeway(self, leeway: Duration) -> Self {
        self.set(|config| config.leeway_s = leeway.as_secs())
    }

    /// The longest a token may live; zero for as long as it likes. Defaults to a day.
    pub fn max_token_lifetime(self, longest: Duration) -> Self {
        self.set(|config| config.max_token_lifetime_s = longest.as_secs())
    }

    /// How long NGINX may keep an answer of 200. Defaults to not at all.
    pub fn nginx_cache_ttl(self, ttl: Duration) -> Self {
        self.set(|config| config.nginx_cache_ttl_s = ttl.as_secs())
    }

    /// Whose verified tokens are kept for up to a minute. Defaults to those signed with public keys.
    pub fn cache(self, cache: TokenCache) -> Self {
        self.set(|config| config.cache = cache)
    }

    /// The cookie that may hold a token. Defaults to none.
    pub fn jwt_cookie(self, name: impl Into<String>) -> Self {
        self.set(|config| config.jwt_cookie = name.into())
    }

    /// Where the users of the sign-in are: in `access.db` of this data directory, beside their sessions and what was revoked. Without,
    /// the dashboard that takes this for its guard looks in its own. `tower-analytics user add` makes the first.
    ///
    /// With it no issuer is needed, and policies may ask for any role that users can have. Tokens can be revoked there by their `jti`, so
    /// issuers require one, unless their settings say otherwise.
    #[cfg(feature = "sqlite")]
    pub fn sign_in(mut self, directory: impl Into<std::path::PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// There will be users, whose directory is not to be touched now: settings are only looked through.
    #[cfg(feature = "cli")]
    pub(crate) fn expects_users(self, expects_users: bool) -> Self {
        Self { expects_users, ..self }
    }

    /// How the sign-in works.
    pub fn login(self, login: super::Login) -> Self {
        self.set(|config| config.login = login)
    }

    /// The time. Defaults to the system's.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Says of a token that is good whether it counts no more. Asked for every request, on the async thread: look, do not block. An
    /// error, or a panic, refuses the token, and `Verify` then answers 503. Defaults to never.
    ///
    /// With it, issuers require a `jti`, unless their settings say otherwise.
    pub fn revoked(mut self, is_revoked: impl Fn(&Identity) -> Result<bool, Error> + Send + Sync + 'static) -> Self {
        self.revoked = Some(Arc::new(is_revoked));
        self
    }

    /// Reads the keys, tries the cryptography, and starts the one thread that refreshes keys, if any can change.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] with everything that is wrong in the settings.
    pub fn build(self) -> Result<Auth, Error> {
        backend::install()?;
        #[cfg(feature = "sqlite")]
        let directory = self.directory;
        #[cfg(not(feature = "sqlite"))]
        let directory: Option<std::path::PathBuf> = None;
        let has_users = (directory.is_some() || self.expects_users) && self.config.login.enabled;
        let Self { config, fetchers, clock, revoked, .. } = self;
        let mut wrong = Vec::new();
        check::common(&config, has_users, &mut wrong);
        let mapped = config.issuer.iter().flat_map(|issuer| issuer.role_map.values());
        // Users may have any role; those that no policy asks for are nobody's business.
        let asked = config.policy.values().filter(|_| has_users).flat_map(|policy| policy.any_of.iter().chain(&policy.all_of));
        let names = RoleNames::new(mapped.chain(asked).map(String::as_str));
        wrong.extend(names.is_none().then(|| "auth: there are more than 64 roles".to_owned()));
        let role_names = Arc::new(names.unwrap_or_default());
        let policies = policies(&config, &role_names, &mut wrong);
        let common = Common {
            role_names: Arc::clone(&role_names),
            leeway_s: config.leeway_s,
            lifetime_s: config.max_token_lifetime_s,
            passed_on: config.claims_to_headers.keys().map(|path| RolePath::from(&**path).keys()).collect(),
            can_revoke: revoked.is_some() || has_users,
        };
        let generation = Arc::new(AtomicU64::new(0));
        let mut issuers = Vec::new();
        for issuer in &config.issuer {
            let fetcher = fetchers.iter().find(|(name, _)| *name == issuer.issuer).map(|(_, fetcher)| Arc::clone(fetcher));
            let before = wrong.len();
            let is_remote = fetcher.is_some() || issuer.keys.are_remote();
            let rules = KeyRules { algorithms: check::issuer(issuer, fetcher.is_some(), &mut wrong), is_remote };
            if wrong.len() > before {
                continue;
            }
            let opened = origin(issuer, fetcher, &rules)
                .and_then(|origin| KeyStore::open(origin, rules, clock.clone(), Arc::clone(&generation)).map_err(|error| error.chain()));
            match opened {
                Ok(keys) => issuers.push(Trusted { rules: ClaimRules::new(issuer, &config, &common), keys: Arc::new(keys) }),
                Err(message) => wrong.push(format!("auth.issuer {:?}: {message}", issuer.issuer)),
            }
        }
        let unknown = fetchers.iter().filter(|(name, _)| config.issuer.iter().all(|issuer| issuer.issuer != *name));
        wrong.extend(unknown.map(|(name, _)| format!("there is a fetcher for {name:?}, which is no issuer")));
        if !wrong.is_empty() {
            return Err(Error::new(ErrorKind::Config, wrong.join("; ")));
        }
        let watch = Watch::start(issuers.iter().map(|issuer| Arc::clone(&issuer.keys)).filter(|keys| keys.changes()).collect())?;
        let all_secrets = issuers.iter().all(|issuer| issuer.keys.holds_secrets());
        let is_cached = match config.cache {
            TokenCache::Off => false,
            TokenCache::PublicKeys => !all_secrets,
            TokenCache::All => true,
        };
        let places = Places {
            headers: config.extra_token_headers.iter().filter_map(|name| name.parse().ok()).collect(),
            cookie: Some(config.jwt_cookie.clone()).filter(|name| !name.is_empty()),
            longest: config.max_token_bytes,
        };
        let cache = is_cached.then(Cache::default);
        let auth = Auth(Arc::new(Inner {
            config,
            issuers,
            policies,
            role_names,
            places,
            cache,
            clock,
            generation,
            revoked,
            watch,
            tally: Arc::default(),
            #[cfg(feature = "sqlite")]
            attached: super::attached::Attached::default(),
        }));
        #[cfg(feature = "sqlite")]
        if let Some(directory) = directory {
            // Whoever names a directory wants to know now.
            auth.attach(&directory)?;
        }
        Ok(auth)
    }
}

fn policies(config: &AuthConfig, names: &RoleNames, wrong: &mut Vec<String>) -> HashMap<String, Rule> {
    let built_in = policy::built_in();
    let all = built_in.iter().map(|(name, policy)| (*name, policy)).chain(config.policy.iter().map(|(name, policy)| (&**name, policy)));
    let mut rules = HashMap::new();
    for (name, policy) in all {
        match Rule::new(policy, names, config.admin_is_mod) {
            Ok(rule) => drop(rules.insert(name.to_owned(), rule)),
            Err(message) => wrong.push(format!("auth.policy.{name} {message}")),
        }
    }
    rules
}

fn origin(issuer: &Issuer, fetcher: Option<Arc<dyn KeyFetcher>>, rules: &KeyRules) -> Result<Origin, String> {
    let keys = &issuer.keys;
    if let Some(fetcher) = fetcher {
        return Ok(Origin::Fetched(fetcher));
    }
    #[cfg(feature = "jwks-http")]
    if keys.are_remote() {
        return super::remote::Remote::new(issuer).map(|remote| Origin::Fetched(Arc::new(remote)));
    }
    if let Some(path) = &keys.pem_file {
        return Ok(Origin::Pem(path.clone(), keys.kid.clone()));
    }
    if let Some(path) = &keys.jwks_file {
        return Ok(Origin::Jwks(path.clone()));
    }
    let [algorithm] = *rules.algorithms else { return Err("a secret needs exactly one of HS256, HS384, HS512 in `algorithms`".to_owned()) };
    let secrets = SecretKeys::new(keys, algorithm)?;
    if secrets.files().is_empty() { secrets.read().map(Origin::Fixed) } else { Ok(Origin::Secrets(secrets)) }
}

impl fmt::Debug for AuthBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthBuilder").field("config", &self.config).finish_non_exhaustive()
    }
}

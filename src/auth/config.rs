//! The settings of [`Auth`](super::Auth) as TOML holds them; the builder fills the same.

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};

use super::{
    claim_rule::ClaimRule,
    login::{Login, ProxyIdentity},
    role_path::RolePath,
    secret::Secret,
};

/// All settings of an [`Auth`](super::Auth) but the closures; the `[auth]` table. Unknown keys are refused.
///
/// ```
/// use tower_analytics::auth::{AuthConfig, Issuer};
///
/// let mut config = AuthConfig::default();
/// config.realm = "stats".to_owned();
/// config.issuer.push(Issuer::new("https://id.example.com/realms/main", ["tower-analytics"]));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct AuthConfig {
    /// What `WWW-Authenticate` names, [RFC 9110](https://www.rfc-editor.org/rfc/rfc9110#section-11.5). Defaults to `analytics`.
    pub realm: String,
    /// By how much clocks may differ, in seconds, at most 300. Defaults to 30.
    pub leeway_s: u64,
    /// The longest token, in bytes. Defaults to 8192.
    pub max_token_bytes: usize,
    /// The longest a token may live, from `iat` (or from now, where it has none) to `exp`, in seconds; 0 for as long as it likes.
    /// Defaults to 86 400.
    pub max_token_lifetime_s: u64,
    /// The kinds of token that are taken, as the header's `typ` says; without a `typ` a token is taken too. Defaults to `JWT` and
    /// `at+jwt` ([RFC 9068](https://www.rfc-editor.org/rfc/rfc9068)), each also as `application/..`.
    pub typ: Vec<String>,
    /// The cookie that may hold a token. Defaults to none.
    pub jwt_cookie: String,
    /// Headers in which a gateway passes the token on, the token alone. Defaults to none.
    pub extra_token_headers: Vec<String>,
    /// How long NGINX may keep an answer of 200, in seconds, never longer than the token lives. For that long a revoked token still
    /// opens. Defaults to 0: not at all.
    pub nginx_cache_ttl_s: u64,
    /// Whether a client is told that its token has expired (and nothing else). Defaults to false.
    pub oauth_error_description: bool,
    /// Whether the role `admin` satisfies a policy that asks for `mod`. Defaults to true.
    pub admin_is_mod: bool,
    /// Whose verified tokens are kept for up to a minute. Defaults to those signed with public keys, which are dear to verify.
    pub cache: TokenCache,
    /// The headers that say who it is.
    pub identity_headers: IdentityHeaders,
    /// Claims that are passed on too: the claim, and its header. Text, numbers, booleans and lists of text. Defaults to none.
    pub claims_to_headers: BTreeMap<String, String>,
    /// Who signs tokens.
    pub issuer: Vec<Issuer>,
    /// Policies by name: what `{base}/auth/verify/{name}` asks for. `any`, `admin` and `mod` are there already, and `default`, which
    /// asks for `admin` or `mod`; one given here by such a name replaces it.
    pub policy: BTreeMap<String, Policy>,
    /// The sign-in with a name and a password.
    pub login: Login,
    /// A proxy that has signed people in already.
    pub proxy: ProxyIdentity,
}

/// Who signs tokens, and what they must say; an `[[auth.issuer]]` table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Issuer {
    /// What `iss` must be, exactly. Required, unless `allow_any_issuer`.
    pub issuer: String,
    /// Takes tokens whatever their `iss`. Only where there is one issuer. Defaults to false.
    pub allow_any_issuer: bool,
    /// Of which `aud` must name one, exactly. Required, unless `allow_any_audience`.
    pub audience: Vec<String>,
    /// Takes tokens whatever their `aud`. Defaults to false.
    pub allow_any_audience: bool,
    /// The algorithms that its keys may be for, such as `RS256`. A secret needs exactly one; an RSA key that does not say its own, too.
    /// Defaults to all that are known: HS, RS and PS 256, 384, 512, ES256, ES384, EdDSA.
    pub algorithms: Vec<String>,
    /// Where its keys are.
    pub keys: Keys,
    /// The claim that names the subject: of these the first that is there. Defaults to `sub`.
    pub subject: Vec<String>,
    /// Whether a token needs a subject. Defaults to true.
    pub require_sub: bool,
    /// The claim that holds a name for people: of these the first that is there. Defaults to `name`, `preferred_username`.
    pub name: Vec<String>,
    /// The claim that names the app's own session, such as `session_id`. Defaults to none.
    pub session: String,
    /// Whether a token needs an `iat`. Defaults to true.
    pub require_iat: bool,
    /// Whether a token needs a `jti`. Defaults to whether tokens can be revoked: with
    /// [`AuthBuilder::revoked`](super::AuthBuilder::revoked), `AuthBuilder::sign_in`, or a data directory of `tower-analytics serve`.
    pub require_jti: Option<bool>,
    /// Takes tokens that are bound to a key of their bearer as if they were not. Defaults to false.
    pub ignore_cnf: bool,
    /// What other claims must be. Defaults to nothing.
    pub claim_rules: Vec<ClaimRule>,
    /// Where roles stand. What is not there grants nothing. Defaults to nowhere.
    pub role_paths: Vec<RolePath>,
    /// Whose roles are ours: from the issuer's name to `admin`, `mod` or one of your own that policies ask for. Defaults to none.
    pub role_map: BTreeMap<String, String>,
    /// Whether a text of roles is split at commas too; it always is at spaces. Defaults to false.
    pub split_commas: bool,
}

/// Where an issuer's keys are: exactly one of these, or a fetcher ([`AuthBuilder::fetcher`](super::AuthBuilder::fetcher)).
///
/// Files are looked at every five seconds. While one is gone or cannot be read its keys stay, for a day; a key set from which the last
/// key was taken is empty at once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Keys {
    /// A shared secret of at least 32, 48 or 64 bytes, as HS256, HS384 or HS512 needs.
    pub hmac: Option<Secret>,
    /// A file that holds the shared secret. Read again when it changes, as any secret `file:..` is.
    pub hmac_file: Option<PathBuf>,
    /// Several shared secrets by the `kid` that tokens name them with, for changing from one to the next.
    pub hmacs: BTreeMap<String, Secret>,
    /// Whether secrets are written in base64url ([RFC 4648](https://www.rfc-editor.org/rfc/rfc4648#section-5)). Defaults to false: as is.
    pub hmac_base64url: bool,
    /// A public key or certificate in PEM. Read again when it changes.
    pub pem_file: Option<PathBuf>,
    /// The `kid` of the key in `pem_file`, or of the one secret. Defaults to none: for tokens without one.
    pub kid: Option<String>,
    /// A JWK set ([RFC 7517](https://www.rfc-editor.org/rfc/rfc7517)). Read again when it changes.
    pub jwks_file: Option<PathBuf>,
    /// Where the issuer serves its JWK set; `https`, or `http` within this machine. Needs the feature `jwks-http`.
    ///
    /// Fetched on a thread of its own, every ten minutes or as often as `Cache-Control` says (between a minute and a day), a fifth of
    /// that earlier, and when a token names a key that is not known, at most once in 30 seconds. While the host is down its keys stay
    /// for a day. Redirects are not followed, proxies in the environment not used, and the machine's own certificates are trusted.
    pub jwks_url: Option<String>,
    /// Takes that address from the issuer's own discovery document, `{issuer}/.well-known/openid-configuration`. It must name this
    /// issuer, and keys on the same host; for keys elsewhere say `jwks_url`. Needs the feature `jwks-http`. Defaults to false.
    pub discovery: bool,
}

/// What a policy asks of a token that is good.
///
/// ```
/// use tower_analytics::auth::Policy;
///
/// let policy = Policy::any_of(["admin", "support"]);
/// assert_eq!(policy.any_of.len(), 2);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Policy {
    /// One of these roles. Defaults to none: any token that is good.
    pub any_of: Vec<String>,
    /// All of these roles. Defaults to none.
    pub all_of: Vec<String>,
    /// All of these in the claim `scope`. Defaults to none.
    pub scopes_all: Vec<String>,
    /// Lets in who brings no credential; a bad one is still refused. Defaults to false.
    pub anonymous: bool,
    /// Takes the session of the sign-in too, with the roles of its user. Defaults to true.
    pub accept_session: bool,
    /// By one of these issuers. Defaults to all.
    pub issuers: Vec<String>,
    /// For one of these hosts, exactly as the `Host` header says. Defaults to all.
    pub hosts: Vec<String>,
}

/// The names of the headers that say who it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct IdentityHeaders {
    /// Whether there are any. Defaults to true.
    pub enabled: bool,
    /// Defaults to `X-Auth-Subject`.
    pub subject: String,
    /// Defaults to `X-Auth-Issuer`.
    pub issuer: String,
    /// Our role names, sorted, with commas. Defaults to `X-Auth-Roles`.
    pub roles: String,
    /// `jwt`, `session` or `anonymous`. Defaults to `X-Auth-Method`.
    pub method: String,
    /// Seconds since 1970. Defaults to `X-Auth-Expires`.
    pub expires: String,
    /// Defaults to `X-Auth-Token-Id`.
    pub token_id: String,
}

/// Whose verified tokens are kept for up to a minute, so that the next request with one need not verify it again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TokenCache {
    /// Nobody's.
    Off,
    /// Those signed with RSA, elliptic curves or Ed25519.
    #[default]
    PublicKeys,
    /// Also those signed with a shared secret, which gains little.
    All,
}

impl Default for AuthConfig {
    fn default() -> Self {
        Self {
            realm: "analytics".to_owned(),
            leeway_s: 30,
            max_token_bytes: 8192,
            max_token_lifetime_s: 86_400,
            typ: ["JWT", "at+jwt", "application/at+jwt"].map(str::to_owned).into(),
            jwt_cookie: String::new(),
            extra_token_headers: Vec::new(),
            nginx_cache_ttl_s: 0,
            oauth_error_description: false,
            admin_is_mod: true,
            cache: TokenCache::default(),
            identity_headers: IdentityHeaders::default(),
            claims_to_headers: BTreeMap::new(),
            issuer: Vec::new(),
            policy: BTreeMap::new(),
            login: Login::default(),
            proxy: ProxyIdentity::default(),
        }
    }
}

impl Default for Issuer {
    fn default() -> Self {
        Self {
            issuer: String::new(),
            allow_any_issuer: false,
            audience: Vec::new(),
            allow_any_audience: false,
            algorithms: Vec::new(),
            keys: Keys::default(),
            subject: vec!["sub".to_owned()],
            require_sub: true,
            name: ["name", "preferred_username"].map(str::to_owned).into(),
            session: String::new(),
            require_iat: true,
            require_jti: None,
            ignore_cnf: false,
            claim_rules: Vec::new(),
            role_paths: Vec::new(),
            role_map: BTreeMap::new(),
            split_commas: false,
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            any_of: Vec::new(),
            all_of: Vec::new(),
            scopes_all: Vec::new(),
            anonymous: false,
            accept_session: true,
            issuers: Vec::new(),
            hosts: Vec::new(),
        }
    }
}

impl Default for IdentityHeaders {
    fn default() -> Self {
        let [subject, issuer, roles, method, expires, token_id] =
            ["Subject", "Issuer", "Roles", "Method", "Expires", "Token-Id"].map(|what| format!("X-Auth-{what}"));
        Self { enabled: true, subject, issuer, roles, method, expires, token_id }
    }
}

impl Issuer {
    /// An issuer by its `iss`, and whom its tokens must be for. Everything that can be required is.
    pub fn new<T: Into<String>>(issuer: impl Into<String>, audience: impl IntoIterator<Item = T>) -> Self {
        Self { issuer: issuer.into(), audience: audience.into_iter().map(Into::into).collect(), ..Self::default() }
    }

    /// An app that signs with a shared secret and says little: nothing but `exp` is required. The subject is the first found of
    /// `sub`, `discord_id` and `user`; the roles `admin` and `mod` stand in `role` or `roles`.
    #[must_use]
    pub fn shared_secret(algorithm: impl Into<String>, secret: Secret) -> Self {
        let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        Self {
            allow_any_issuer: true,
            allow_any_audience: true,
            algorithms: vec![algorithm.into()],
            keys: Keys { hmac: Some(secret), ..Keys::default() },
            subject: own(&["sub", "discord_id", "user"]),
            require_sub: false,
            name: own(&["name", "username", "user"]),
            session: "session_id".to_owned(),
            require_iat: false,
            require_jti: Some(false),
            role_paths: vec!["role".into(), "roles".into()],
            role_map: ["admin", "mod"].map(|role| (role.to_owned(), role.to_owned())).into(),
            ..Self::default()
        }
    }
}

impl Keys {
    /// Whether they come from the issuer's host.
    pub(super) fn are_remote(&self) -> bool {
        self.jwks_url.is_some() || self.discovery
    }
}

impl Policy {
    /// One of these roles.
    pub fn any_of<T: Into<String>>(roles: impl IntoIterator<Item = T>) -> Self {
        Self { any_of: roles.into_iter().map(Into::into).collect(), ..Self::default() }
    }
}

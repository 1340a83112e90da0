//! Whose token a request carries, and what it may do: [`Auth`].
//!
//! A token is a JSON Web Token ([RFC 7519](https://www.rfc-editor.org/rfc/rfc7519)) in the compact form, signed with HS, RS or PS 256,
//! 384, 512, with ES256, ES384 or with Ed25519. It is read more strictly than most libraries do, after
//! [RFC 8725](https://www.rfc-editor.org/rfc/rfc8725): no member twice at any depth, no extension, no key of its own, a key for exactly
//! one algorithm by its exact name, claims of the right type only, bounded sizes. What is refused is refused with a [`Reason`] for
//! logs; clients never learn which.
//!
//! An app that signs with a shared secret:
//!
//! ```
//! # fn main() -> Result<(), tower_analytics::Error> {
//! use tower_analytics::Auth;
//!
//! let auth = Auth::hs256("an example, and too well known to be a secret")?;
//! # Ok(()) }
//! ```
//!
//! An identity provider, whose keys come from a file that something else keeps up to date:
//!
//! ```no_run
//! # fn main() -> Result<(), tower_analytics::Error> {
//! use tower_analytics::{Auth, auth::{Issuer, Policy}};
//!
//! let mut main = Issuer::new("https://id.example.com/realms/main", ["tower-analytics"]);
//! main.keys.jwks_file = Some("/etc/analytics/jwks.json".into());
//! main.role_paths = vec!["realm_access.roles".into()];
//! main.role_map.insert("stats-admin".to_owned(), "admin".to_owned());
//! let auth = Auth::builder().issuer(main).policy("members", Policy::default()).build()?;
//! # Ok(()) }
//! ```
//!
//! With the feature `jwks-http` its keys can also come from its own host: [`Keys::jwks_url`], [`Keys::discovery`].

#[cfg(feature = "sqlite")]
mod attach;
#[cfg(feature = "sqlite")]
mod attached;
#[cfg(feature = "sqlite")]
pub(crate) mod audit;
#[allow(clippy::module_inception, reason = "what all of this is for")]
mod auth;
mod backend;
mod builder;
mod cache;
mod check;
mod claim_rule;
mod claims;
mod compact;
mod config;
mod cookie;
mod credential;
#[cfg_attr(not(feature = "axum"), allow(dead_code, reason = "for the route"))]
mod decide;
mod document;
mod env;
mod fetch;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
#[cfg_attr(not(feature = "axum"), allow(dead_code, reason = "for the route"))]
mod header_room;
mod identity;
mod json;
mod key;
mod key_origin;
#[cfg(feature = "cli")]
mod link;
mod login;
mod policy;
mod reason;
#[cfg(feature = "jwks-http")]
mod remote;
#[cfg(feature = "sqlite")]
#[cfg_attr(not(feature = "dashboard"), allow(dead_code, reason = "for the pages"))]
pub(crate) mod revoking;
mod role_path;
mod roles;
mod secret;
mod secret_keys;
#[cfg(feature = "cli")]
mod sign;
#[cfg(feature = "sqlite")]
#[cfg_attr(not(feature = "dashboard"), allow(dead_code, reason = "for the pages"))]
pub(crate) mod signin;
mod store;
pub(crate) mod tally;
#[cfg(feature = "sqlite")]
mod users;
mod watch;

#[cfg(feature = "cli")]
pub(crate) use self::link::OneTimeLink;
#[cfg(feature = "sqlite")]
pub use self::users::{UserEntry, Users};
pub use self::{
    auth::Auth,
    builder::AuthBuilder,
    claim_rule::{ClaimRule, ClaimValue},
    config::{AuthConfig, IdentityHeaders, Issuer, Keys, Policy, TokenCache},
    fetch::KeyFetcher,
    identity::Identity,
    login::{Login, ProxyIdentity, SameSite},
    reason::Reason,
    role_path::RolePath,
    secret::Secret,
};
#[cfg(feature = "axum")]
pub(crate) use self::{
    decide::Admitted,
    header_room::{AROUND, MOST_IDENTITY, encode},
};
#[cfg(feature = "cli")]
pub(crate) use self::{
    revoking::FOR_EVER,
    sign::SigningKey,
    signin::{
        access_db::AccessDb,
        accounts::User as Account,
        limits::SessionLimits,
        passwords::{MAX_PASSWORD, MIN_PASSWORD, Password, Passwords},
        revocations::{HEEDED_WITHIN, Revocation, Seconds},
    },
};

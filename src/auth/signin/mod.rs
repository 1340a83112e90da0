//! Signing in with a name and a password, as far as it needs no page:
//!
//! - A request to sign in passes `csrf.rs`, `throttle.rs`, then `hash_budget.rs` around `passwords.rs`; where it leads
//!   afterwards is decided by `next.rs`.
//! - Who is signed in: `cookies.rs` takes the token (`session_token.rs`) out of a request, `sessions.rs` finds its
//!   `session.rs`.
//! - `access_db.rs` is the file that users (`accounts.rs`), sessions and `revocations.rs` live in, shared by several processes.
//!
//! Limits and lives of things are those of the OWASP cheat sheets and ASVS 5 (chapters 6 and 7), named where they stand.

#![allow(dead_code, reason = "the pages and routes that call it stand above")]

#[cfg(feature = "sqlite")]
pub(crate) mod access_db;
#[cfg(feature = "sqlite")]
mod access_file;
#[cfg(feature = "sqlite")]
pub(crate) mod accounts;
pub(crate) mod cookies;
pub(crate) mod csrf;
#[cfg(feature = "sqlite")]
mod denied;
pub(crate) mod hash_budget;
pub(crate) mod next;
pub(crate) mod origin;
pub(crate) mod passwords;
#[cfg(feature = "sqlite")]
pub(crate) mod revocations;
#[cfg(feature = "sqlite")]
pub(crate) mod session;
pub(crate) mod session_token;
#[cfg(feature = "sqlite")]
pub(crate) mod sessions;
#[cfg(feature = "sqlite")]
pub(crate) mod sign_in;
#[cfg(all(test, feature = "sqlite"))]
mod testing;
pub(crate) mod throttle;
mod throttle_rules;

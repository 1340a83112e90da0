//! Signing in with a name and a password, as far as it needs no page:
//!
//! - A request to sign in passes `csrf.rs`, then `sign_in.rs`: `throttle.rs`, and `hash_budget.rs` around `passwords.rs`; where it leads
//!   afterwards is decided by `next.rs`.
//! - Who is signed in: `cookies.rs` takes the token (`session_token.rs`) out of a request, `sessions.rs` finds its
//!   `session.rs`.
//! - `access_db.rs` is the file that users (`accounts.rs`), sessions and `revocations.rs` live in, shared by several processes;
//!   `denied.rs` is the copy of the last that tokens are compared with.
//!
//! Limits and lives of things are those of the OWASP cheat sheets and ASVS 5 (chapters 6 and 7), named where they stand.

pub(crate) mod access_db;
mod access_file;
pub(crate) mod accounts;
pub(crate) mod cookies;
pub(crate) mod csrf;
mod denied;
pub(crate) mod hash_budget;
pub(crate) mod limits;
pub(crate) mod next;
pub(crate) mod origin;
pub(crate) mod passwords;
pub(crate) mod revocations;
pub(crate) mod session;
pub(crate) mod session_token;
pub(crate) mod sessions;
pub(crate) mod sign_in;
#[cfg(test)]
mod testing;
pub(crate) mod throttle;
mod throttle_rules;

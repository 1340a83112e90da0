//! Keys to the pages: the one-time link, and the parts of the sign-in.

#[cfg(feature = "cli")]
mod link;
mod signin;

#[cfg(feature = "cli")]
pub(crate) use self::link::{LINK_COOKIE, OneTimeLink};

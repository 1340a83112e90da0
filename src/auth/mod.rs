//! Keys to the pages: so far the one-time link.

mod link;

pub(crate) use self::link::{LINK_COOKIE, OneTimeLink};

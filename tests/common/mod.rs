//! What several tests share.
#![allow(dead_code, reason = "each test takes what it needs")]

pub(crate) mod oracle;
pub(crate) mod tables;

//! Storing what was recorded elsewhere: hits come from a [`Source`], read on a thread of its own, and go into parts of their own
//! beside the recorder's.
//!
//! ```text
//! Source ─► pump.rs (a thread) ─► work.rs (a slice at a time) ─► part.rs (one file a month, not yet listed) ─► commit.rs
//! ```
//!
//! - Until the commit nothing of it is seen: the files have other names, and roll-ups lie aside. The dictionaries may have learnt
//!   ids, of which nothing tells.
//! - The files get their names beside the others; the commit lists the parts and puts their roll-ups in place in one transaction; then the
//!   other names go. A start makes up for a crash in between, and deletes files that were never listed.

mod commit;
mod known;
mod part;
mod pump;
mod source;
mod work;

pub(crate) use self::{
    known::{Content, Known, SourceId},
    source::{End, Imported, OpenSource, Progress, Source},
};
pub(super) use self::{part::tidy, work::Import};

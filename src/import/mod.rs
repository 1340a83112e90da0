//! History from elsewhere, as hits in order of time: the files of the panel that came before us, and access logs.
//!
//! ```text
//! JSON, SQLite ─► legacy/rows ─► legacy/visits ─► legacy/in_order ─┐
//!                 (all of them)  (merged)         (spread, cut)    ├─► Source: one hit after the other ─► the store
//! access logs ──► access_log/line ─► access_log/reader ────────────┘
//!                 (one line)         (files by time, sessions)
//! ```
//!
//! - Nothing here writes: a file is read as it is, never moved, and a fault names the file, the record, the byte and the way out.
//! - Hits come resolved, as the recorder gives them to a sink: session, action, visitor. Session numbers count from 1 in each
//!   month, in order of opening; the store moves them behind its own.
//! - Addresses end here: they tell visitors apart under a random salt of the UTC day, which nobody keeps.

pub(crate) mod access_log;
mod asked;
mod content;
mod counted;
mod fault;
mod found;
pub(crate) mod legacy;
mod report;
mod source;

pub use self::{access_log::DurationUnit, report::Report};
pub(crate) use self::{
    asked::{Asked, Setting},
    source::Rules,
};

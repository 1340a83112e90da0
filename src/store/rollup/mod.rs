//! Roll-ups: what follows from raw rows, folded once.
//!
//! A row is counted in memory (`fold.rs`) under its slot, endpoint and device; every few seconds that is added to the tables
//! (`write.rs`), where devices become platforms, versions, names and bot classes.

pub(crate) mod bitmap;
pub(crate) mod cell;
mod days;
mod fold;
mod histogram;
mod key;
pub(super) mod totals;
mod track;
mod user_total;
mod write;

pub(crate) use self::{
    cell::{Histogram, Sums, visitor_at},
    key::{Audience, Dimension, SLOT_MS, Value, failure, failure_parts, version},
};
pub(super) use self::{
    days::Days,
    fold::{Fold, Scene},
    track::{Packed as PackedTrack, Step, Track, Tracks},
    write::{delete, delete_aside, replace, write},
};

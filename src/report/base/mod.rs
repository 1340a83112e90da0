//! What the questions share.
//!
//! `ask.rs` says what is asked, `view.rs` joins it with one moment of the store; `group.rs` adds up hits from roll-ups and, where
//! these cannot say it, from raw hits (`scan.rs`).

pub(super) mod answer;
pub(super) mod ask;
pub(super) mod buckets;
pub(super) mod by_day;
pub(super) mod devices;
pub(super) mod filter;
pub(super) mod group;
pub(super) mod grouping;
pub(super) mod json;
pub(super) mod last_devices;
pub(super) mod metric;
pub(super) mod names;
pub(super) mod newcomers;
pub(super) mod page;
mod rollups;
pub(super) mod scan;
pub(super) mod seen_elsewhere;
pub(super) mod sessions;
pub(super) mod span;
mod union;
pub(super) mod user_sums;
pub(super) mod version;
pub(super) mod view;
pub(super) mod with_hit;

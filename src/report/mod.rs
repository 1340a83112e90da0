//! The questions. One question is one file and one `.sql` of the same stem.

mod active_sessions;
mod ask;
mod bots;
mod endpoints;
mod health;
mod reports;
mod stats;

pub use self::{
    active_sessions::ActiveSession,
    ask::Ask,
    endpoints::EndpointRow,
    health::{Health, PartHealth},
    reports::Reports,
    stats::Stats,
};

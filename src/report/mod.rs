//! The questions. One question is one file and one `.sql` of the same stem.

mod active_sessions;
mod ask;
mod check;
mod endpoints;
mod health;
mod metrics;
mod reports;
mod stats;

pub use self::{
    active_sessions::ActiveSession,
    ask::Ask,
    check::{Check, MonthCheck},
    endpoints::EndpointRow,
    health::{Health, PartHealth},
    metrics::Latency,
    reports::Reports,
    stats::Stats,
};

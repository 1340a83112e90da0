//! tower-analytics
#![cfg_attr(docsrs, feature(doc_cfg))]

mod access;
#[cfg(feature = "sqlite")]
mod analytics;
#[cfg(feature = "sqlite")]
mod builder;
mod clock;
#[cfg(feature = "sqlite")]
mod config;
mod counters;
mod device;
mod error;
mod hit;
pub mod layer;
mod pattern;
pub mod recorder;
#[cfg(feature = "sqlite")]
pub mod report;
mod sink;
#[cfg(feature = "sqlite")]
mod store;
pub mod user;

pub use self::{
    access::{Guard, Head, OpenToEveryone, Role},
    clock::Clock,
    counters::{Counters, DropCause, State},
    device::{Bot, Device},
    error::{Error, ErrorKind},
    hit::{Hit, Outcome, SessionId},
    layer::{AnalyticsLayer, AnalyticsService, ErrorNote, Skip},
    recorder::Recorder,
    sink::{Batch, Checkpoint, Resume, Sink},
    user::User,
};

#[cfg(feature = "sqlite")]
pub use self::{
    analytics::Analytics,
    builder::Builder,
    config::{Config, Recording},
    report::{Ask, Reports},
};

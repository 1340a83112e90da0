//! tower-analytics
#![cfg_attr(docsrs, feature(doc_cfg))]

mod access;
mod clock;
mod device;
mod error;
mod hit;
pub mod layer;
mod pattern;
pub mod recorder;
mod sink;
#[cfg(feature = "sqlite")]
mod store;
pub mod user;

pub use self::{
    access::{Guard, Head, OpenToEveryone, Role},
    clock::Clock,
    device::{Bot, Device},
    error::{Error, ErrorKind},
    hit::{Hit, Outcome, SessionId},
    layer::{AnalyticsLayer, AnalyticsService, ErrorNote, Skip},
    recorder::Recorder,
    sink::{Batch, Checkpoint, Resume, Sink},
    user::User,
};

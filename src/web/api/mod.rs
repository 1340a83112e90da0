//! The JSON API: each question of [`Reports`](crate::Reports) at a path of its own.
//!
//! `routes.rs` is the list; `query.rs` reads what was asked, `respond.rs` writes the answer as JSON or CSV, `openapi.rs` describes it all.

#[cfg(feature = "auth")]
pub(super) mod auth;
mod health;
mod openapi;
pub(super) mod params;
mod problem;
mod query;
mod respond;
mod routes;
mod tables;

pub(super) use self::{problem::Problem, query::Query, routes::register};

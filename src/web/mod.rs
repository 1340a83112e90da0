//! What people see. Every route declares the role it takes at registration; see `host.rs`.

mod api;
mod assets;
mod charts;
mod dashboard;
mod fault;
#[cfg(feature = "auth")]
mod form;
mod format;
mod headers;
mod host;
mod links;
#[cfg(feature = "auth")]
mod login;
#[cfg(feature = "auth")]
mod logout;
mod panel_data;
mod router;
#[cfg(feature = "auth")]
mod seen;
#[cfg(feature = "cli")]
mod setup;
#[cfg(feature = "auth")]
mod who;
#[cfg(not(feature = "auth"))]
#[path = "who_by_guard.rs"]
mod who;

pub use self::{
    panel_data::{Panel, PanelData},
    router::Dashboard,
};

//! What people see. Every route declares the role it takes at registration; see `host.rs`.

mod api;
mod assets;
mod charts;
mod dashboard;
mod fault;
mod format;
mod headers;
mod host;
#[cfg(feature = "cli")]
mod link;
mod links;
mod panel_data;
mod router;

pub use self::{
    panel_data::{Panel, PanelData},
    router::Dashboard,
};

//! What people see. Every route declares the role it takes at registration (`host.rs`), and `guarded.rs` holds it to that.

mod api;
mod assets;
mod charts;
mod dashboard;
mod fault;
#[cfg(feature = "auth")]
mod form;
mod format;
mod guarded;
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
mod site;
mod slash;
#[cfg(feature = "auth")]
mod who;
#[cfg(not(feature = "auth"))]
#[path = "who_by_guard.rs"]
mod who;

pub use self::{
    host::Host,
    panel_data::{Panel, PanelData},
    router::Dashboard,
};

/// What is ours, for the plugins that bring it.
pub(crate) mod ours {
    #[cfg(feature = "auth")]
    pub(crate) use super::{api::auth::register as sign_in_api, login::register as login, logout::register as logout};
    pub(crate) use super::{
        api::{health::register as health, register as api},
        assets::register as assets,
        dashboard::{register as pages, register_bots as bots},
    };
}

//! The pages. One page is one file here and one template of the same stem; what they are made of has a file and a template with `_`.

mod addresses;
mod bars;
mod bots;
mod card;
mod cell;
mod chart;
mod endpoint;
mod endpoints;
mod errors;
mod features;
mod hub;
mod inactive_users;
mod lifecycle;
mod live;
mod nav;
mod notice;
mod overview;
mod page;
mod panel;
mod panels;
mod platforms;
mod plugged;
mod plugin;
mod plugin_cards;
mod power_users;
mod retention;
mod session;
mod sessions;
mod settings;
mod sorting;
mod table;
mod user;
mod users;
mod values;
mod view;
mod work;

pub(crate) use self::{bots::register as register_bots, hub::Hub};
pub(super) use self::{plugged::Plugged, plugin::plug};
use super::host::Host;

/// All but those that other plugins of ours bring.
pub(crate) fn register(host: &mut Host) {
    overview::register(host);
    live::register(host);
    sessions::register(host);
    session::register(host);
    users::register(host);
    user::register(host);
    power_users::register(host);
    inactive_users::register(host);
    retention::register(host);
    lifecycle::register(host);
    features::register(host);
    endpoints::register(host);
    endpoint::register(host);
    platforms::register(host);
    errors::register(host);
    settings::register(host);
}

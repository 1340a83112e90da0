//! The dashboard in a real browser: `cargo test --test browser -- --ignored`, with Debian's `chromium` installed.

mod axe;
mod chromium;
mod clicked;
mod fitting;
mod kept;
mod keyboard;
mod long_work;
mod odd_names;
mod paint;
mod refreshed;
#[path = "../program/running.rs"]
#[allow(dead_code, reason = "half of it is for other tests")]
mod running;
mod server;
mod sorted_without_heads;
mod tables;
mod values;

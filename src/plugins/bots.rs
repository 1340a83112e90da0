use crate::{
    error::Error,
    plugin::{Host, Plugin},
    web,
};

/// The page of bots. What tells them from people is in `device.rs`, and no hook on hits: without a dashboard they are told apart too, each user
/// agent is read once and not with every hit, and a hook costs every hit a copy of itself (about 0.1 µs of the 0.25 µs that the recorder takes).
pub(super) struct Bots;

impl Plugin for Bots {
    fn name(&self) -> &'static str {
        "bots"
    }

    fn build(self: Box<Self>, host: &mut Host) -> Result<(), Error> {
        web::ours::bots(host);
        Ok(())
    }
}

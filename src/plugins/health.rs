use crate::{
    error::Error,
    plugin::{Host, Plugin},
    web,
};

/// Whether hits are recorded, for monitors.
pub(super) struct Health;

impl Plugin for Health {
    fn name(&self) -> &'static str {
        "health"
    }

    fn build(self: Box<Self>, host: &mut Host) -> Result<(), Error> {
        web::ours::health(host);
        Ok(())
    }
}

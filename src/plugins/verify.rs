use crate::{
    error::Error,
    plugin::{Host, Plugin},
    verify::Verify,
};

/// The routes that proxies ask.
pub(super) struct Routes(pub(super) Verify);

impl Plugin for Routes {
    fn name(&self) -> &'static str {
        "verify"
    }

    fn build(self: Box<Self>, host: &mut Host) -> Result<(), Error> {
        host.beside(self.0);
        Ok(())
    }
}

use crate::{
    error::Error,
    plugin::{Host, Plugin},
    web,
};

/// The questions for programs, and the document that describes them.
pub(super) struct Api;

impl Plugin for Api {
    fn name(&self) -> &'static str {
        "api"
    }

    fn build(self: Box<Self>, host: &mut Host) -> Result<(), Error> {
        web::ours::api(host);
        Ok(())
    }
}

use crate::{
    error::Error,
    plugin::{Host, Plugin},
    web,
};

/// The pages, and what they look like.
pub(super) struct Pages;

impl Plugin for Pages {
    fn name(&self) -> &'static str {
        "dashboard"
    }

    fn build(self: Box<Self>, host: &mut Host) -> Result<(), Error> {
        web::ours::assets(host);
        web::ours::pages(host);
        Ok(())
    }
}

use crate::{
    error::Error,
    plugin::{Host, Plugin},
    web,
};

/// The sign-in: its API, and the pages to come in and to leave by.
pub(super) struct SignIn {
    pub(super) has_form: bool,
}

impl Plugin for SignIn {
    fn name(&self) -> &'static str {
        "login"
    }

    fn build(self: Box<Self>, host: &mut Host) -> Result<(), Error> {
        web::ours::sign_in_api(host);
        if self.has_form {
            web::ours::login(host);
            web::ours::logout(host);
        }
        Ok(())
    }
}

use std::sync::Arc;

use super::{
    api::Document,
    dashboard::{Hub, Plugged},
};
use crate::{access::Guard, analytics::Analytics, layer::Proxies, report::Reports};

/// What every handler may ask for.
#[derive(Clone)]
pub(crate) struct Site {
    pub(super) reports: Reports,
    /// The recorder of this process, if it is the one that records.
    pub(super) recording: Option<Analytics>,
    /// Where those join who watch what goes on.
    pub(super) hub: Hub,
    /// Plugins that have a page.
    pub(super) plugged: Vec<Arc<Plugged>>,
    /// The API, as its document describes it.
    pub(super) document: Arc<Document>,
    pub(super) guard: Arc<dyn Guard>,
    /// The guard, if it is one: it knows more than a role.
    #[cfg(feature = "auth")]
    pub(super) auth: Option<crate::auth::Auth>,
    pub(super) base_path: Arc<str>,
    pub(super) public_url: Option<Arc<str>>,
    pub(super) proxies: Proxies,
}

impl Site {
    /// Whether there is a form to sign in with.
    pub(super) fn has_form(&self) -> bool {
        #[cfg(feature = "auth")]
        return self.auth.as_ref().is_some_and(|auth| auth.config().login.enabled);
        #[cfg(not(feature = "auth"))]
        false
    }
}

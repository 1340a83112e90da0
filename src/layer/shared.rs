use std::{fmt, sync::Arc};

use super::proxies::Proxies;
use crate::{access::Head, pattern::Routes, recorder::Recorder, user::User};

/// What a layer and all services that it makes have in common.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) recorder: Recorder,
    pub(super) routes: Option<Routes>,
    pub(super) user: Option<Arc<UserOf>>,
    pub(super) proxies: Proxies,
}

pub(crate) type UserOf = dyn Fn(&Head<'_>) -> Option<User> + Send + Sync;

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("recorder", &self.recorder).finish_non_exhaustive()
    }
}

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use super::signin::sign_in::SignIn;
use crate::clock::Tick;

/// The sign-in of an [`Auth`](super::Auth), which learns its directory when it is built or when a dashboard takes it for its guard.
#[derive(Default)]
pub(super) struct Attached {
    pub(super) directory: OnceLock<PathBuf>,
    pub(super) opened: OnceLock<Arc<SignIn>>,
    retry: Mutex<Retry>,
}

/// What could not be opened is tried again beside the requests: learning that it still cannot be may take seconds.
#[derive(Default)]
pub(super) struct Retry {
    pub(super) is_running: bool,
    pub(super) failed: Option<Tick>,
}

impl Attached {
    pub(super) fn retry(&self) -> MutexGuard<'_, Retry> {
        self.retry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

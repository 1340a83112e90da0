use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use super::{
    auth::Auth,
    identity::Identity,
    reason::Reason,
    signin::{cookies::SessionCookie, revocations::TokenFacts, session::Session, sign_in::SignIn},
};
use crate::{
    access::Role,
    clock::Tick,
    error::{Error, ErrorKind},
};

/// The sign-in of an [`Auth`], which learns its directory when it is built or when a dashboard takes it for its guard.
#[derive(Default)]
pub(super) struct Attached {
    directory: OnceLock<PathBuf>,
    opened: OnceLock<Arc<SignIn>>,
    failed: Mutex<Option<Tick>>,
}

/// A directory that could not be opened is not tried again for so long: it may take seconds to learn that it cannot be.
const RETRY_NS: u64 = 1_000_000_000;

impl Auth {
    /// Users, sessions and revocations lie here from now on, unless there is a place for them already. What cannot be opened now is
    /// tried again when somebody asks; until then nobody is let in.
    pub(crate) fn attach(&self, directory: &Path) {
        if self.0.config.login.enabled && self.0.attached.directory.set(directory.to_owned()).is_ok() {
            drop(self.sign_in());
        }
    }

    /// The sign-in, if there is one.
    pub(crate) fn sign_in(&self) -> Result<Option<&Arc<SignIn>>, Error> {
        let attached = &self.0.attached;
        let Some(directory) = attached.directory.get() else { return Ok(None) };
        if let Some(opened) = attached.opened.get() {
            return Ok(Some(opened));
        }
        let mut failed = attached.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.0.clock.tick();
        if failed.is_some_and(|failed| failed.until(now) < RETRY_NS) {
            return Err(Error::new(ErrorKind::Storage, "access.db could not be opened just now"));
        }
        if attached.opened.get().is_none() {
            match SignIn::open(directory, &self.0.clock, &self.0.config.login, Arc::clone(&self.0.tally)) {
                Ok(opened) => drop(attached.opened.set(Arc::new(opened))),
                Err(error) => {
                    tracing::error!(error = %error.chain(), "nobody can be let in");
                    *failed = Some(now);
                    return Err(error);
                }
            }
        }
        Ok(attached.opened.get())
    }

    /// Whose session a request carries, for who cannot hand out new tokens.
    ///
    /// # Errors
    ///
    /// [`Reason::Missing`] if it carries none, [`Reason::Session`] if it is over.
    pub(super) async fn glance(&self, headers: &http::HeaderMap) -> Result<Session, Reason> {
        let unknowable = |error: Error| {
            tracing::error!(error = %error.chain(), "whose session it is cannot be known: it is refused");
            Reason::KeysUnavailable
        };
        let insecure = self.0.config.login.insecure_cookies_for_loopback;
        let token = SessionCookie::find(headers, insecure).map_err(|_| Reason::Session)?.ok_or(Reason::Missing)?;
        let Some(sign_in) = self.sign_in().map_err(unknowable)? else { return Err(Reason::Missing) };
        sign_in.glance(token).await.map_err(unknowable)?.map_err(|_| Reason::Session)
    }

    /// The role of whoever is signed in; for guards, which may not wait: one small read of access.db.
    pub(super) fn role_by_session(&self, headers: &http::HeaderMap) -> Option<Role> {
        let insecure = self.0.config.login.insecure_cookies_for_loopback;
        let token = SessionCookie::find(headers, insecure).ok()??;
        let found = self.sign_in().ok()??.db().look(&token);
        found
            .inspect_err(|error| tracing::error!(error = %error.chain(), "whose session it is cannot be known"))
            .ok()?
            .ok()
            .map(|session| session.role())
    }

    /// Whether a good token was revoked in access.db.
    pub(super) fn is_revoked_there(&self, who: &Identity) -> Result<bool, Error> {
        let Some(sign_in) = self.sign_in()? else { return Ok(false) };
        sign_in.denies(TokenFacts {
            issuer: who.issuer(),
            id: who.token_id(),
            subject: who.subject(),
            issued: who.issued_at.map(|seconds| seconds as i64),
        })
    }
}

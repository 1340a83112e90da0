use std::{path::Path, sync::Arc};

use super::{
    attached::Retry,
    auth::Auth,
    identity::Identity,
    reason::Reason,
    signin::{cookies::SessionCookie, revocations::TokenFacts, session::Session, sign_in::SignIn},
};
use crate::{
    access::Role,
    error::{Error, ErrorKind},
};

const RETRY_NS: u64 = 1_000_000_000;

impl Auth {
    /// Users, sessions and revocations lie here from now on, unless there is a place for them already. What cannot be opened now is
    /// tried again when somebody asks; until then nobody is let in. Blocks.
    pub(crate) fn attach(&self, directory: &Path) -> Result<(), Error> {
        if self.0.attached.directory.set(directory.to_owned()).is_ok() { self.open() } else { Ok(()) }
    }

    fn open(&self) -> Result<(), Error> {
        let attached = &self.0.attached;
        let Some(directory) = attached.directory.get() else { return Ok(()) };
        let opened = SignIn::open(directory, &self.0.clock, &self.0.config.login, Arc::clone(&self.0.tally));
        // After the attempt, which may have taken long.
        *attached.retry() = Retry { is_running: false, failed: opened.is_err().then(|| self.0.clock.tick()) };
        match opened {
            Ok(opened) => {
                drop(attached.opened.set(Arc::new(opened)));
                Ok(())
            }
            Err(error) => {
                tracing::error!(error = %error.chain(), "nobody can be let in");
                Err(error)
            }
        }
    }

    /// The sign-in, if there is one. Never waits for a file.
    pub(crate) fn sign_in(&self) -> Result<Option<&Arc<SignIn>>, Error> {
        let attached = &self.0.attached;
        if attached.directory.get().is_none() {
            return Ok(None);
        }
        if let Some(opened) = attached.opened.get() {
            return Ok(Some(opened));
        }
        let mut retry = attached.retry();
        let now = self.0.clock.tick();
        if !retry.is_running && retry.failed.is_none_or(|failed| failed.until(now) >= RETRY_NS) {
            let auth = self.clone();
            let work = move || drop(auth.open());
            retry.is_running = std::thread::Builder::new().name("analytics-access".to_owned()).spawn(work).is_ok();
        }
        Err(Error::new(ErrorKind::Storage, "access.db could not be opened; it is tried again"))
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
        let login = &self.0.config.login;
        if !login.enabled {
            return Err(Reason::Missing);
        }
        let token =
            SessionCookie::find(headers, login.insecure_cookies_for_loopback).map_err(|_| Reason::Session)?.ok_or(Reason::Missing)?;
        let Some(sign_in) = self.sign_in().map_err(unknowable)? else { return Err(Reason::Missing) };
        sign_in.glance(token).await.map_err(unknowable)?.map_err(|_| Reason::Session)
    }

    /// The role of whoever is signed in; for guards, which may not wait: one small read of access.db.
    pub(super) fn role_by_session(&self, headers: &http::HeaderMap) -> Option<Role> {
        let login = Some(&self.0.config.login).filter(|login| login.enabled)?;
        let token = SessionCookie::find(headers, login.insecure_cookies_for_loopback).ok()??;
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

use std::{
    fmt,
    net::IpAddr,
    path::Path,
    sync::{Arc, Once},
};

use super::{
    access_db::AccessDb,
    accounts::User,
    denied::Denied,
    hash_budget::HashBudget,
    passwords::{Password, Passwords, Verdict},
    revocations::TokenFacts,
    session::{Begun, Refusal, Resumed},
    session_token::SessionToken,
    throttle::{Attempt, Throttle, Wait},
};
use crate::{
    auth::{
        audit,
        login::Login,
        tally::{SignInOutcome, Tally},
    },
    clock::Clock,
    error::{Error, ErrorKind},
};

/// All that signing in needs: who may, who tried, who is in. Shared by every page and the verify route of one [`Auth`](crate::Auth).
pub(crate) struct SignIn {
    db: Arc<AccessDb>,
    passwords: Passwords,
    budget: HashBudget,
    throttle: Throttle,
    denied: Denied,
    clock: Clock,
    tally: Arc<Tally>,
}

/// Said once: guessing is slowed down better where addresses are known.
static UNKNOWN_ADDRESS: Once = Once::new();

/// Why somebody is not in.
#[derive(Debug)]
pub(crate) enum NotIn {
    /// Tried too often.
    Wait(Wait),
    /// Too many sign in at this moment.
    Busy,
    /// Another password, no such user, a disabled one, or one without any role: nobody outside learns which.
    Wrong,
    /// It cannot be known.
    Broken(Error),
}

/// Who came to the form, from where.
pub(crate) struct Applicant {
    pub(crate) name: String,
    pub(crate) password: Password,
    pub(crate) address: Option<IpAddr>,
    /// The session that the browser has now; it ends.
    pub(crate) before: Option<SessionToken>,
}

impl SignIn {
    /// Opens or makes `access.db` in the directory. Takes the time of one password hash.
    pub(crate) fn open(directory: &Path, clock: &Clock, login: &Login, tally: Arc<Tally>) -> Result<Self, Error> {
        let db = Arc::new(AccessDb::open(directory, clock.clone(), login.limits())?);
        for name in db.users_to_rehash()? {
            tracing::warn!(user = name, "has a password hash that is refused: set the password anew, `tower-analytics user passwd`");
        }
        Ok(Self {
            db,
            passwords: Passwords::new()?,
            budget: HashBudget::default(),
            throttle: Throttle::new(clock.clone()),
            denied: Denied::default(),
            clock: clock.clone(),
            tally,
        })
    }

    /// The questions of the file itself. All of them block.
    pub(crate) fn db(&self) -> &Arc<AccessDb> {
        &self.db
    }

    /// Checks in this order: how often this was tried, room to hash, the password, roles. Each failure takes the same time.
    pub(crate) async fn admit(self: &Arc<Self>, who: Applicant) -> Result<Begun, NotIn> {
        let outcome = self.attempt(who).await;
        self.tally.signed_in(match &outcome {
            Ok(_) => SignInOutcome::In,
            Err(NotIn::Wrong) => SignInOutcome::Wrong,
            Err(NotIn::Wait(_)) => SignInOutcome::Throttled,
            Err(NotIn::Busy) => SignInOutcome::Busy,
            Err(NotIn::Broken(_)) => SignInOutcome::Broken,
        });
        outcome
    }

    async fn attempt(self: &Arc<Self>, who: Applicant) -> Result<Begun, NotIn> {
        if who.address.is_none() {
            UNKNOWN_ADDRESS.call_once(|| {
                tracing::warn!("somebody signs in from an unknown address: use `into_make_service_with_connect_info::<SocketAddr>()`");
            });
        }
        let attempt = self.throttle.admit(&who.name, who.address).map_err(|wait| {
            audit::login_throttled(who.address, wait.seconds());
            NotIn::Wait(wait)
        })?;
        let (shared, name, address) = (Arc::clone(self), who.name.clone(), who.address);
        let work = move || shared.checked(&who);
        let begun = match self.budget.run(work).await {
            Ok(result) => result,
            Err(error) => {
                self.throttle.withdrawn(&attempt);
                return Err(if error.kind() == ErrorKind::Full { NotIn::Busy } else { NotIn::Broken(error) });
            }
        };
        self.settle(&attempt, begun, &name, address)
    }

    /// On a thread for blocking.
    fn checked(&self, who: &Applicant) -> Result<Option<Begun>, Error> {
        let user = self.db.user(&who.name)?;
        let verdict = self.passwords.verify(&who.password, user.as_ref().map(|user| &user.hash));
        let Some(user) = user.filter(|user| verdict != Verdict::Wrong && may_enter(user)) else { return Ok(None) };
        if verdict == Verdict::RightRehash {
            self.rehash(&user, &who.password);
        }
        self.db.begin(&user, who.before.as_ref())
    }

    /// It is no reason to keep somebody out that this fails.
    fn rehash(&self, user: &User, password: &Password) {
        let renewed = self.passwords.hash(password).and_then(|hash| self.db.rehash(user, &hash));
        if let Err(error) = renewed {
            tracing::warn!(error = %error.chain(), "a weak password hash could not be renewed");
        }
    }

    fn settle(&self, attempt: &Attempt, begun: Result<Option<Begun>, Error>, name: &str, address: Option<IpAddr>) -> Result<Begun, NotIn> {
        match begun {
            Ok(Some(begun)) => {
                let is_odd = self.throttle.succeeded(attempt);
                audit::login_succeeded(name, address, &begun, is_odd);
                Ok(begun)
            }
            Ok(None) => {
                audit::login_failed(address);
                Err(NotIn::Wrong)
            }
            Err(error) => {
                self.throttle.withdrawn(attempt);
                Err(NotIn::Broken(error))
            }
        }
    }

    /// Adds the first user, as admin, and signs in. `None` if there is one by now.
    #[cfg(feature = "cli")]
    pub(crate) async fn first_admin(self: &Arc<Self>, name: String, password: Password) -> Result<Option<Begun>, Error> {
        let shared = Arc::clone(self);
        let work = move || {
            let hash = shared.passwords.hash(&password)?;
            if !shared.db.add_first_user(&name, &hash, &["admin"])? {
                return Ok(None);
            }
            let user = shared.db.user(&name)?.ok_or_else(|| Error::new(ErrorKind::Storage, "the user that was just added is gone"))?;
            let begun = shared.db.begin(&user, None)?;
            if let Some(begun) = &begun {
                audit::first_admin(&name, begun);
            }
            Ok(begun)
        };
        self.budget.run(work).await?
    }

    /// Whose session it is; for pages, which hand out the next token when it is time. Off the async threads.
    pub(crate) async fn resume(&self, token: SessionToken) -> Result<Result<Resumed, Refusal>, Error> {
        let db = Arc::clone(&self.db);
        off_thread(move || db.resume(&token)).await
    }

    /// Whose session it is, noted as in use, with no new token: for who cannot hand one out.
    pub(crate) async fn glance(&self, token: SessionToken) -> Result<Result<super::session::Session, Refusal>, Error> {
        let db = Arc::clone(&self.db);
        off_thread(move || db.glance(&token)).await
    }

    /// Whether a token that is good counts no more.
    pub(crate) fn denies(&self, token: TokenFacts<'_>) -> Result<bool, Error> {
        self.denied.covers(token, &self.db, &self.clock)
    }

    /// The list of revocations was changed by this process.
    pub(crate) fn revocations_changed(&self) {
        self.denied.forget();
    }
}

/// Whoever has any role: what it opens is for guards and policies to say.
fn may_enter(user: &User) -> bool {
    !user.is_disabled && !user.roles.is_empty()
}

pub(crate) async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Error::new(ErrorKind::Storage, "a question to access.db panicked").with_source(error))?
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignIn").field("db", &self.db).finish_non_exhaustive()
    }
}

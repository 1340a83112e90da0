use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use sha2::{Digest, Sha256};

use crate::{
    access::{Guard, Head, Role},
    clock::{Clock, Millis},
    error::{Error, ErrorKind},
};

/// The way in on a first start: a link that whoever reads the terminal can open, good for ten minutes and one use,
/// exchanged by a button for a session. A button, because programs that preview links follow them.
///
/// Neither the link's secret nor a session's is kept, only their hashes.
#[derive(Clone)]
pub(crate) struct OneTimeLink {
    state: Arc<Mutex<State>>,
    clock: Clock,
}

struct State {
    link: Option<(Hash, Millis)>,
    sessions: HashMap<Hash, Millis>,
}

type Hash = [u8; 32];

/// The session's cookie.
pub(crate) const LINK_COOKIE: &str = "analytics_session";

const LINK_LIVES: Duration = Duration::from_secs(10 * 60);
const SESSION_LIVES: Duration = Duration::from_secs(12 * 3600);

impl OneTimeLink {
    /// A new link and the secret that stands in it.
    pub(crate) fn new(clock: Clock) -> Result<(Self, String), Error> {
        let secret = random()?;
        let expires = clock.millis() + LINK_LIVES.as_millis() as i64;
        let state = State { link: Some((hash(&secret), expires)), sessions: HashMap::new() };
        Ok((Self { state: Arc::new(Mutex::new(state)), clock }, secret))
    }

    /// Whether the link still opens; asked before the button is shown.
    pub(crate) fn is_good(&self, secret: &str) -> bool {
        let now = self.clock.millis();
        self.state().link.is_some_and(|(link, expires)| link == hash(secret) && now < expires)
    }

    /// Uses the link up and gives a session for it.
    pub(crate) fn exchange(&self, secret: &str) -> Result<Option<String>, Error> {
        let session = random()?;
        let now = self.clock.millis();
        let mut state = self.state();
        // Hashes are compared, so the time it takes tells nothing about the secret.
        if state.link.take_if(|(link, expires)| *link == hash(secret) && now < *expires).is_none() {
            return Ok(None);
        }
        state.sessions.retain(|_, expires| now < *expires);
        state.sessions.insert(hash(&session), now + SESSION_LIVES.as_millis() as i64);
        Ok(Some(session))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Guard for OneTimeLink {
    fn role(&self, head: &Head<'_>) -> Option<Role> {
        let now = self.clock.millis();
        let cookies = head.headers().get_all(http::header::COOKIE).iter().filter_map(|line| line.to_str().ok());
        let mut ours = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let (_, session) = ours.find(|(name, _)| *name == LINK_COOKIE)?;
        self.state().sessions.get(&hash(session)).filter(|expires| now < **expires).map(|_| Role::Admin)
    }
}

fn hash(secret: &str) -> Hash {
    Sha256::digest(secret.as_bytes()).into()
}

/// 256 bits as hex.
fn random() -> Result<String, Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::new(ErrorKind::Storage, "the system has no randomness for a sign-in link").with_source(error))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    fn link() -> (OneTimeLink, String, Clock) {
        let clock = Clock::manual(SystemTime::UNIX_EPOCH);
        let (link, secret) = OneTimeLink::new(clock.clone()).unwrap();
        (link, secret, clock)
    }

    #[test]
    fn a_link_opens_once() {
        let (link, secret, _) = link();
        assert!(link.is_good(&secret) && !link.is_good("guess"));
        assert!(link.exchange("guess").unwrap().is_none());
        assert!(link.exchange(&secret).unwrap().is_some());
        assert!(link.exchange(&secret).unwrap().is_none() && !link.is_good(&secret));
    }

    #[test]
    fn a_link_is_good_for_ten_minutes_and_its_session_for_twelve_hours() {
        let (one, secret, clock) = link();
        clock.advance(LINK_LIVES);
        assert!(!one.is_good(&secret) && one.exchange(&secret).unwrap().is_none());
        let (two, secret, clock) = link();
        let session = two.exchange(&secret).unwrap().unwrap();
        let request = http::Request::builder().header("cookie", format!("a=b; {LINK_COOKIE}={session}")).body(()).unwrap();
        let role = || two.role(&crate::layer::head_of(&request, None, &crate::layer::Proxies::default()));
        assert_eq!(role(), Some(Role::Admin));
        clock.advance(SESSION_LIVES);
        assert_eq!(role(), None);
    }
}

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sha2::{Digest, Sha256};

use crate::{
    clock::{Clock, Millis},
    error::{Error, ErrorKind},
};

/// The way in on a first start: a link that whoever reads the terminal can open, good for ten minutes and one use. It leads to a form
/// that makes the first admin; a form, because programs that preview links follow them.
///
/// The link's secret is not kept, only its hash.
#[derive(Clone)]
pub(crate) struct OneTimeLink {
    link: Arc<Mutex<Option<(Hash, Millis)>>>,
    clock: Clock,
}

type Hash = [u8; 32];

const LINK_LIVES: Duration = Duration::from_secs(10 * 60);

impl OneTimeLink {
    /// A new link and the secret that stands in it.
    pub(crate) fn new(clock: Clock) -> Result<(Self, String), Error> {
        let secret = random()?;
        let expires = clock.millis() + LINK_LIVES.as_millis() as i64;
        Ok((Self { link: Arc::new(Mutex::new(Some((hash(&secret), expires)))), clock }, secret))
    }

    /// Whether the link still opens.
    pub(crate) fn is_good(&self, secret: &str) -> bool {
        let now = self.clock.millis();
        // Hashes are compared, so the time it takes tells nothing about the secret.
        self.link.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|(link, expires)| link == hash(secret) && now < expires)
    }

    /// It has served.
    pub(crate) fn use_up(&self) {
        *self.link.lock().unwrap_or_else(PoisonError::into_inner) = None;
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

    #[test]
    fn a_link_is_good_once_and_for_ten_minutes() {
        let clock = Clock::manual(SystemTime::UNIX_EPOCH);
        let (link, secret) = OneTimeLink::new(clock.clone()).unwrap();
        assert!(link.is_good(&secret) && !link.is_good("guess"));
        clock.advance(LINK_LIVES);
        assert!(!link.is_good(&secret));
        let (link, secret) = OneTimeLink::new(clock).unwrap();
        link.use_up();
        assert!(!link.is_good(&secret));
    }
}

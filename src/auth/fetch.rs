use std::time::Duration;

use crate::error::Error;

/// Brings an issuer's JWK set from wherever it is; a closure `Fn() -> Result<Vec<u8>, Error>` is one.
///
/// Called on a thread of its own, never on a request's: at first, then every eight minutes or as [`fresh_for`](Self::fresh_for) says, and
/// when a token names a key that is not known, at most once in 30 seconds. It should give up by itself, after five seconds say: while it waits, nothing else is refreshed.
/// Longer answers than 256 KiB are not read. What it brings is believed, so fetch with TLS, from a fixed address, without redirects.
///
/// ```
/// use tower_analytics::{Error, auth::KeyFetcher};
///
/// fn takes_a_fetcher(_: impl KeyFetcher) {}
/// takes_a_fetcher(|| -> Result<Vec<u8>, Error> { Ok(br#"{"keys": []}"#.to_vec()) });
/// ```
pub trait KeyFetcher: Send + Sync + 'static {
    /// The document, as JSON.
    ///
    /// # Errors
    ///
    /// If it could not be fetched. The keys from before stay for a day.
    fn fetch(&self) -> Result<Vec<u8>, Error>;

    /// For how long what was fetched last is fresh, if whoever sent it said so. Between a minute and a day; it is fetched again when four
    /// fifths of that are over. Defaults to ten minutes.
    fn fresh_for(&self) -> Option<Duration> {
        None
    }
}

impl<F: Fn() -> Result<Vec<u8>, Error> + Send + Sync + 'static> KeyFetcher for F {
    fn fetch(&self) -> Result<Vec<u8>, Error> {
        self()
    }
}

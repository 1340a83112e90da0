use crate::error::Error;

/// Brings an issuer's JWK set from wherever it is; a closure `Fn() -> Result<Vec<u8>, Error>` is one.
///
/// Called on a thread of its own, never on a request's: at first, then every eight minutes, and when a token names a key that is not
/// known, at most once in 30 seconds. It should give up by itself, after five seconds say: while it waits, nothing else is refreshed.
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
}

impl<F: Fn() -> Result<Vec<u8>, Error> + Send + Sync + 'static> KeyFetcher for F {
    fn fetch(&self) -> Result<Vec<u8>, Error> {
        self()
    }
}

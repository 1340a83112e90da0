use std::time::Duration;

/// How long sign-in sessions live, and how many there are (OWASP, Session Management; ASVS 5, 7.1).
#[derive(Clone, Copy, Debug)]
pub(crate) struct SessionLimits {
    /// Without a request. Defaults to 30 min.
    pub(crate) idle: Duration,
    /// From the sign-in on, whatever happens. Defaults to 12 h.
    pub(crate) absolute: Duration,
    /// How old a token gets. Defaults to 1 h.
    pub(crate) rotate: Duration,
    /// How long the token before goes on working, for requests that were under way. Defaults to 30 s.
    pub(crate) grace: Duration,
    /// A user's; one more ends the oldest. Defaults to 5.
    pub(crate) per_user: u32,
    /// Everybody's together; one more ends the longest unused. Defaults to 10 000.
    pub(crate) total: u32,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(30 * 60),
            absolute: Duration::from_secs(12 * 3600),
            rotate: Duration::from_secs(3600),
            grace: Duration::from_secs(30),
            per_user: 5,
            total: 10_000,
        }
    }
}

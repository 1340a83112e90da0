use std::time::Duration;

use crate::clock::Clock;

/// How a [`Recorder`](crate::Recorder) works; every value has a default.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// The time. Defaults to the system's.
    pub clock: Clock,
    /// The most that waits for the writer, in bytes. Defaults to 32 MiB.
    pub queue_bytes: usize,
    /// The most hits written together. Defaults to 8192.
    pub batch_hits: usize,
    /// How long a hit waits at most for others to be written with. Defaults to 200 ms.
    pub batch_age: Duration,
    /// How often sessions that ended are put away and readers are told. Defaults to 2 s.
    pub checkpoint_age: Duration,
    /// The gap that ends a session. Defaults to 30 minutes.
    pub session_timeout: Duration,
    /// The age that ends a session. Defaults to 24 hours.
    pub session_longest: Duration,
    /// The most sessions open at once; past it, those idle for longest end first. Defaults to 200 000.
    pub open_sessions: usize,
    /// Endpoint patterns whose hits are no actions. Defaults to health checks, `OPTIONS`, `HEAD` and the like.
    pub noise: Vec<String>,
}

/// What is no action of a person, unless the settings say otherwise.
pub const DEFAULT_NOISE: [&str; 9] =
    ["OPTIONS *", "HEAD *", "/health", "/healthz", "/ready", "/metrics", "/favicon.ico", "/robots.txt", "(unmatched)"];

impl Default for Settings {
    fn default() -> Self {
        Self {
            clock: Clock::system(),
            queue_bytes: 32 << 20,
            batch_hits: 8192,
            batch_age: Duration::from_millis(200),
            checkpoint_age: Duration::from_secs(2),
            session_timeout: Duration::from_secs(30 * 60),
            session_longest: Duration::from_secs(24 * 3600),
            open_sessions: 200_000,
            noise: DEFAULT_NOISE.map(str::to_owned).into(),
        }
    }
}

//! Every value that can be set, with its default; the builder and a TOML file fill the same struct.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

#[cfg(feature = "auth")]
use crate::auth::AuthConfig;
use crate::{
    aging::RetentionRules,
    error::{Error, ErrorKind},
    pattern::{Endpoints, Routes},
    shown::{Feature, Shown},
    zone::Zone,
};

/// All settings. `Config::default()` is what `Analytics::open` uses; unknown keys are refused.
///
/// ```
/// use tower_analytics::Config;
///
/// let mut config = Config::default();
/// config.base_path = "/stats".to_owned();
/// config.recording.session_timeout_s = 20 * 60;
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Config {
    /// The data directory. Defaults to `analytics-data`.
    pub data: PathBuf,
    /// The address that `tower-analytics serve` listens on, with its port. Defaults to `127.0.0.1:8089`.
    pub listen: String,
    /// Where the pages are, without a slash at the end. Defaults to `/analytics`.
    pub base_path: String,
    /// What people type to get here, if a proxy changes it, such as `https://example.com/ops`. Its path stands before every link.
    /// Defaults to none: links follow the request.
    pub public_url: Option<String>,
    /// The IANA time zone of the reporting days, such as `Europe/Berlin`. A change makes the roll-ups of all months anew, between batches.
    /// Defaults to `UTC`.
    pub time_zone: String,
    /// Networks whose forwarding headers are believed; never everybody (`0.0.0.0/0`). Defaults to loopback.
    pub trusted_proxies: Vec<String>,
    /// Whether a directory in which another process records is an error rather than a reason to wait. Defaults to false.
    pub require_writer: bool,
    /// Route templates for services without axum, such as `/items/{id}`. Defaults to none.
    pub routes: Vec<String>,
    /// Named groups of endpoints. What none covers falls under its first path segment. Defaults to none.
    pub features: Vec<Feature>,
    /// What people call an endpoint, by its method and route template (`GET /users/{id}`) or its template alone. Defaults to none: the
    /// template, made readable.
    pub endpoint_names: BTreeMap<String, String>,
    /// How recording works.
    pub recording: Recording,
    /// How long what was recorded is kept. Defaults to for ever.
    pub retention: RetentionRules,
    /// Whose tokens open the pages of `tower-analytics serve`. An app of your own gives its dashboard a guard itself, such as
    /// `Auth::builder().config(..)` with what stands here. Defaults to none.
    #[cfg(feature = "auth")]
    pub auth: Option<AuthConfig>,
}

/// How recording works; part of [`Config`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Recording {
    /// The most that waits for the writer, in bytes. Defaults to 32 MiB.
    pub queue_bytes: usize,
    /// The most hits written together. Defaults to 8192.
    pub batch_hits: usize,
    /// How long a hit waits at most for others to be written with, in milliseconds. Defaults to 200.
    pub batch_age_ms: u64,
    /// How often sessions that ended are put away and readers see what is new, in milliseconds. Defaults to 2000.
    pub checkpoint_age_ms: u64,
    /// The gap that ends a session, in seconds. Defaults to 1800.
    pub session_timeout_s: u64,
    /// The age that ends a session, in seconds. Defaults to 86 400.
    pub session_longest_s: u64,
    /// The most sessions open at once; past it, those idle for longest end first. Defaults to 200 000.
    pub open_sessions: usize,
    /// Endpoint patterns whose hits are no actions. Defaults to health checks, `OPTIONS`, `HEAD` and the like.
    pub noise: Vec<String>,
    /// Users kept apart; later ones share `(other)`. Defaults to 100 million.
    pub users: u32,
    /// Endpoints kept apart. Defaults to 5000.
    pub endpoints: u32,
    /// Devices (platform, version, name, bot class) kept apart. Defaults to 10 000.
    pub devices: u32,
    /// Errors kept apart. Defaults to 5000.
    pub errors: u32,
    /// Visitors kept apart in one UTC day. Defaults to 500 000.
    pub visitors_a_day: u32,
}

/// A day's visitors are numbered in 24 bits.
const MOST_VISITORS: u32 = 1 << 24;

impl Default for Config {
    fn default() -> Self {
        Self {
            data: "analytics-data".into(),
            listen: "127.0.0.1:8089".to_owned(),
            base_path: "/analytics".to_owned(),
            public_url: None,
            time_zone: "UTC".to_owned(),
            trusted_proxies: crate::layer::DEFAULT_TRUSTED_PROXIES.map(str::to_owned).into(),
            require_writer: false,
            routes: Vec::new(),
            features: Vec::new(),
            endpoint_names: BTreeMap::new(),
            recording: Recording::default(),
            retention: RetentionRules::default(),
            #[cfg(feature = "auth")]
            auth: None,
        }
    }
}

impl Default for Recording {
    fn default() -> Self {
        let recorder = crate::recorder::Settings::default();
        Self {
            queue_bytes: recorder.queue_bytes,
            batch_hits: recorder.batch_hits,
            batch_age_ms: recorder.batch_age.as_millis() as u64,
            checkpoint_age_ms: recorder.checkpoint_age.as_millis() as u64,
            session_timeout_s: recorder.session_timeout.as_secs(),
            session_longest_s: recorder.session_longest.as_secs(),
            open_sessions: recorder.open_sessions,
            noise: recorder.noise,
            users: 100_000_000,
            endpoints: 5_000,
            devices: 10_000,
            errors: 5_000,
            visitors_a_day: 500_000,
        }
    }
}

impl Config {
    /// Everything that is wrong, in one error.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let wrong = self.faults();
        if wrong.is_empty() { Ok(()) } else { Err(Error::new(ErrorKind::Config, wrong.join("; "))) }
    }

    /// Everything that is wrong, but in the `auth` table, which is read where it is used.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut check = |right: bool, message: &str| {
            if !right {
                wrong.push(message.to_owned());
            }
        };
        check(self.listen.parse::<SocketAddr>().is_ok(), "listen must be an address and a port such as \"127.0.0.1:8089\"");
        let base = &self.base_path;
        check(
            base.starts_with('/') && base.len() > 1 && !base.ends_with('/') && !base.contains(['{', '}', '?', '#']) && !base.contains("//"),
            "base_path must be a path such as \"/analytics\", with no slash at the end",
        );
        let url = self.public_url.as_deref();
        check(
            url.is_none_or(|url| (url.starts_with("http://") || url.starts_with("https://")) && url.parse::<http::Uri>().is_ok()),
            "public_url must be a URL such as \"https://example.com\"",
        );
        let r = &self.recording;
        check((64 << 10..=1 << 30).contains(&r.queue_bytes), "recording.queue_bytes must lie between 64 KiB and 1 GiB");
        check((1..=28_000).contains(&r.batch_hits), "recording.batch_hits must lie between 1 and 28 000");
        check((1..=60_000).contains(&r.batch_age_ms), "recording.batch_age_ms must lie between 1 and 60 000");
        check((1..=60_000).contains(&r.checkpoint_age_ms), "recording.checkpoint_age_ms must lie between 1 and 60 000");
        check((1..=86_400).contains(&r.session_timeout_s), "recording.session_timeout_s must lie between 1 and 86 400");
        check((1..=7 * 86_400).contains(&r.session_longest_s), "recording.session_longest_s must lie between 1 and 604 800");
        check(r.open_sessions >= 1, "recording.open_sessions must be at least 1");
        check(r.visitors_a_day < MOST_VISITORS, "recording.visitors_a_day must lie below 16 777 216");
        let zone = Zone::new(&self.time_zone).err();
        let (mut routes, mut noise) = (Routes::default(), Endpoints::default());
        let routes = self.routes.iter().filter_map(|template| routes.insert(template).err());
        let noise = r.noise.iter().filter_map(|pattern| noise.insert(pattern).err());
        let mut keys: Vec<&str> = self.features.iter().map(|feature| feature.key.as_str()).collect();
        keys.sort_unstable();
        for pair in keys.windows(2).filter(|pair| pair[0] == pair[1]) {
            wrong.push(format!("two features have the key {:?}", pair[0]));
        }
        wrong.extend(keys.first().filter(|key| key.is_empty()).map(|_| "a feature has no key".to_owned()));
        let mut patterns = Endpoints::default();
        let features = self.features.iter().flat_map(|feature| &feature.endpoints).filter_map(|pattern| patterns.insert(pattern).err());
        let proxies = crate::layer::Proxies::new(&self.trusted_proxies).err();
        wrong.extend(self.retention.faults());
        wrong.extend(routes.chain(noise).chain(features).chain(proxies).chain(zone).map(|error| error.chain()));
        wrong
    }

    /// What the store keeps for whoever answers questions.
    pub(crate) fn shown(&self) -> Shown {
        Shown { features: self.features.clone(), endpoint_names: self.endpoint_names.clone() }
    }

    pub(crate) fn session_timeout(&self) -> Duration {
        Duration::from_secs(self.recording.session_timeout_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_right() {
        Config::default().check().unwrap();
    }

    #[test]
    fn all_errors_are_said_at_once() {
        let mut config = Config { base_path: "analytics/".to_owned(), ..Config::default() };
        config.recording.batch_hits = 0;
        config.trusted_proxies.push("nonsense".to_owned());
        config.routes.push("/{".to_owned());
        config.listen = "localhost".to_owned();
        config.retention.drop_raw_after = Some("soon".to_owned());
        let message = config.check().unwrap_err().to_string();
        for part in ["base_path", "batch_hits", "nonsense", "/{", "listen", "retention.drop_raw_after"] {
            assert!(message.contains(part), "{part} in {message}");
        }
    }

    #[test]
    fn unknown_keys_are_refused() {
        let error = serde_json::from_str::<Config>(r#"{"recording": {"batch_sice": 5}}"#).unwrap_err();
        assert!(error.to_string().contains("batch_sice"), "{error}");
    }

    #[cfg(feature = "auth")]
    #[test]
    fn secrets_in_the_settings_do_not_show() {
        let text = r#"{"auth": {"issuer": [{"keys": {"hmac": "hunter2", "hmacs": {"old": "hunter3"}}}]}}"#;
        let config: Config = serde_json::from_str(text).unwrap();
        let shown = format!("{config:?} {}", serde_json::to_string(&config).unwrap());
        assert!(shown.contains("Secret(..)") && !shown.contains("hunter"), "{shown}");
    }
}

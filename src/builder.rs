use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use crate::{
    access::Head,
    analytics::Analytics,
    clock::Clock,
    config::Config,
    error::{Error, ErrorKind},
    import::{Asked, Rules, Setting},
    layer::{AnalyticsLayer, Proxies, UserOf},
    recorder::{Recorder, Settings},
    report::Reports,
    shown::Feature,
    sink::Sink,
    store::{self, Caps, Store, TempDir},
    user::User,
    zone::Zone,
};

/// Settings of an [`Analytics`]; made by [`Analytics::builder`].
#[must_use = "nothing is recorded until `build` is called"]
pub struct Builder {
    config: Config,
    clock: Clock,
    user: Option<Arc<UserOf>>,
    owned: Option<TempDir>,
    /// Whether old months are looked after: not by a command that comes for something else.
    tends: bool,
}

impl Builder {
    pub(crate) fn new(data: PathBuf) -> Self {
        Self { config: Config { data, ..Config::default() }, clock: Clock::system(), user: None, owned: None, tends: true }
    }

    fn set(mut self, with: impl FnOnce(&mut Config)) -> Self {
        with(&mut self.config);
        self
    }

    /// All values at once; what was set before is replaced, the data directory too.
    pub fn config(self, config: Config) -> Self {
        self.set(|mine| *mine = config)
    }

    /// Where the pages are. Defaults to `/analytics`.
    pub fn base_path(self, path: impl Into<String>) -> Self {
        self.set(|config| config.base_path = path.into())
    }

    /// What people type to get here, if a proxy changes it. Defaults to none: links follow the request.
    pub fn public_url(self, url: impl Into<String>) -> Self {
        self.set(|config| config.public_url = Some(url.into()))
    }

    /// The IANA time zone of the reporting days, such as `Europe/Berlin`. A change makes the roll-ups of all months anew,
    /// between batches. Defaults to `UTC`.
    pub fn time_zone(self, name: impl Into<String>) -> Self {
        self.set(|config| config.time_zone = name.into())
    }

    /// Networks whose forwarding headers are believed. Defaults to loopback.
    pub fn trusted_proxies<T: Into<String>>(self, networks: impl IntoIterator<Item = T>) -> Self {
        self.set(|config| config.trusted_proxies = networks.into_iter().map(Into::into).collect())
    }

    /// Templates to match paths against where axum's `MatchedPath` is absent. Defaults to none.
    pub fn routes<T: Into<String>>(self, templates: impl IntoIterator<Item = T>) -> Self {
        self.set(|config| config.routes = templates.into_iter().map(Into::into).collect())
    }

    /// Says whose request it is, where neither the response nor the request carries a [`User`]. Defaults to nobody.
    /// See [`user::header`](crate::user::header) for a ready-made one.
    pub fn user(mut self, user: impl Fn(&Head<'_>) -> Option<User> + Send + Sync + 'static) -> Self {
        self.user = Some(Arc::new(user));
        self
    }

    /// A named group of endpoints: its key, what people call it, and its endpoint patterns. Mapped when a question is asked, so that a
    /// change shows at once on old hits. What no feature covers falls under its first path segment.
    pub fn feature<T: Into<String>>(self, key: impl Into<String>, name: impl Into<String>, endpoints: impl IntoIterator<Item = T>) -> Self {
        self.set(|config| config.features.push(Feature::new(key, name, endpoints)))
    }

    /// What people call an endpoint, by its method and route template (`GET /users/{id}`) or its template alone.
    pub fn endpoint_name(self, endpoint: impl Into<String>, name: impl Into<String>) -> Self {
        self.set(|config| drop(config.endpoint_names.insert(endpoint.into(), name.into())))
    }

    /// After which time the raw hits of a month are compressed and put away, such as `90d` or `13 months` from its end; its counts stay.
    /// Defaults to never. See [`RetentionRules`](crate::RetentionRules).
    pub fn archive_after(self, age: impl Into<String>) -> Self {
        self.set(|config| config.retention.archive_after = Some(age.into()))
    }

    /// Where they are put. Defaults to `archive` in the data directory.
    pub fn archive_to(self, directory: impl Into<PathBuf>) -> Self {
        self.set(|config| config.retention.archive_to = Some(directory.into()))
    }

    /// After which time the raw hits of a month are deleted, put away or not; its counts stay. Defaults to never.
    pub fn drop_raw_after(self, age: impl Into<String>) -> Self {
        self.set(|config| config.retention.drop_raw_after = Some(age.into()))
    }

    /// After which time everything of a month is deleted, its counts too. Defaults to never.
    pub fn drop_all_after(self, age: impl Into<String>) -> Self {
        self.set(|config| config.retention.drop_all_after = Some(age.into()))
    }

    /// The gap that ends a session. Defaults to 30 minutes.
    pub fn session_timeout(self, gap: Duration) -> Self {
        self.set(|config| config.recording.session_timeout_s = gap.as_secs())
    }

    /// The most that waits for the writer, in bytes. Defaults to 32 MiB.
    pub fn queue_bytes(self, bytes: usize) -> Self {
        self.set(|config| config.recording.queue_bytes = bytes)
    }

    /// How long a hit waits at most for others to be written with. Defaults to 200 ms.
    pub fn batch_age(self, age: Duration) -> Self {
        self.set(|config| config.recording.batch_age_ms = age.as_millis() as u64)
    }

    /// Endpoint patterns whose hits are no actions, such as `/health` or `OPTIONS *`.
    /// Defaults to [`DEFAULT_NOISE`](crate::recorder::DEFAULT_NOISE).
    pub fn noise<T: Into<String>>(self, patterns: impl IntoIterator<Item = T>) -> Self {
        self.set(|config| config.recording.noise = patterns.into_iter().map(Into::into).collect())
    }

    /// Makes it an error if another process records in the directory. Defaults to waiting, with the bounded queue,
    /// and taking over when that one ends, as in a rolling deploy.
    pub fn require_writer(self) -> Self {
        self.set(|config| config.require_writer = true)
    }

    /// The time. Defaults to the system's.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Old months stay as they are until somebody asks.
    #[cfg(feature = "cli")]
    pub(crate) fn without_tending(mut self) -> Self {
        self.tends = false;
        self
    }

    pub(crate) fn owning(mut self, directory: TempDir) -> Self {
        self.owned = Some(directory);
        self
    }

    /// Opens the directory and starts the one thread.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] with everything that is wrong in the settings, [`ErrorKind::Directory`] if the directory
    /// cannot be written, [`ErrorKind::NewerSchema`] if a newer version of this crate wrote it,
    /// [`ErrorKind::Locked`] if another process records there and [`require_writer`](Self::require_writer) was said.
    pub fn build(self) -> Result<Analytics, Error> {
        let Self { config, clock, user, owned, tends } = self;
        config.check()?;
        let settings = store::Settings { tends, ..store_settings(&config)? };
        let mut store = Store::new(config.data.clone(), settings).owning(owned);
        // Opened here, so that whoever starts the service hears what is wrong, and not only a log.
        if !store.ready()? {
            if config.require_writer {
                let message = format!("another process records in {}: stop it, or choose another directory", config.data.display());
                return Err(Error::new(ErrorKind::Locked, message));
            }
            tracing::info!(data = %config.data.display(), "another process records here; this one waits for it to end");
        }
        let recorder = Recorder::start_with(store, settings_of(&config, clock.clone()))?;
        let layer =
            AnalyticsLayer::new(recorder.clone()).routes(&config.routes)?.proxies(Proxies::new(&config.trusted_proxies)?).user_arc(user);
        let reports = Reports::new(&config.data, clock);
        tracing::info!(data = %config.data.display(), "analytics is open");
        Ok(Analytics::new(layer, recorder, reports, config))
    }
}

/// Makes the directory and brings it up to date, unless somebody records there: whether the lock was free. It is free again afterwards.
/// Whoever only looks changes nothing of how the service that records there wants its answers.
#[cfg(feature = "cli")]
pub(crate) fn prepare(config: &Config) -> Result<bool, Error> {
    let config = as_kept(config.clone())?;
    let settings = store_settings(&config)?;
    Store::new(config.data, settings).ready()
}

/// These settings, but for what the service that records in the directory has said of how it wants its answers.
#[cfg(feature = "cli")]
pub(crate) fn as_kept(mut config: Config) -> Result<Config, Error> {
    let Some(kept) = store::kept(&config.data) else { return Ok(config) };
    config.recording.session_timeout_s = (kept.session_timeout / 1000).unsigned_abs();
    config.time_zone = kept.zone;
    let shown: crate::shown::Shown = serde_json::from_str(&kept.shown).unwrap_or_default();
    (config.features, config.endpoint_names) = (shown.features, shown.endpoint_names);
    if let Some(Caps { users, endpoints, devices, errors, visitors_a_day }) = kept.caps {
        config.recording = crate::config::Recording { users, endpoints, devices, errors, visitors_a_day, ..config.recording };
    }
    config.retention = serde_json::from_str(&kept.retention).unwrap_or_default();
    Ok(config)
}

fn store_settings(config: &Config) -> Result<store::Settings, Error> {
    let r = &config.recording;
    let caps = Caps { users: r.users, endpoints: r.endpoints, devices: r.devices, errors: r.errors, visitors_a_day: r.visitors_a_day };
    Ok(store::Settings {
        caps,
        session_timeout: config.session_timeout().as_millis() as i64,
        zone: Zone::new(&config.time_zone)?,
        shown: serde_json::to_string(&config.shown()).unwrap_or_default(),
        first_import: Asked::left_in(&config.data).map(Asked::absolute).transpose()?.map(|asked| asked.to_argument()),
        open_source: Some(import_setting(config).into_opener()),
        retention: config.retention.absolute()?,
        tends: false,
    })
}

pub(crate) fn import_setting(config: &Config) -> Setting {
    let longest = i64::try_from(config.recording.session_longest_s * 1000).unwrap_or(i64::MAX);
    Setting {
        rules: Rules { timeout: config.session_timeout().as_millis() as i64, longest },
        noise: config.recording.noise.clone(),
        routes: config.routes.clone(),
    }
}

fn settings_of(config: &Config, clock: Clock) -> Settings {
    let r = &config.recording;
    Settings {
        clock,
        queue_bytes: r.queue_bytes,
        batch_hits: r.batch_hits,
        batch_age: Duration::from_millis(r.batch_age_ms),
        checkpoint_age: Duration::from_millis(r.checkpoint_age_ms),
        session_timeout: config.session_timeout(),
        session_longest: Duration::from_secs(r.session_longest_s),
        open_sessions: r.open_sessions,
        noise: r.noise.clone(),
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("config", &self.config).finish_non_exhaustive()
    }
}

#[cfg(all(test, feature = "cli"))]
mod tests {
    use super::*;
    use crate::report::Ask;

    #[test]
    fn what_a_start_that_ended_at_once_has_not_imported_the_next_one_imports() {
        let directory = tempfile::tempdir().unwrap();
        let session =
            r#"{"sessions": [{"session_id": "1", "discord_id": "ann", "started_at": "2025-12-01T10:00:00", "endpoints_used": {"a": 2}}]}"#;
        std::fs::write(directory.path().join("app_analytics.json"), session).unwrap();
        let config = Config { data: directory.path().to_owned(), ..Config::default() };
        // It makes analytics.db, and nothing else comes of it.
        assert!(prepare(&config).unwrap());
        let analytics = Analytics::builder(directory.path()).build().unwrap();
        let start = std::time::Instant::now();
        while analytics.reports().stats(&Ask::all_time()).unwrap().total_hits < 2 {
            assert!(start.elapsed() < Duration::from_secs(30), "nothing was imported");
            analytics.flush().unwrap();
        }
        analytics.shutdown(Duration::from_secs(5)).unwrap();
    }

    #[test]
    fn whoever_only_looks_leaves_the_services_settings_as_they_are() {
        let directory = tempfile::tempdir().unwrap();
        let builder = || {
            let clock = Clock::manual(std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600));
            let recording = crate::config::Recording { endpoints: 7, ..Default::default() };
            let config = Config { data: directory.path().to_owned(), recording, ..Config::default() };
            Analytics::builder(directory.path()).config(config).clock(clock).time_zone("Asia/Tokyo").feature("shop", "The shop", ["/items"])
        };
        let analytics = builder().build().unwrap();
        analytics.record(&crate::hit::Hit::new("GET", "/items"));
        analytics.shutdown(Duration::from_secs(5)).unwrap();
        let before = store::kept(directory.path());
        assert_eq!(before.as_ref().and_then(|kept| kept.caps).map(|caps| caps.endpoints), Some(7));
        assert!(prepare(&Config { data: directory.path().to_owned(), ..Config::default() }).unwrap());
        assert_eq!(store::kept(directory.path()), before);
        let features = Reports::open(directory.path()).unwrap().features(&Ask::all_time()).unwrap();
        assert_eq!(features.features[0].name, "The shop");
    }
}

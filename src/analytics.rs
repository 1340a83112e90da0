use std::{
    fmt,
    future::Future,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::{
    builder::{self, Builder},
    clock::Clock,
    config::Config,
    counters::{Counters, State},
    error::Error,
    hit::Hit,
    layer::AnalyticsLayer,
    maintenance::Maintenance,
    recorder::Recorder,
    report::Reports,
};

/// The handle: gives out the layer, the dashboard and the reports. Cheap to clone.
///
/// The writer's thread lives while a handle, layer or router of it lives; the last one dropped flushes for at most a
/// second. Say [`shutdown`](Self::shutdown) at the end of `main`, so that a clean stop loses nothing.
///
/// ```
/// # fn main() -> Result<(), tower_analytics::Error> {
/// # let dir = tempfile::tempdir().unwrap();
/// use std::time::Duration;
/// use axum::{Router, routing::get};
/// use tower_analytics::{Analytics, User};
///
/// let analytics = Analytics::builder(dir.path())
///     .user(|head| head.header("x-user-id").map(User::new))
///     .build()?;
/// let app: Router = Router::new().route("/items/{id}", get(|| async { "an item" })).layer(analytics.layer());
/// // ... serve the app ...
/// analytics.shutdown(Duration::from_secs(5))?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Analytics {
    inner: Arc<Inner>,
}

struct Inner {
    layer: AnalyticsLayer,
    recorder: Recorder,
    reports: Reports,
    config: Config,
    closing: AtomicBool,
}

impl Analytics {
    /// Records in this directory with all defaults, and makes it if it is not there.
    ///
    /// # Errors
    ///
    /// If the directory cannot be used, see [`Builder::build`].
    pub fn open(directory: impl Into<PathBuf>) -> Result<Self, Error> {
        Self::builder(directory).build()
    }

    /// Settings first.
    pub fn builder(directory: impl Into<PathBuf>) -> Builder {
        Builder::new(directory.into())
    }

    /// For tests: a directory of its own that goes when the last handle goes, and a clock that stands at the
    /// beginning of 2026 until it is moved.
    ///
    /// # Panics
    ///
    /// If the system's temporary directory cannot be written.
    ///
    /// ```
    /// use tower_analytics::{Analytics, Ask, Hit};
    ///
    /// # fn main() -> Result<(), tower_analytics::Error> {
    /// let (analytics, clock) = Analytics::testing();
    /// analytics.record(&Hit::new("GET", "/items"));
    /// clock.advance(std::time::Duration::from_secs(1));
    /// analytics.flush()?;
    /// assert_eq!(analytics.reports().stats(&Ask::all_time())?.total_hits, 1);
    /// # Ok(()) }
    /// ```
    #[must_use]
    #[allow(clippy::expect_used, reason = "a test wants to hear it at once")]
    pub fn testing() -> (Self, Clock) {
        let clock = Clock::manual(start_of_2026());
        let directory = crate::store::TempDir::new().expect("the temporary directory can be written");
        let analytics = Self::builder(directory.path()).clock(clock.clone()).owning(directory).build();
        (analytics.expect("an empty directory can be opened"), clock)
    }

    pub(crate) fn new(layer: AnalyticsLayer, recorder: Recorder, reports: Reports, config: Config) -> Self {
        Self { inner: Arc::new(Inner { layer, recorder, reports, config, closing: AtomicBool::new(false) }) }
    }

    /// The layer, to be added **last**: `Router::layer` covers only what was added before it.
    #[must_use]
    pub fn layer(&self) -> AnalyticsLayer {
        self.inner.layer.clone()
    }

    /// Records a hit that no layer saw. Never blocks, never fails; see [`Recorder::record`].
    pub fn record(&self, hit: &Hit) {
        self.inner.recorder.record(hit);
    }

    /// The recorder below the layer.
    #[must_use]
    pub fn recorder(&self) -> &Recorder {
        &self.inner.recorder
    }

    /// Questions.
    #[must_use]
    pub fn reports(&self) -> Reports {
        self.inner.reports.clone()
    }

    /// Work on what is stored: reprocess, archive, restore, merge.
    #[must_use]
    pub fn maintenance(&self) -> Maintenance {
        let config = &self.inner.config;
        Maintenance::new(config.data.clone(), self.inner.recorder.clone(), builder::import_setting(config))
    }

    /// What has been counted, drops by cause among it.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.inner.recorder.counters()
    }

    /// What the writer is doing.
    #[must_use]
    pub fn state(&self) -> State {
        self.inner.recorder.state()
    }

    /// Waits until everything recorded before is stored and reports see it. Blocks: not for async threads.
    ///
    /// # Errors
    ///
    /// If the store refuses, or another process records in the directory.
    pub fn flush(&self) -> Result<(), Error> {
        self.inner.recorder.flush()
    }

    /// Stops recording: writes everything that waits, and gives the directory free. Blocks, at most for the timeout.
    ///
    /// # Errors
    ///
    /// If the writer was not done in time, or the store refused to the end.
    pub fn shutdown(&self, timeout: Duration) -> Result<(), Error> {
        self.inner.recorder.shutdown(timeout)
    }

    /// For axum's `with_graceful_shutdown`: waits for your signal, then ends what we hold open ourselves, so that the
    /// server can drain.
    pub fn closing<F: Future>(&self, signal: F) -> impl Future<Output = ()> + use<F> {
        let inner = Arc::clone(&self.inner);
        async move {
            signal.await;
            inner.closing.store(true, Ordering::Relaxed);
            tracing::info!("analytics is closing");
        }
    }

    /// Whether the signal given to [`closing`](Self::closing) has come.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        self.inner.closing.load(Ordering::Relaxed)
    }

    #[cfg_attr(not(feature = "dashboard"), allow(dead_code, reason = "for the dashboard"))]
    pub(crate) fn config(&self) -> &Config {
        &self.inner.config
    }
}

impl fmt::Debug for Analytics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Analytics").field("data", &self.inner.config.data).field("recorder", &self.inner.recorder).finish_non_exhaustive()
    }
}

fn start_of_2026() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_767_225_600)
}

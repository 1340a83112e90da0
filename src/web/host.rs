use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{Router, routing::MethodRouter};

use super::{
    api::Document,
    dashboard::{self, Plugged},
    panel_data::Panel,
    site::Site,
};
use crate::{
    access::Role,
    error::{Error, ErrorKind},
    hit::Hit,
    recorder::{Keep, Recorder, said},
    report::Reports,
};

/// Where a plugin registers what it brings; what this crate brings itself comes the same way.
///
/// Nothing of it is done at once. When [`Plugin::build`](crate::plugin::Plugin::build) has said yes and everything was found right, it
/// waits in the [`Dashboard`](crate::Dashboard), and begins when that becomes a router: hits are shown to the hooks, then what is to be
/// done at the start is done. A dashboard that never becomes a router does nothing.
///
/// ```
/// # fn main() -> Result<(), tower_analytics::Error> {
/// use std::{sync::{Arc, atomic::{AtomicU64, Ordering::Relaxed}}, time::Duration};
/// use axum::{Json, Router, routing::get};
/// use tower_analytics::{Analytics, Error, Hit, Keep, OpenToEveryone, Role, plugin::{Host, Panel, PanelData, Plugin}};
///
/// /// How many hits came from the shop's own monitor, kept over a restart.
/// struct Probes;
///
/// impl Plugin for Probes {
///     fn name(&self) -> &'static str {
///         "probes"
///     }
///
///     fn build(self: Box<Self>, host: &mut Host) -> Result<(), Error> {
///         let file = host.directory()?.join("seen");
///         let seen = Arc::new(AtomicU64::new(0));
///
///         let (read, from) = (Arc::clone(&seen), file.clone());
///         host.on_start(move || {
///             let before = std::fs::read_to_string(from).ok().and_then(|text| text.parse().ok());
///             read.store(before.unwrap_or(0), Relaxed);
///         });
///
///         let count = Arc::clone(&seen);
///         host.on_hit(move |hit| {
///             if hit.route() != "/probe" {
///                 return Keep::Yes;
///             }
///             count.fetch_add(1, Relaxed);
///             Keep::No
///         });
///
///         let shown = Arc::clone(&seen);
///         host.panel(Panel::new("seen", "Probes", move |_| Ok(PanelData::number(shown.load(Relaxed) as f64))).on_overview());
///
///         let told = Arc::clone(&seen);
///         host.route("/seen.json", Role::Mod, get(async move || Json(told.load(Relaxed))));
///
///         host.on_stop(move || drop(std::fs::write(file, seen.load(Relaxed).to_string())));
///         Ok(())
///     }
/// }
///
/// let (analytics, _clock) = Analytics::testing();
/// let app: Router = Router::new().merge(analytics.dashboard(OpenToEveryone).plugin(Probes)?).layer(analytics.layer());
/// analytics.record(&Hit::new("GET", "/probe"));
/// analytics.flush()?;
/// assert_eq!(analytics.counters().left_out, 1);
/// analytics.shutdown(Duration::from_secs(5))?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Host {
    pub(crate) name: &'static str,
    reports: Reports,
    directory: Option<PathBuf>,
    pub(crate) panels: Vec<Panel>,
    /// Below its own path.
    pub(crate) own: Vec<(String, Role, MethodRouter)>,
    pub(super) routes: Vec<Route>,
    pub(super) document: Document,
    pub(super) beside: Vec<Router>,
    hooks: Waiting<OnHit>,
    starts: Waiting<Once>,
    stops: Waiting<Once>,
}

pub(super) struct Route {
    /// Below the base path; empty for the base path itself.
    pub(super) path: String,
    pub(super) role: Role,
    pub(super) methods: MethodRouter<Site>,
    /// For programs: what goes wrong is said in JSON.
    pub(super) is_data: bool,
}

type OnHit = Box<dyn FnMut(&mut Hit) -> Keep + Send>;
type Once = Box<dyn FnOnce() + Send>;

/// In the order added, out once; a dashboard may be sent and shared while it waits.
struct Waiting<T>(Mutex<Vec<T>>);

impl Host {
    pub(crate) fn new(name: &'static str, reports: Reports, directory: Option<PathBuf>) -> Self {
        Self {
            name,
            reports,
            directory,
            panels: Vec::new(),
            own: Vec::new(),
            routes: Vec::new(),
            document: Document::default(),
            beside: Vec::new(),
            hooks: Waiting::default(),
            starts: Waiting::default(),
            stops: Waiting::default(),
        }
    }

    /// Shows it every hit, on the writer's thread, in the order in which plugins and hooks were added and before sessions are resolved. It
    /// may change whose hit it is, the route, the device or the class of bot, or say that it is not recorded. It must not wait for
    /// anything: while it does, nothing is written. One that panics is removed, reported and counted
    /// ([`Counters::hooks_removed`](crate::Counters::hooks_removed)), and its hit recorded as it stood. Where nothing is recorded in this
    /// process, it is never called.
    pub fn on_hit(&mut self, hook: impl FnMut(&mut Hit) -> Keep + Send + 'static) {
        self.hooks.add(Box::new(hook));
    }

    /// Does something when serving begins: once, on the thread on which the dashboard becomes a router (`Router::merge`), in the order
    /// added, and after the hooks on hits are in place. It should be short, as the service waits for it; what goes on longer gets a
    /// thread or a task of its own here, and ends in [`on_stop`](Self::on_stop). One that panics is reported in the log; the others
    /// follow, and the pages are there. What must not fail belongs into [`Plugin::build`](crate::plugin::Plugin::build), which can say so.
    pub fn on_start(&mut self, act: impl FnOnce() + Send + 'static) {
        self.starts.add(Box::new(act));
    }

    /// Does something when recording has ended: after [`Analytics::shutdown`](crate::Analytics::shutdown), or after the last handle,
    /// layer or router is dropped. It is done exactly once, the one added last first, on the writer's thread: the last hit has been
    /// through [`on_hit`](Self::on_hit), is stored, and [`reports`](Self::reports) see it; [`directory`](Self::directory) is still ours
    /// alone. One that panics is reported in the log, and the others follow.
    ///
    /// A shutdown waits for it, but never longer than its timeout; its error then names the plugin, and no hit is lost. After the last
    /// handle that wait is a second. What is not done when the process ends is not done.
    ///
    /// It is done if and only if serving has begun, also if an [`on_start`](Self::on_start) panicked; if recording had ended by then, at
    /// once. It must hold neither an [`Analytics`](crate::Analytics) nor a router: the last handle would then never be dropped.
    pub fn on_stop(&mut self, act: impl FnOnce() + Send + 'static) {
        self.stops.add(Box::new(act));
    }

    /// Adds a panel to its page, at `{base}/x/{name}`, for whoever may see the dashboard; also to the overview, if the panel
    /// [says so](Panel::on_overview). The page is in the list of pages once it has a panel. For programs the same is at
    /// `{base}/x/{name}/{id}` as JSON and at `{base}/x/{name}/{id}.csv`, as `{base}/api/openapi.json` describes.
    pub fn panel(&mut self, panel: Panel) {
        self.panels.push(panel);
    }

    /// Adds a route of its own below `{base}/x/{name}`, such as `/tenants.json` or `/tenants/{id}`. There is no route without a role:
    /// whoever has a lower one gets 403, who is not known 401, and a browser's request that another site may have caused 403. One that
    /// panics is a 500.
    pub fn route(&mut self, path: impl Into<String>, role: Role, methods: MethodRouter) {
        self.own.push((path.into(), role, methods));
    }

    /// Questions. Asked inside a panel they end when nobody waits for the panel any more.
    #[must_use]
    pub fn reports(&self) -> Reports {
        self.reports.clone()
    }

    /// A directory for files of its own, `plugins/{name}` in the data directory, made if it is not there. One process at a time records
    /// in the data directory, so between start and stop nobody else writes here.
    ///
    /// # Errors
    ///
    /// If it cannot be made, or nothing is recorded in this process.
    pub fn directory(&self) -> Result<PathBuf, Error> {
        let Some(directory) = &self.directory else {
            return Err(Error::new(ErrorKind::Directory, "a process that only reads has no files of its own"));
        };
        std::fs::create_dir_all(directory).map_err(|error| {
            let message = format!("the plugin {:?} cannot make its directory {}", self.name, directory.display());
            Error::new(ErrorKind::Directory, message).with_source(error)
        })?;
        Ok(directory.clone())
    }

    // What follows is for our own plugins alone. Their addresses are older than plugins (`/analytics/users`, not `/analytics/x/..`), and
    // their handlers see the site itself: who is asking, the sign-in, forms with their CSRF checks. Handed to everybody, each of these
    // would be a way around a guard.

    /// A page below the base path.
    pub(super) fn page(&mut self, path: impl Into<String>, role: Role, methods: MethodRouter<Site>) {
        self.routes.push(Route { path: path.into(), role, methods, is_data: false });
    }

    /// A route for programs below the base path.
    pub(super) fn data(&mut self, path: impl Into<String>, role: Role, methods: MethodRouter<Site>) {
        self.routes.push(Route { path: path.into(), role, methods, is_data: true });
    }

    /// Routes beside the pages, with a guard and headers of their own: the verify routes answer with exactly what proxies want.
    #[cfg(feature = "auth")]
    pub(crate) fn beside(&mut self, routes: impl Into<Router>) {
        self.beside.push(routes.into());
    }

    /// Gives what was found right its place among the routes; what has a page is to be named on all of them.
    pub(super) fn settle(&mut self) -> Option<Arc<Plugged>> {
        if self.own.is_empty() && self.panels.is_empty() {
            return None;
        }
        // Once for each plugin of a process.
        let path: &'static str = String::leak(format!("x/{}", self.name));
        for (route, role, methods) in std::mem::take(&mut self.own) {
            self.data(format!("{path}{route}"), role, methods.with_state(()));
        }
        let panels = std::mem::take(&mut self.panels);
        (!panels.is_empty()).then(|| dashboard::plug(self, path, panels))
    }

    /// Serving begins.
    pub(super) fn start(hosts: &mut [Self], recorder: Option<&Recorder>) {
        for (host, recorder) in hosts.iter_mut().zip(recorder.into_iter().cycle()) {
            host.hooks.take().into_iter().for_each(|hook| recorder.on_hit(host.name, hook));
        }
        for host in hosts.iter_mut() {
            for act in host.starts.take() {
                if let Err(panic) = catch_unwind(AssertUnwindSafe(act)) {
                    let panic = said(&*panic);
                    tracing::error!(owner = host.name, panic, "a hook on the start panicked; the others follow, and the pages are there");
                }
            }
        }
        // Not before they have begun: a stop that is late is done at once.
        for (host, recorder) in hosts.iter_mut().zip(recorder.into_iter().cycle()) {
            host.stops.take().into_iter().for_each(|act| recorder.on_stop(host.name, act));
        }
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Route").field("path", &self.path).field("role", &self.role).finish_non_exhaustive()
    }
}

impl<T> Waiting<T> {
    fn add(&mut self, what: T) {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner).push(what);
    }

    fn take(&mut self) -> Vec<T> {
        std::mem::take(self.0.get_mut().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<T> Default for Waiting<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> fmt::Debug for Waiting<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Waiting")
    }
}

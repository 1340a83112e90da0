//! Capabilities from elsewhere: panels of their own, routes of their own, a say about each hit.

use std::{collections::BTreeSet, path::PathBuf};

use axum::routing::MethodRouter;

use crate::{
    access::Role,
    analytics::Analytics,
    error::{Error, ErrorKind},
    hit::Hit,
    recorder::Keep,
    report::Reports,
    web::Dashboard,
};

pub use crate::web::{Panel, PanelData};

/// Something that is added to the dashboard and the recorder.
///
/// ```
/// # fn main() -> Result<(), tower_analytics::Error> {
/// use axum::{Router, routing::get};
/// use tower_analytics::{Analytics, Error, Keep, OpenToEveryone, Role, plugin::{Host, Panel, PanelData, Plugin}, report::UserOrder};
///
/// struct Tenants;
///
/// impl Plugin for Tenants {
///     fn name(&self) -> &'static str {
///         "tenants"
///     }
///
///     fn build(self: Box<Self>, host: &mut Host) -> Result<(), Error> {
///         host.on_hit(|hit| if hit.route() == "/ping" { Keep::No } else { Keep::Yes });
///         let reports = host.reports();
///         host.panel(Panel::new("busiest", "Busiest tenants", move |ask| {
///             let users = reports.users(ask, UserOrder::Actions, &Default::default())?.into_inner().users;
///             Ok(PanelData::bars(users.into_iter().map(|row| (row.user_id, row.hits))))
///         }));
///         host.route("/tenants.json", Role::Mod, get(|| async { "[]" }));
///         Ok(())
///     }
/// }
///
/// let (analytics, _clock) = Analytics::testing();
/// let app: Router = Router::new().merge(analytics.dashboard(OpenToEveryone).plugin(Tenants)?).layer(analytics.layer());
/// # Ok(()) }
/// ```
pub trait Plugin {
    /// What it is called, and where it is: lower-case letters, digits and `-`.
    fn name(&self) -> &'static str;

    /// Registers what it brings. Nothing of it is there if this fails.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from working.
    fn build(self: Box<Self>, host: &mut Host) -> Result<(), Error>;
}

/// Where a plugin registers what it brings.
#[derive(Debug)]
pub struct Host {
    name: &'static str,
    reports: Reports,
    directory: Option<PathBuf>,
    hooks: Vec<Hook>,
    panels: Vec<Panel>,
    routes: Vec<(String, Role, MethodRouter)>,
}

struct Hook(Box<dyn FnMut(&mut Hit) -> Keep + Send>);

impl Host {
    /// Shows it every hit, see [`Recorder::on_hit`](crate::Recorder::on_hit). Where nothing is recorded in this process, it is never called.
    pub fn on_hit(&mut self, hook: impl FnMut(&mut Hit) -> Keep + Send + 'static) {
        self.hooks.push(Hook(Box::new(hook)));
    }

    /// Adds a panel to its page, at `{base}/x/{name}`, for whoever may see the dashboard.
    pub fn panel(&mut self, panel: Panel) {
        self.panels.push(panel);
    }

    /// Adds a route of its own below `{base}/x/{name}`. There is no route without a role.
    pub fn route(&mut self, path: impl Into<String>, role: Role, methods: MethodRouter) {
        self.routes.push((path.into(), role, methods));
    }

    /// Questions.
    #[must_use]
    pub fn reports(&self) -> Reports {
        self.reports.clone()
    }

    /// A directory for files of its own, made if it is not there.
    ///
    /// # Errors
    ///
    /// If it cannot be made, or nothing is recorded in this process.
    pub fn directory(&self) -> Result<PathBuf, Error> {
        let Some(directory) = &self.directory else {
            return Err(Error::new(ErrorKind::Directory, "a process that only reads has no files of its own"));
        };
        std::fs::create_dir_all(directory)?;
        Ok(directory.clone())
    }

    fn check(&self) -> Result<(), Error> {
        let wrong = |what: String| Err(Error::new(ErrorKind::Config, format!("the plugin {:?} {what}", self.name)));
        let plain = |name: &str| !name.is_empty() && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        if !plain(self.name) {
            return wrong("must have a name of lower-case letters, digits and `-`".to_owned());
        }
        let mut taken = BTreeSet::new();
        for panel in &self.panels {
            if !plain(panel.id()) {
                return wrong(format!("has a panel {:?}: ids are lower-case letters, digits and `-`", panel.id()));
            }
            if !taken.insert(panel.id().to_owned()) {
                return wrong(format!("has two panels {:?}", panel.id()));
            }
        }
        // The router would panic over what it cannot hold.
        let mut known = matchit::Router::new();
        let of_panels = taken.iter().flat_map(|id| [format!("/{id}"), format!("/{id}.csv")]);
        for path in of_panels.chain(self.routes.iter().map(|(path, ..)| path.clone())) {
            if !path.starts_with('/') || path.len() < 2 {
                return wrong(format!("has a route {path:?}: it must begin with `/` and go on"));
            }
            if let Err(error) = known.insert(path.clone(), ()) {
                return wrong(format!("has a route {path:?} that cannot be added: {error}"));
            }
        }
        Ok(())
    }
}

impl Dashboard {
    /// Adds a plugin: its page is in the list of pages if it has panels.
    ///
    /// # Errors
    ///
    /// What the plugin says, or what is wrong in what it registers; nothing of it is added then.
    pub fn plugin(mut self, plugin: impl Plugin) -> Result<Self, Error> {
        let name = plugin.name();
        let analytics: Option<Analytics> = self.recording().cloned();
        let directory = analytics.as_ref().map(|analytics| analytics.config().data.join("plugins").join(name));
        let mut host = Host { name, reports: self.reports().clone(), directory, hooks: Vec::new(), panels: Vec::new(), routes: Vec::new() };
        Box::new(plugin).build(&mut host)?;
        host.check()?;
        self.plug(name, host.panels, host.routes)?;
        for Hook(hook) in host.hooks {
            if let Some(analytics) = &analytics {
                analytics.recorder().on_hit(name, hook);
            }
        }
        Ok(self)
    }
}

impl std::fmt::Debug for Hook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hook")
    }
}

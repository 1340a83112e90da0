//! Capabilities from elsewhere: panels of their own, routes of their own, a say about each hit, something to do at the start and at the end.
//!
//! A [`Plugin`] registers what it brings with its [`Host`], and [`Dashboard::plugin`](crate::Dashboard::plugin) adds it. The pages, the API,
//! the sign-in and the verify routes of this crate are plugins too.

use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
};

use crate::{
    error::{Error, ErrorKind},
    recorder::said,
    web::Dashboard,
};

pub use crate::web::{Host, Panel, PanelData};

/// Something that is added to the dashboard and the recorder: [`Host`] says what it may bring, and when that begins and ends.
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
    /// What it is called, and where it is (`{base}/x/{name}`): lower-case letters, digits and `-`. Taken are `dashboard`, `api`, `health` and
    /// `bots`; with [`Auth`](crate::Auth) as the guard also `login` and `verify`.
    fn name(&self) -> &'static str;

    /// Registers what it brings. Nothing of it is there if this fails or panics.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from working.
    fn build(self: Box<Self>, host: &mut Host) -> Result<(), Error>;
}

impl Dashboard {
    /// Adds a plugin: its page is in the list of pages if it has panels. [`plugins`](Self::plugins) says of several at once what is wrong.
    ///
    /// # Errors
    ///
    /// As [`plugins`](Self::plugins).
    pub fn plugin(self, plugin: impl Plugin + 'static) -> Result<Self, Error> {
        self.plugins(vec![Box::new(plugin)])
    }

    /// Adds several plugins, in this order: all of them or, if anything is wrong, none.
    ///
    /// ```
    /// # fn main() -> Result<(), tower_analytics::Error> {
    /// use axum::Router;
    /// use tower_analytics::{Analytics, Error, ErrorKind, OpenToEveryone, plugin::{Host, Panel, PanelData, Plugin}};
    ///
    /// struct Motto(&'static str);
    ///
    /// impl Plugin for Motto {
    ///     fn name(&self) -> &'static str {
    ///         self.0
    ///     }
    ///
    ///     fn build(self: Box<Self>, host: &mut Host) -> Result<(), Error> {
    ///         host.panel(Panel::new("motto", "Motto", |_| Ok(PanelData::text("Festina lente"))));
    ///         Ok(())
    ///     }
    /// }
    ///
    /// let (analytics, _clock) = Analytics::testing();
    /// let app: Router = analytics.dashboard(OpenToEveryone).plugins(vec![Box::new(Motto("one")), Box::new(Motto("two"))])?.into();
    ///
    /// let wrong = analytics.dashboard(OpenToEveryone).plugins(vec![Box::new(Motto("Not plain")), Box::new(Motto("api"))]);
    /// assert_eq!(wrong.unwrap_err().to_string().split("; ").count(), 2);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] with all that is wrong in all of them: what a plugin said or that it panicked, a name or an id that
    /// is none or is taken, a route that cannot be. Nothing of any of them is there then: no page, no route, no hook, nothing at the start.
    pub fn plugins(mut self, plugins: Vec<Box<dyn Plugin>>) -> Result<Self, Error> {
        self.plug(plugins)?;
        Ok(self)
    }

    pub(crate) fn plug(&mut self, plugins: Vec<Box<dyn Plugin>>) -> Result<(), Error> {
        let (mut taken, mut hosts, mut faults) = (self.names(), Vec::new(), Vec::new());
        for plugin in plugins {
            let name = plugin.name();
            let mut host = self.host(name);
            let mut wrong = |what: String| faults.push(format!("the plugin {name:?} {what}"));
            // Its directory would be who knows where.
            if !is_plain(name) {
                wrong("must have a name of lower-case letters, digits and `-`".to_owned());
                continue;
            }
            if !taken.insert(name) {
                wrong("has a name that is taken already: another plugin has it, or a part of the dashboard itself".to_owned());
            }
            match catch_unwind(AssertUnwindSafe(|| plugin.build(&mut host))) {
                Ok(Ok(())) => check(&host).into_iter().for_each(wrong),
                Ok(Err(error)) => wrong(format!("cannot be built: {}", error.chain())),
                Err(panic) => wrong(format!("panicked while it was built: {}", said(&*panic))),
            }
            hosts.push(host);
        }
        if !faults.is_empty() {
            return Err(Error::new(ErrorKind::Config, faults.join("; ")));
        }
        self.add(hosts);
        Ok(())
    }
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

/// All that is wrong in what a plugin registered.
fn check(host: &Host) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut taken = BTreeSet::new();
    for id in host.panels.iter().map(Panel::id) {
        if !is_plain(id) {
            wrong.push(format!("has a panel {id:?}: ids are lower-case letters, digits and `-`"));
        } else if !taken.insert(id) {
            wrong.push(format!("has two panels {id:?}"));
        }
    }
    // The router would panic over what it cannot hold.
    let mut known = matchit::Router::new();
    let of_panels = taken.iter().flat_map(|id| [format!("/{id}"), format!("/{id}.csv")]);
    for path in of_panels.chain(host.own.iter().map(|(path, ..)| path.clone())) {
        if !path.starts_with('/') || path.len() < 2 {
            wrong.push(format!("has a route {path:?}: it must begin with `/` and go on"));
        } else if let Err(error) = known.insert(path.clone(), ()) {
            wrong.push(format!("has a route {path:?} that cannot be added: {error}"));
        }
    }
    wrong
}

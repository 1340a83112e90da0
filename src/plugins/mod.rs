//! What this crate itself adds to a dashboard, as plugins: the same trait, the same [`Host`], the same checks as for everybody else's.
//!
//! Our addresses lie directly below the base path and our handlers see the site, by methods of the host that others do not have; why is
//! said there.

mod api;
mod bots;
mod dashboard;
mod health;
#[cfg(feature = "auth")]
mod login;
#[cfg(feature = "auth")]
mod verify;

use crate::{access::Guard, analytics::Analytics, config::Config, plugin::Plugin, report::Reports, web::Dashboard};

impl Analytics {
    /// The pages, for whom the guard lets in. There is no way to them without a guard. If it is an [`Auth`](crate::Auth), the routes of
    /// [`Verify`](crate::Verify) are there too, and a sign-in for the users in `access.db` of the data directory, unless
    /// [`auth::Login`](crate::auth::Login) says otherwise.
    ///
    /// ```
    /// # fn main() -> Result<(), tower_analytics::Error> {
    /// use axum::{Router, routing::get};
    /// use tower_analytics::{Analytics, Head, Role};
    ///
    /// let (analytics, _clock) = Analytics::testing();
    /// let staff = |head: &Head<'_>| (head.header("x-staff") == Some("yes")).then_some(Role::Mod);
    /// let app: Router = Router::new()
    ///     .route("/items", get(|| async { "items" }))
    ///     .merge(analytics.dashboard(staff))
    ///     .layer(analytics.layer());
    /// # Ok(()) }
    /// ```
    pub fn dashboard(&self, guard: impl Guard) -> Dashboard {
        dashboard_of(self.reports(), Some(self.clone()), self.config(), guard)
    }
}

/// The dashboard with everything that is ours.
pub(crate) fn dashboard_of(reports: Reports, recording: Option<Analytics>, config: &Config, guard: impl Guard) -> Dashboard {
    let mut dashboard = Dashboard::new(reports, recording, config, guard);
    let ours = all(&dashboard);
    if let Err(error) = dashboard.plug(ours) {
        // A test opens every page of every guard, so this is not seen; without its pages a dashboard is closed, not open.
        tracing::error!(error = %error.chain(), "the dashboard is empty");
    }
    dashboard
}

fn all(dashboard: &Dashboard) -> Vec<Box<dyn Plugin>> {
    #[allow(unused_mut, reason = "without `auth` these are all")]
    let mut all: Vec<Box<dyn Plugin>> =
        vec![Box::new(dashboard::Pages), Box::new(api::Api), Box::new(health::Health), Box::new(bots::Bots)];
    #[cfg(feature = "auth")]
    if let Some(auth) = dashboard.auth() {
        all.push(Box::new(login::SignIn { has_form: auth.config().login.enabled }));
        all.push(Box::new(verify::Routes(crate::verify::Verify::new(auth.clone()).base_path(dashboard.base_path()))));
    }
    #[cfg(not(feature = "auth"))]
    let _ = dashboard;
    all
}

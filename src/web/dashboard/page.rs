use std::time::{Duration, Instant, SystemTime};

use axum::{
    Extension,
    extract::{Query as Pairs, State},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use http::StatusCode;

use super::{
    nav::{self, Entry},
    notice::{self, Notice},
    view::View,
};
use crate::{
    access::Role,
    error::Error,
    report::{Answer, Ask, Cancel, Health, Reports},
    web::{
        api::{Problem, params::Param},
        assets,
        fault::Fault,
        format,
        host::Host,
        links::Links,
        router::answered,
        site::Site,
    },
    zone::Zone,
};

/// An answer, or what to say in its place.
pub(super) type Outcome<T> = Result<Answer<T>, Problem>;

/// What every page has around its panels.
pub(super) struct Page {
    pub(super) site: Site,
    pub(super) view: View,
    pub(super) title: &'static str,
    /// The entry of the rail it belongs to.
    pub(super) section: &'static str,
    /// Whether it has a range, filters and the like.
    pub(super) ranged: bool,
    pub(super) health: Outcome<Health>,
    pub(super) notice: Option<Notice>,
    start: Instant,
}

/// Which page it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Which {
    pub(super) path: &'static str,
    pub(super) title: &'static str,
    pub(super) section: &'static str,
    /// Parameters that only this page has.
    pub(super) own: &'static [&'static [Param]],
    /// Whether it has a range, filters and the like.
    pub(super) ranged: bool,
}

impl Which {
    pub(super) const fn new(path: &'static str, title: &'static str) -> Self {
        Self { path, title, section: path, own: &[], ranged: true }
    }

    pub(super) const fn below(self, section: &'static str) -> Self {
        Self { section, ..self }
    }

    pub(super) const fn own(self, own: &'static [&'static [Param]]) -> Self {
        Self { own, ..self }
    }

    /// Without range and filters.
    pub(super) const fn plain(self) -> Self {
        Self { ranged: false, ..self }
    }

    /// Puts the page at its path. It is asked for once its address has been read and was found right.
    pub(super) fn register<F>(self, host: &mut Host, show: impl Fn(Page) -> F + Clone + Send + Sync + 'static)
    where
        F: Future<Output = Response> + Send,
    {
        let handler =
            async move |State(site): State<Site>, Extension(links): Extension<Links>, Pairs(pairs): Pairs<Vec<(String, String)>>| {
                match Page::open(site, links, self, pairs).await {
                    Ok(page) => show(page).await,
                    Err(response) => response,
                }
            };
        host.page(self.path, Role::Mod, get(handler));
    }
}

impl Page {
    /// Reads what the address says; an answer already if that is wrong.
    async fn open(site: Site, links: Links, which: Which, pairs: Vec<(String, String)>) -> Result<Self, Response> {
        let start = Instant::now();
        let health = ask(&site.reports, Reports::health).await;
        let zone = health.as_ref().map_or("UTC", |health| health.time_zone.as_str());
        let now = site.reports.now();
        let view =
            Zone::new(zone).map_err(Problem::from).and_then(|zone| View::new(links.clone(), which.path, which.own, pairs, zone, now));
        let view = view.map_err(|problem| Fault::wrong(problem.message()).with(links).into_response())?;
        let notice = health.as_ref().ok().and_then(|health| notice::of(&site, health));
        Ok(Self { site, view, title: which.title, section: which.section, ranged: which.ranged, health, notice, start })
    }

    /// Asks what the page's range and filters are, as far as the question takes them.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        takes: &[&[Param]],
        question: impl FnOnce(&Reports, &Ask) -> Result<Answer<T>, Error> + Send + 'static,
    ) -> Outcome<T> {
        let asked = self.view.ask(takes)?;
        ask(&self.site.reports, move |reports| question(reports, &asked)).await
    }

    /// The same of the period before, if there is one.
    pub(super) async fn ask_before<T: Send + 'static>(
        &self,
        takes: &[&[Param]],
        question: impl FnOnce(&Reports, &Ask) -> Result<Answer<T>, Error> + Send + 'static,
    ) -> Option<Outcome<T>> {
        match self.view.before(takes)? {
            Ok(asked) => Some(ask(&self.site.reports, move |reports| question(reports, &asked)).await),
            Err(problem) => Some(Err(problem)),
        }
    }

    /// Below the base path.
    pub(super) fn path(&self) -> &'static str {
        self.view.path()
    }

    pub(super) fn style(&self) -> String {
        self.view.links().to(assets::style())
    }

    pub(super) fn icon(&self) -> String {
        self.view.links().to(assets::icon())
    }

    pub(super) fn scripts(&self) -> [String; 2] {
        assets::scripts().each_ref().map(|name| self.view.links().to(name))
    }

    pub(super) fn nav(&self) -> &'static [Entry] {
        nav::ENTRIES
    }

    /// The pages of plugins.
    pub(super) fn plugged(&self) -> &[std::sync::Arc<super::Plugged>] {
        &self.site.plugged
    }

    pub(super) fn took(&self) -> String {
        format::duration(self.start.elapsed())
    }

    pub(super) fn updated(&self) -> String {
        format::clock(self.view.tz(), self.view.now())
    }

    pub(super) fn ago(&self, then: &SystemTime) -> String {
        format::ago(*then, self.view.now())
    }

    pub(super) fn moment(&self, at: &SystemTime) -> String {
        format::moment(self.view.tz(), *at)
    }

    /// The moment, if there is one.
    pub(super) fn moment_or(&self, at: &Option<SystemTime>, or: &str) -> String {
        at.as_ref().map_or_else(|| or.to_owned(), |at| self.moment(at))
    }

    /// Whether the page can only say how to begin. Pages of plugins may have something of their own.
    pub(super) fn is_new(&self) -> bool {
        self.is_empty() && !["live", "settings"].contains(&self.section) && !self.section.starts_with("x/")
    }

    /// Whether the store holds nothing at all.
    pub(super) fn is_empty(&self) -> bool {
        self.health.as_ref().is_ok_and(|health| health.parts.iter().all(|part| part.hits == 0))
    }

    pub(super) fn session_timeout(&self) -> Duration {
        self.health.as_ref().map_or(Duration::from_secs(1800), |health| health.session_timeout)
    }
}

/// The page as an answer.
pub(super) fn shown(page: &impl askama::Template) -> Response {
    page.render().map_or_else(
        |error| {
            tracing::error!(%error, "a page could not be written");
            (StatusCode::INTERNAL_SERVER_ERROR, "the page could not be written").into_response()
        },
        |html| Html(html).into_response(),
    )
}

/// What there is none of.
pub(super) fn missing(links: Links, what: &str) -> Response {
    Fault::missing(what).with(links).into_response()
}

/// Each question on a connection of its own, ended when nobody waits any more.
pub(super) async fn ask<T: Send + 'static>(
    reports: &Reports,
    question: impl FnOnce(&Reports) -> Result<Answer<T>, Error> + Send + 'static,
) -> Outcome<T> {
    let cancel = Cancel::new();
    let reports = reports.clone().cancelled_by(&cancel);
    answered(cancel, move || Ok(question(&reports)?)).await
}

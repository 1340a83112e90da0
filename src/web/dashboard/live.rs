//! What goes on just now, pushed while somebody watches.

use std::time::SystemTime;

use askama::Template;
use axum::{
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use http::header;

use super::{
    addresses::coded,
    cell::Cell,
    page::{Page, Which, shown},
    panel::markup,
    panels,
    table::Table,
};
use crate::{
    access::Role,
    report::{ActiveSession, ActiveSessions, LatestHit, LatestHits},
    web::{charts, format, host::Host, site::Site},
};

const PAGE: Which = Which::new("live", "Live").plain();
const MOST: usize = 50;

#[derive(Template)]
#[template(path = "live.html")]
struct Live {
    now: Result<String, String>,
    page: Page,
}

/// The part that is pushed. Its links are relative to the page, so that everybody can be sent the same.
#[derive(Template)]
#[template(path = "_live.html")]
pub(super) struct Now {
    pub(super) active: ActiveSessions,
    pub(super) latest: LatestHits,
    /// Hits of each second while somebody watched, oldest first.
    pub(super) rates: Vec<u64>,
    pub(super) now: SystemTime,
}

pub(super) fn register(host: &mut Host) {
    PAGE.register(host, show);
    host.data("live/events", Role::Mod, get(events));
}

async fn show(page: Page) -> Response {
    let now = page.site.hub.now().await.map(|now| markup(&now)).map_err(|problem| problem.message().to_owned());
    shown(&Live { now, page })
}

async fn events(State(site): State<Site>) -> Response {
    // Proxies would wait for the end of it.
    let headers =
        [(header::CONTENT_TYPE.as_str(), "text/event-stream"), (header::CACHE_CONTROL.as_str(), "no-cache"), ("x-accel-buffering", "no")];
    (headers, Body::new(site.hub.watch())).into_response()
}

impl Now {
    fn rate(&self) -> String {
        // Hits are written in batches: a second alone says little.
        let last = self.rates.iter().rev().take(5);
        let (count, sum) = last.fold((0_u64, 0), |(count, sum), rate| (count + 1, sum + rate));
        if count == 0 { "–".to_owned() } else { format!("{:.1}", sum as f64 / count as f64) }
    }

    /// What stands beside the title of the overview.
    fn strip(&self) -> String {
        let active = format!("{} active now", format::number(self.active.sessions.len() as u64));
        if self.rates.is_empty() { active } else { format!("{active} · {} hits/s", self.rate()) }
    }

    fn line(&self) -> String {
        charts::spark(&self.rates.iter().map(|rate| *rate as f64).collect::<Vec<_>>())
    }

    fn people(&self) -> usize {
        let mut people: Vec<&str> = self.active.sessions.iter().filter_map(|session| session.user_id.as_deref()).collect();
        people.sort_unstable();
        people.dedup();
        people.len()
    }

    fn sessions(&self) -> String {
        let columns = [
            ("Who", ""),
            ("Platform", ""),
            ("Version", ""),
            ("Last endpoint", ""),
            ("#Actions", ""),
            ("#Since", "When it began"),
            ("#Last", "The last activity"),
        ];
        let mut table = Table::new("Active sessions", &columns);
        for session in self.active.sessions.iter().take(MOST) {
            table.row(self.session(session));
        }
        if table.rows.is_empty() { "<p class=\"nothing\">Nobody is here just now.</p>".to_owned() } else { markup(&table) }
    }

    fn session(&self, session: &ActiveSession) -> Vec<Cell> {
        let id = session.user_id.as_deref().unwrap_or_default();
        let ago = |at| Cell::text(format::ago(at, self.now)).titled(format::time(at)).class("num");
        vec![
            Cell::name(&panels::person(id, &session.user_name), "a visitor").to(format!("session?id={}", coded(&session.session_id))),
            Cell::name(&session.platform, "–").soft(&session.device),
            Cell::name(&session.app_version, "–"),
            Cell::endpoint(&session.last_endpoint),
            Cell::number(session.actions),
            ago(session.started_at),
            ago(session.last_activity),
        ]
    }

    fn hits(&self) -> String {
        let columns = [("Endpoint", ""), ("Status", ""), ("#Latency", ""), ("#When", "")];
        let mut table = Table::new("Last hits", &columns);
        for hit in &self.latest.hits {
            table.row(self.hit(hit));
        }
        if table.rows.is_empty() { "<p class=\"nothing\">No hit yet.</p>".to_owned() } else { markup(&table) }
    }

    fn hit(&self, hit: &LatestHit) -> Vec<Cell> {
        let id = hit.user_id.as_deref().unwrap_or_default();
        let class = match (hit.outcome.as_str(), hit.status) {
            ("failed", _) | (_, 500..) => "bad",
            ("aborted", _) | (_, 400..=499) => "warn",
            _ => "good",
        };
        let status = if hit.outcome == "completed" { hit.status.to_string() } else { format!("{} {}", hit.status, hit.outcome) };
        let who = match (hit.bot.as_str(), panels::person(id, &hit.user_name)) {
            ("", name) if name.is_empty() => "a visitor".to_owned(),
            ("", name) => name,
            (bot, _) => format!("a bot ({bot})"),
        };
        vec![
            Cell::endpoint(&hit.endpoint).to(format!("session?id={}", coded(&hit.session_id))).soft(who),
            Cell::text(status).class(class),
            Cell::duration(hit.latency),
            Cell::text(format::ago(hit.at, self.now)).titled(format::time(hit.at)).class("num"),
        ]
    }
}

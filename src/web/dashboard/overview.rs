use std::time::{Instant, SystemTime};

use askama::Template;
use axum::{
    Extension,
    extract::State,
    response::{Html, IntoResponse, Response},
    routing::get,
};

use crate::{
    access::Role,
    counters::{Counters, State as WriterState},
    error::{Error, ErrorKind},
    report::{ActiveSession, Ask, EndpointRow, Health, Reports, Stats},
    web::{
        assets,
        fault::Fault,
        format::{self, number, share, time},
        host::{Host, Site},
        links::Links,
        router::blocking,
    },
};

/// The first page: who is here, what they use, and how we are doing ourselves.
#[derive(Template)]
#[template(path = "overview.html")]
struct Overview {
    links: Links,
    stats: Stats,
    endpoints: Vec<EndpointRow>,
    more_endpoints: usize,
    active: Vec<ActiveSession>,
    more_active: usize,
    health: Health,
    counters: Counters,
    notice: Option<(&'static str, String)>,
    now: SystemTime,
    took_ms: u128,
}

const SHOWN: usize = 15;

pub(super) fn register(host: &mut Host) {
    host.route("", Role::Mod, get(show));
}

async fn show(State(site): State<Site>, Extension(links): Extension<Links>) -> Response {
    match page(site, links.clone()).await {
        Ok(html) => Html(html).into_response(),
        Err(error) => Fault::from(error).with(links).into_response(),
    }
}

async fn page(site: Site, links: Links) -> Result<String, Error> {
    let start = Instant::now();
    let ask = |question: fn(&Reports) -> Result<Answer, Error>| {
        let reports = site.reports.clone();
        blocking(move || question(&reports))
    };
    // Side by side: each on a connection of its own.
    let (stats, endpoints, active, health) = tokio::try_join!(
        ask(|reports| reports.stats(&Ask::all_time()).map(|answer| Answer::Stats(answer.into_inner()))),
        ask(|reports| reports.endpoints(&Ask::all_time()).map(|answer| Answer::Endpoints(answer.into_inner()))),
        ask(|reports| reports.active_sessions(&Ask::all_time()).map(|answer| Answer::Active(answer.into_inner().sessions))),
        ask(|reports| reports.health().map(|answer| Answer::Health(answer.into_inner()))),
    )?;
    let (Answer::Stats(stats), Answer::Endpoints(mut endpoints), Answer::Active(mut active), Answer::Health(health)) =
        (stats, endpoints, active, health)
    else {
        return Err(Error::new(ErrorKind::Storage, "a question got the answer of another"));
    };
    let (more_endpoints, more_active) = (endpoints.len().saturating_sub(SHOWN), active.len().saturating_sub(SHOWN));
    endpoints.truncate(SHOWN);
    active.truncate(SHOWN);
    let counters = site.recording.as_ref().map_or(health.counters, |analytics| analytics.counters());
    let notice = notice(&site, &health);
    let took_ms = start.elapsed().as_millis();
    let page = Overview {
        links,
        stats,
        endpoints,
        more_endpoints,
        active,
        more_active,
        health,
        counters,
        notice,
        now: SystemTime::now(),
        took_ms,
    };
    page.render().map_err(|error| Error::new(ErrorKind::Storage, "the page could not be written").with_source(error))
}

struct Card {
    label: &'static str,
    value: u64,
    note: String,
}

enum Answer {
    Stats(Stats),
    Endpoints(Vec<EndpointRow>),
    Active(Vec<ActiveSession>),
    Health(Health),
}

/// What somebody should know before believing the numbers.
fn notice(site: &Site, health: &Health) -> Option<(&'static str, String)> {
    let Some(analytics) = &site.recording else {
        let text = match health.heartbeat {
            _ if health.recording => return None,
            Some(beat) => format!("Nobody records in this directory now; the last one did at {}.", time(beat)),
            None => "Nobody has recorded in this directory yet. Add the layer to a service and point it here.".to_owned(),
        };
        return Some(("info", text));
    };
    let reason = analytics.recorder().fault().unwrap_or_default();
    match analytics.state() {
        WriterState::Recording => None,
        WriterState::Waiting => Some(("info", format!("Not recording yet: {reason}."))),
        WriterState::Faulted => Some((
            "bad",
            format!("Recording is interrupted: {reason}. Requests go on; hits wait in the bounded queue and it is tried again."),
        )),
        WriterState::Stopped => Some(("info", "The recorder has been shut down.".to_owned())),
    }
}

impl Overview {
    fn cards(&self) -> [Card; 8] {
        let (total_hits, error_hits) = (self.stats.total_hits, self.stats.error_hits);
        let card = |label, value, note: &str| Card { label, value, note: note.to_owned() };
        [
            card("Users", self.stats.total_users, "signed in, each once"),
            card("Visitors", self.stats.visitors, "without a user, each once a day"),
            card("Sessions", self.stats.total_sessions, &format!("{} on average", format::duration(self.stats.avg_session_duration))),
            card("Active now", self.stats.active_sessions, "sessions"),
            card("Hits", total_hits, &format!("{} actions", number(self.stats.total_actions))),
            card("Errors", error_hits, &format!("{} of all hits", share(error_hits, total_hits))),
            card("Bots", self.stats.bot_hits, "hits, in no other number"),
            card("Dropped", self.counters.dropped(), &format!("{} waiting", number(self.counters.queued))),
        ]
    }

    fn style(&self) -> String {
        self.links.to(assets::style())
    }

    /// The share of the widest bar, in steps that the style sheet knows: inline styles are not allowed.
    fn bar(&self, hits: &u64) -> u64 {
        let most = self.endpoints.first().map_or(1, |row| row.hits.max(1));
        (hits * 20).div_ceil(most).min(20)
    }

    fn name(&self, session: &ActiveSession) -> String {
        match &session.user_id {
            Some(id) if session.user_name.is_empty() => id.clone(),
            Some(_) => session.user_name.clone(),
            None => "a visitor".to_owned(),
        }
    }

    fn overhead(&self) -> String {
        match self.counters.written {
            0 => "–".to_owned(),
            written => format!("{:.1} µs a hit", self.counters.busy_us as f64 / written as f64),
        }
    }
}

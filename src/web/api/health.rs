use axum::{
    Extension, Json,
    extract::{Query as Pairs, State},
    response::{IntoResponse, Response},
    routing::get,
};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use super::query::Query;
use crate::{
    access::Role,
    counters::{Counters, State as WriterState},
    report::{Cancel, Health},
    web::{guarded::Granted, host::Host, router::answered, site::Site},
};

/// For monitors: whether hits are recorded. With a role, how.
#[derive(Debug, Serialize, JsonSchema)]
struct HealthAnswer {
    /// `recording`, or why not: `waiting` for another process to end, `faulted`, `stopped`, or `idle` if this process only reads and none
    /// records.
    status: &'static str,
    /// What only people with a role see.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<Detail>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Detail {
    /// Why recording is interrupted.
    reason: Option<String>,
    /// Seconds since the writer last said that it lives.
    heartbeat_age: Option<f64>,
    /// Counted since the writer's process began.
    counters: Counters,
    /// Hits that were not recorded, by cause.
    dropped: Vec<Drops>,
    /// The size of all files, in bytes.
    bytes: u64,
    /// The months, oldest first.
    parts: Vec<crate::report::PartHealth>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Drops {
    cause: &'static str,
    hits: u64,
}

pub(crate) fn register(host: &mut Host) {
    host.document.add_open::<HealthAnswer>("api/health", "Whether hits are recorded; with a role, how");
    host.data("api/health", Role::Anyone, get(show));
}

async fn show(State(site): State<Site>, Extension(granted): Extension<Granted>, Pairs(pairs): Pairs<Vec<(String, String)>>) -> Response {
    if let Err(problem) = Query::new(pairs, &[], String::new()) {
        return problem.into_response();
    }
    let cancel = Cancel::new();
    let reports = site.reports.clone().cancelled_by(&cancel);
    let health = answered(cancel, move || Ok(reports.health()?.into_inner())).await;
    let status = status(&site, health.as_ref().ok());
    let code = if matches!(status, "recording" | "waiting") { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let detail = match (health, granted.role()) {
        (Err(problem), Some(Role::Mod | Role::Admin)) => return problem.into_response(),
        (Ok(health), Some(Role::Mod | Role::Admin)) => Some(detail(&site, health)),
        _ => None,
    };
    (code, Json(HealthAnswer { status, detail })).into_response()
}

fn status(site: &Site, health: Option<&Health>) -> &'static str {
    match &site.recording {
        Some(analytics) => match analytics.state() {
            WriterState::Recording => "recording",
            WriterState::Waiting => "waiting",
            WriterState::Faulted => "faulted",
            WriterState::Stopped => "stopped",
        },
        None if health.is_some_and(|health| health.recording) => "recording",
        None => "idle",
    }
}

fn detail(site: &Site, health: Health) -> Detail {
    let counters = site.recording.as_ref().map_or(health.counters, |analytics| analytics.counters());
    let heartbeat_age = health.heartbeat.map(|beat| beat.elapsed().unwrap_or_default().as_secs_f64());
    Detail {
        reason: site.recording.as_ref().and_then(|analytics| analytics.recorder().fault()),
        heartbeat_age,
        dropped: counters.by_cause().map(|(cause, hits)| Drops { cause, hits }).into(),
        counters,
        bytes: health.bytes,
        parts: health.parts,
    }
}

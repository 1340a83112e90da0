//! The pages of plugins: their panels, and the same for programs.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, Instant},
};

use askama::Template;
use axum::{
    Json,
    extract::Query as Pairs,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{StatusCode, header};
use schemars::JsonSchema;
use serde::Serialize;
use tokio::task::JoinSet;

use super::{
    bars::Bar,
    chart::{Chart, Unit, series},
    page::{Page, Which, shown},
    panel::{Panel as Drawn, markup},
    panels,
    values::Values,
};
use crate::{
    access::Role,
    report::{Ask, Cancel},
    web::{
        api::{
            self, Operation, Problem, Query,
            params::{FILTERS, Param, RANGE, ZONE},
        },
        charts::{self, Heat, Kind},
        format,
        host::Host,
        panel_data::{Panel, PanelData, Shown},
        router::answered,
    },
};

/// A plugin that has panels.
#[derive(Debug)]
pub(in crate::web) struct Plugged {
    pub(in crate::web) name: &'static str,
    /// Below the base path.
    pub(in crate::web) path: &'static str,
    panels: Vec<Placed>,
}

#[derive(Debug)]
struct Placed {
    panel: Panel,
    /// Below the base path.
    path: String,
    /// Its id beside the panels of others; in no name is a `_`.
    apart: &'static str,
}

#[derive(Template)]
#[template(path = "plugin.html")]
struct PluginPage {
    panels: Vec<Drawn>,
    page: Page,
}

/// What programs get of a panel.
#[derive(Serialize, JsonSchema)]
struct PanelAnswer {
    /// What the values are.
    columns: Vec<String>,
    /// A value for each column.
    rows: Vec<Vec<String>>,
    title: String,
}

const TAKES: &[&[Param]] = &[RANGE, ZONE, FILTERS];
/// So long the overview waits for what is not ours.
const ON_OVERVIEW: Duration = Duration::from_millis(500);

/// Gives a plugin its page, its panels their addresses, and both a place in the document of the API.
pub(in crate::web) fn plug(host: &mut Host, path: &'static str, panels: Vec<Panel>) -> Arc<Plugged> {
    let name = host.name;
    let placed = |panel: Panel| {
        let apart = String::leak(format!("{name}_{}", panel.id));
        Placed { path: format!("{path}/{}", panel.id), apart, panel }
    };
    let plugged = Arc::new(Plugged { name, path, panels: panels.into_iter().map(placed).collect() });
    let shown = Arc::clone(&plugged);
    Which::new(path, name).register(host, move |page| show(page, Arc::clone(&shown)));
    for (place, Placed { panel, path, .. }) in plugged.panels.iter().enumerate() {
        let of = |csv: bool| {
            let plugged = Arc::clone(&plugged);
            async move |Pairs(pairs): Pairs<Vec<(String, String)>>| data(pairs, &plugged, place, csv).await
        };
        host.data(path.clone(), Role::Mod, get(of(false)));
        host.data(format!("{path}.csv"), Role::Mod, get(of(true)));
        let about = format!("{}, by the plugin {name}", panel.title);
        host.document.add_panel::<PanelAnswer>(Operation { path: path.clone().into(), about: about.into(), params: TAKES, is_list: true });
    }
    plugged
}

/// The answer, unless it takes too long. What is asked of the store ends with the wait; nothing else can be ended.
async fn ask(name: &'static str, panel: &Panel, ask: Ask, limit: Duration) -> Result<PanelData, Problem> {
    let (cancel, question, turns) = (Cancel::new(), Arc::clone(&panel.ask), Arc::clone(&panel.turns));
    let work = async {
        let turn = turns.acquire_owned().await;
        let asked = cancel.clone();
        let work = move || {
            // Kept until it has really ended, whoever has left by then.
            let _turn = turn;
            let answer = catch_unwind(AssertUnwindSafe(|| asked.during(|| question(&ask))));
            answer.map_or_else(|_| Err(panicked(name)), |answer| answer.map_err(Problem::from))
        };
        answered(cancel, work).await
    };
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
        tracing::warn!(plugin = name, panel = panel.id, limit_ms = limit.as_millis() as u64, "a panel was not answered in time");
        let error = format!("the plugin {name:?} did not answer within {} s: ask for a shorter range", limit.as_secs_f64());
        Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, error))
    })
}

fn panicked(name: &str) -> Problem {
    tracing::error!(plugin = name, "a panel panicked");
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, format!("the plugin {name:?} panicked; the server's log says where"))
}

async fn show(page: Page, plugged: Arc<Plugged>) -> Response {
    let panels = (0..plugged.panels.len()).map(|place| (Arc::clone(&plugged), place, None)).collect();
    let panels = drawn(&page, panels).await;
    shown(&PluginPage { panels, page })
}

/// What plugins show on the overview.
pub(super) async fn on_overview(page: &Page) -> Vec<Drawn> {
    let places = |plugged: &Arc<Plugged>| {
        let wanted = plugged.panels.iter().enumerate().filter(|(_, placed)| placed.panel.on_overview);
        wanted.map(|(place, _)| (Arc::clone(plugged), place, Some(ON_OVERVIEW))).collect::<Vec<_>>()
    };
    // Before there is any hit, nothing but a welcome is shown.
    let all = if page.is_empty() { Vec::new() } else { page.plugged().iter().flat_map(places).collect() };
    drawn(page, all).await
}

/// A panel by its place, and how long a page that is not its own waits for it.
type Wanted = (Arc<Plugged>, usize, Option<Duration>);

/// Side by side: the slowest says how long all take.
async fn drawn(page: &Page, wanted: Vec<Wanted>) -> Vec<Drawn> {
    // Those that are not done end with the set, when whoever looks at the page leaves.
    let mut asking = JoinSet::new();
    for (at, (plugged, place, most)) in wanted.iter().enumerate() {
        let (plugged, place, asked) = (Arc::clone(plugged), *place, page.view.ask(TAKES));
        let limit = most.unwrap_or(Duration::MAX).min(plugged.panels[place].panel.limit);
        asking.spawn(async move {
            let start = Instant::now();
            let data = match asked {
                Ok(asked) => ask(plugged.name, &plugged.panels[place].panel, asked, limit).await,
                Err(problem) => Err(problem),
            };
            (at, data, start.elapsed())
        });
    }
    let mut answers: Vec<_> = wanted.iter().map(|_| None).collect();
    while let Some(done) = asking.join_next().await {
        if let Ok((at, data, took)) = done {
            answers[at] = Some((data, took));
        }
    }
    let card = |((plugged, place, most), answer): (Wanted, Option<(Result<PanelData, Problem>, Duration)>)| {
        let Placed { panel, path, apart } = &plugged.panels[place];
        let (data, took) = answer.unwrap_or_else(|| (Err(panicked(plugged.name)), Duration::ZERO));
        let body = data.as_ref().map(draw).map_err(|problem| problem.message().to_owned());
        let foot = format!("{} by {}", format::duration(took), plugged.name);
        let id = if most.is_some() { apart } else { panel.id };
        let card = Drawn::given(id, &panel.title, body, foot).api(&page.view, path, TAKES);
        if most.is_some() { card.more(plugged.name, page.view.page(plugged.path)) } else { card }
    };
    wanted.into_iter().zip(answers).map(card).collect()
}

fn draw(data: &PanelData) -> String {
    match &data.0 {
        Shown::Number(value) => format!(r#"<p class="big">{}</p>"#, charts::escaped(&format::count(*value))),
        Shown::Text(text) => format!("<p>{}</p>", charts::escaped(text)),
        Shown::Bars(bars) => {
            let bar = |(name, value): &(String, u64)| Bar { name: name.clone(), value: *value, ..Bar::default() };
            panels::bars(bars.iter().map(bar), 20).unwrap_or_else(|nothing| format!(r#"<p class="nothing">{nothing}</p>"#))
        }
        Shown::Lines { names, lines } => {
            let line = |(place, (name, values)): (usize, &(String, Vec<f64>))| {
                let kind = if place == 0 { Kind::Area } else { Kind::Line };
                series(name, place % 6 + 1, kind, values.iter().copied())
            };
            let names = names.iter().map(|name| (name.clone(), name.clone())).collect();
            markup(&Chart::new("", names, lines.iter().enumerate().map(line).collect(), false, Unit::Count))
        }
        Shown::Heat { rows, columns, values } => {
            let [row_names, column_names] = [rows, columns].map(|names| names.iter().map(String::as_str).collect::<Vec<_>>());
            let name = |place: usize, value: u64| {
                let (row, column) = (place / columns.len().max(1), place % columns.len().max(1));
                format!("{} {}: {}", rows[row], columns[column], format::exact(value))
            };
            let titles: Vec<String> = values.iter().enumerate().map(|(place, value)| name(place, *value)).collect();
            let svg = charts::heatmap(&Heat { about: "", rows: &row_names, columns: &column_names, values, titles: &titles });
            format!(
                r#"<div class="scroll heated" tabindex="0" role="group" aria-label="Values: arrow keys">{svg}</div>{}"#,
                table(data, false)
            )
        }
        Shown::Table { .. } => table(data, true),
    }
}

fn table(data: &PanelData, open: bool) -> String {
    let (columns, rows) = data.rows();
    let row = |row: Vec<String>| {
        let mut cells = row.into_iter();
        (cells.next().unwrap_or_default(), cells.collect())
    };
    markup(&Values { columns, rows: rows.into_iter().map(row).collect(), open })
}

async fn data(pairs: Vec<(String, String)>, plugged: &Plugged, place: usize, csv: bool) -> Response {
    let panel = &plugged.panels[place].panel;
    let asked = Query::new(pairs, TAKES, String::new()).and_then(|query| query.ask());
    let data = match asked {
        Ok(asked) => ask(plugged.name, panel, asked, panel.limit).await,
        Err(problem) => Err(problem),
    };
    let (columns, rows) = match data {
        Ok(data) => data.rows(),
        Err(problem) => return problem.into_response(),
    };
    if !csv {
        return Json(PanelAnswer { columns, rows, title: panel.title.clone() }).into_response();
    }
    match api::csv::write([columns].into_iter().chain(rows)) {
        Ok(text) => ([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "a panel could not be written as CSV");
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the panel could not be written as CSV").into_response()
        }
    }
}

//! The pages of plugins: their panels, and the same for programs.

use std::{sync::Arc, time::Instant};

use askama::Template;
use axum::{
    Json,
    extract::Query as Pairs,
    response::{IntoResponse, Response},
    routing::get,
};
use http::header;
use serde_json::json;

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
    spreadsheet,
    web::{
        api::{
            Problem, Query,
            params::{FILTERS, RANGE, ZONE},
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
    pub(in crate::web) panels: Vec<Panel>,
}

#[derive(Template)]
#[template(path = "plugin.html")]
struct PluginPage {
    panels: Vec<Drawn>,
    page: Page,
}

pub(in crate::web) fn register(host: &mut Host, plugged: &Arc<Plugged>) {
    let shown = Arc::clone(plugged);
    Which::new(plugged.path, plugged.name).register(host, move |page| show(page, Arc::clone(&shown)));
    for (place, panel) in plugged.panels.iter().enumerate() {
        let of = |csv: bool| {
            let plugged = Arc::clone(plugged);
            async move |Pairs(pairs): Pairs<Vec<(String, String)>>| data(pairs, &plugged.panels[place], csv).await
        };
        host.data(format!("{}/{}", plugged.path, panel.id), Role::Mod, get(of(false)));
        host.data(format!("{}/{}.csv", plugged.path, panel.id), Role::Mod, get(of(true)));
    }
}

async fn ask(panel: &Panel, ask: Ask) -> Result<PanelData, Problem> {
    let question = Arc::clone(&panel.ask);
    answered(Cancel::new(), move || Ok(question(&ask)?)).await
}

async fn show(page: Page, plugged: Arc<Plugged>) -> Response {
    let mut drawn = Vec::new();
    for panel in &plugged.panels {
        let start = Instant::now();
        let data = match page.view.ask(&[RANGE, ZONE, FILTERS]) {
            Ok(asked) => ask(panel, asked).await,
            Err(problem) => Err(problem),
        };
        let body = data.as_ref().map(draw).map_err(|problem| problem.message().to_owned());
        let foot = format!("{} by {}", format::duration(start.elapsed()), plugged.name);
        let panel_path = format!("{}/{}", plugged.path, panel.id);
        drawn.push(Drawn::given(panel.id, &panel.title, body, foot).api(&page.view, &panel_path, &[RANGE, ZONE, FILTERS]));
    }
    shown(&PluginPage { panels: drawn, page })
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

async fn data(pairs: Vec<(String, String)>, panel: &Panel, csv: bool) -> Response {
    let asked = Query::new(pairs, &[RANGE, ZONE, FILTERS], String::new()).and_then(|query| query.ask());
    let data = match asked {
        Ok(asked) => ask(panel, asked).await,
        Err(problem) => Err(problem),
    };
    let (columns, rows) = match data {
        Ok(data) => data.rows(),
        Err(problem) => return problem.into_response(),
    };
    if !csv {
        return Json(json!({"title": panel.title, "columns": columns, "rows": rows})).into_response();
    }
    match spreadsheet::write([columns].into_iter().chain(rows)) {
        Ok(text) => ([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "a panel could not be written as CSV");
            Problem::new(http::StatusCode::INTERNAL_SERVER_ERROR, "the panel could not be written as CSV").into_response()
        }
    }
}

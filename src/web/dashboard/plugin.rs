//! The pages of plugins: their panels, and the same for programs.

use std::sync::Arc;

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

use super::{
    page::{Page, Which, shown},
    panel::Panel as Drawn,
    plugged::{Placed, Plugged, TAKES},
    plugin_cards,
};
use crate::{
    access::Role,
    spreadsheet,
    web::{
        api::{Operation, Problem, Query},
        host::Host,
        panel_data::Panel,
    },
};

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

/// Gives a plugin its page, its panels their addresses, and both a place in the document of the API.
pub(in crate::web) fn plug(host: &mut Host, path: &'static str, panels: Vec<Panel>) -> Arc<Plugged> {
    let name = host.name;
    let placed = |panel: Panel| {
        let apart = String::leak(format!("{name}_{}", panel.id));
        Placed { plugin: name, path: format!("{path}/{}", panel.id), apart, panel }
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

async fn show(page: Page, plugged: Arc<Plugged>) -> Response {
    let panels = plugin_cards::of(&page, &plugged).await;
    shown(&PluginPage { panels, page })
}

async fn data(pairs: Vec<(String, String)>, plugged: &Plugged, place: usize, csv: bool) -> Response {
    let panel = &plugged.panels[place].panel;
    let asked = Query::new(pairs, TAKES, String::new()).and_then(|query| query.ask());
    let data = match asked {
        Ok(asked) => plugged.panels[place].ask(asked, panel.limit).await,
        Err(problem) => Err(problem),
    };
    let (columns, rows) = match data {
        Ok(data) => data.rows(),
        Err(problem) => return problem.into_response(),
    };
    if !csv {
        return Json(PanelAnswer { columns, rows, title: panel.title.clone() }).into_response();
    }
    match spreadsheet::write([columns].into_iter().chain(rows)) {
        Ok(text) => ([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "a panel could not be written as CSV");
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the panel could not be written as CSV").into_response()
        }
    }
}

//! Every endpoint: who uses it, how it fares, how long it takes.

use askama::Template;
use axum::response::Response;

use super::{
    cell::Cell,
    page::{Page, Which, shown},
    panel::{Panel, markup},
    panels,
    table::Table,
};
use crate::{
    report::{FeatureRow, Reports},
    web::{
        api::params::{FILTERS, RANGE, ZONE},
        format::{self, share},
        host::Host,
    },
};

const PAGE: Which = Which::new("endpoints", "Endpoints");

#[derive(Template)]
#[template(path = "endpoints.html")]
struct Endpoints {
    panels: [Panel; 3],
    page: Page,
}

pub(super) fn register(host: &mut Host) {
    PAGE.register(host, show);
}

async fn show(page: Page) -> Response {
    let (features, traffic, before, latency) = tokio::join!(
        page.ask(&[RANGE, FILTERS], Reports::features),
        page.ask(&[RANGE, ZONE, FILTERS], |reports, ask| reports.traffic(ask, None)),
        page.ask_before(&[RANGE, ZONE, FILTERS], |reports, ask| reports.traffic(ask, None)),
        page.ask(&[RANGE, FILTERS], Reports::latency),
    );
    let list = Panel::of("all", "All endpoints", &features, |features| match features.endpoints.as_slice() {
        [] => Err("No hits in this range. Try a longer one, or fewer filters."),
        rows => Ok(table(&page, rows)),
    });
    let list = list.width(12).api(&page.view, "api/chart/features", &[RANGE, FILTERS]).list("endpoints");
    let panels = [panels::traffic(&page, &traffic, before.as_ref()), panels::latency(&page, &latency), list];
    shown(&Endpoints { panels, page })
}

fn table(page: &Page, rows: &[FeatureRow]) -> String {
    let mut columns = vec![
        ("Endpoint", "Method and route template"),
        ("#Hits", ""),
        ("#Users", "Each counted once"),
        ("#Errors", "Failed, or answered 500 or more"),
        ("#4xx", "Client errors"),
        ("#Gone", "Given up by the client"),
        ("#Median", "Half of the hits took at most so long to the head of the response"),
        ("#p95", "Nineteen of twenty took at most so long"),
        ("#p99", "All but one of a hundred took at most so long"),
    ];
    let compares = page.view.compares() && rows.iter().any(|row| row.previous_hits.is_some());
    if compares {
        columns.push(("#Change", "Of hits, against the period before"));
    }
    let mut table = Table::new("Endpoints", &columns);
    let most = rows.first().map_or(0, |row| row.hits);
    for row in rows {
        let mut cells = vec![
            Cell::endpoint(&row.endpoint).to(page.view.page_with("endpoint", "endpoint", &row.endpoint)).bar(row.hits, most),
            Cell::number(row.hits),
            Cell::number(row.users),
            Cell::fault(row.errors).titled(format!("{} of its hits", share(row.errors, row.hits))),
            Cell::number(row.client_errors),
            Cell::number(row.aborted),
            Cell::duration(row.p50),
            Cell::duration(row.p95),
            Cell::duration(row.p99),
        ];
        if compares {
            cells.push(Cell::change(row.change).titled(row.previous_hits.map(format::exact).unwrap_or_default()));
        }
        table.row(cells);
    }
    markup(&table.sorted(&page.view, "all"))
}

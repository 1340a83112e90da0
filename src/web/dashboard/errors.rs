//! What went wrong, where, for whom, and since when.

use askama::Template;
use axum::response::Response;

use super::{
    cell::Cell,
    page::{Outcome, Page, Which, shown},
    panel::{Panel, markup},
    panels,
    table::Table,
};
use crate::{
    report::{Errors as Answered, Reports},
    web::{
        api::params::{FILTERS, RANGE, ZONE},
        charts,
        host::Host,
    },
};

const PAGE: Which = Which::new("errors", "Errors");
/// All of them are in the CSV.
const MOST: usize = 100;

#[derive(Template)]
#[template(path = "errors.html")]
struct Errors {
    panels: [Panel; 3],
    page: Page,
}

pub(super) fn register(host: &mut Host) {
    PAGE.register(host, show);
}

async fn show(page: Page) -> Response {
    let (errors, traffic, before) = tokio::join!(
        page.ask(&[RANGE, FILTERS], Reports::errors),
        page.ask(&[RANGE, ZONE, FILTERS], |reports, ask| reports.traffic(ask, None)),
        page.ask_before(&[RANGE, ZONE, FILTERS], |reports, ask| reports.traffic(ask, None)),
    );
    let failures = panels::failures(&page, &errors, MOST).width(12);
    let attached = (attached(&page, &errors), errors.as_ref().is_ok_and(|errors| errors.errors.is_empty()));
    // What an app says itself of its errors comes first, if it says anything.
    let (second, third) = if attached.1 { (failures, attached.0) } else { (attached.0, failures) };
    let panels = [panels::faults(&page, &traffic, before.as_ref()).half(), second, third];
    shown(&Errors { panels, page })
}

fn attached(page: &Page, errors: &Outcome<Answered>) -> Panel {
    let panel = Panel::of("attached", "Errors the app attached", errors, |errors| {
        let columns = [
            ("Error", "Digits and quoted parts are masked"),
            ("Where", ""),
            ("#Hits", ""),
            ("#Users", "Affected"),
            ("Trend", ""),
            ("#First", "Ever"),
            ("#Last", "Day of the range"),
        ];
        let mut table = Table::new("Errors", &columns);
        for row in errors.errors.iter().take(MOST) {
            let trend: Vec<f64> = row.trend.iter().map(|hits| *hits as f64).collect();
            table.row([
                Cell::name(&row.kind, "error").soft(&row.message).titled(&row.sample),
                Cell::endpoint(&row.endpoint).to(page.view.page_with("endpoint", "endpoint", &row.endpoint)),
                Cell::fault(row.count),
                Cell::number(row.users),
                Cell::drawn(charts::spark(&trend)),
                Cell::ago(&page.view, Some(row.first_seen)),
                Cell::day(&page.view, &row.last_seen),
            ]);
        }
        if table.rows.is_empty() {
            return Err(
                "None in this range. A handler attaches one with the extension ErrorNote, and it is here with its kind and message.",
            );
        }
        Ok(markup(&table.sorted(&page.view, "attached")))
    });
    panel.half().api(&page.view, "api/errors", &[RANGE, FILTERS]).list("errors")
}

//! Programs that are no people: which, how it is known, and what they ask for.

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
    report::{Bots as Audience, Devices, Reports},
    web::{
        api::params::{FILTERS, RANGE, ZONE},
        format::share,
        host::Host,
    },
};

const PAGE: Which = Which::new("bots", "Bots");

#[derive(Template)]
#[template(path = "bots.html")]
struct Bots {
    panels: Vec<Panel>,
    page: Page,
}

pub(crate) fn register(host: &mut Host) {
    PAGE.register(host, show);
}

async fn show(page: Page) -> Response {
    let (devices, traffic, features) = tokio::join!(
        page.ask(&[RANGE, FILTERS], Reports::devices),
        page.ask(&[RANGE, ZONE, FILTERS], |reports, ask| reports.traffic(&ask.clone().bots(Audience::Only), None)),
        page.ask(&[RANGE, FILTERS], |reports, ask| reports.features(&ask.clone().bots(Audience::Only))),
    );
    let mut panels = vec![classes(&page, &devices)];
    // That there was none is said once.
    if devices.as_ref().is_ok_and(|devices| !devices.bots.is_empty()) {
        panels.extend([
            panels::traffic(&page, &traffic, None).titled("Hits of bots").about("In no other number unless bots are asked for"),
            panels::endpoints(&page, &features, 15).titled("What they ask for").width(6),
        ]);
    }
    shown(&Bots { panels, page })
}

fn classes(page: &Page, devices: &Outcome<Devices>) -> Panel {
    let panel = Panel::of("classes", "Classes", devices, |devices| {
        let mut table = Table::new(
            "Classes of bots",
            &[
                ("Class", ""),
                ("Known by", "What gave them away"),
                ("#Hits", ""),
                ("#Share", ""),
                ("#Sessions", ""),
                ("#Users", "Signed in"),
            ],
        );
        let all: u64 = devices.bots.iter().map(|row| row.hits).sum();
        let most = devices.bots.first().map_or(0, |row| row.hits);
        for row in &devices.bots {
            let reasons = row.reasons.join(", ");
            table.row([
                Cell::name(&row.class, "other").bar(row.hits, most),
                Cell::name(&reasons, "–"),
                Cell::number(row.hits),
                Cell::float(row.hits as f64 / all.max(1) as f64, share(row.hits, all)),
                Cell::number(row.sessions),
                Cell::number(row.users),
            ]);
        }
        if table.rows.is_empty() {
            Err("No bot was here in this range. What calls itself one is counted here, and in no other number.")
        } else {
            Ok(markup(&table.sorted(&page.view, "classes")))
        }
    });
    let panel = panel.half().more("Count bots in every number", page.view.page_with("", "bots", "include"));
    panel.api(&page.view, "api/chart/devices", &[RANGE, FILTERS]).list("bots")
}

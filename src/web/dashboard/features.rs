//! What is used: adoption, change, and who uses it.

use askama::Template;
use axum::response::Response;

use super::{
    cell::Cell,
    page::{Page, Which, shown},
    panel::{Panel, markup},
    table::Table,
};
use crate::{
    report::{ComparedFeature, FeatureRow, Reports},
    web::{
        api::params::{FILTERS, OTHER, RANGE},
        format::percent,
        host::Host,
    },
};

const PAGE: Which = Which::new("features", "Features");

#[derive(Template)]
#[template(path = "features.html")]
struct Features {
    panels: [Panel; 2],
    page: Page,
}

pub(super) fn register(host: &mut Host) {
    PAGE.register(host, show);
}

async fn show(page: Page) -> Response {
    let (features, comparison) = tokio::join!(
        page.ask(&[RANGE, FILTERS], Reports::features),
        page.ask(&[RANGE, FILTERS], |reports, ask| reports.comparison(ask, None)),
    );
    let list = Panel::of("features", "Adoption", &features, |features| match features.features.as_slice() {
        [] => Err("Nothing was used in this range. Try a longer one, or fewer filters."),
        rows => Ok(table(&page, rows)),
    });
    let list =
        list.half().about("Each feature's users as a share of all users of the range. Say what belongs together with Builder::feature.");
    let compared = Panel::of("comparison", "A day now, and a day before", &comparison, |comparison| match comparison.features.as_slice() {
        _ if comparison.other_days <= 0.0 => Err("All time has no period before it. Choose a range to compare."),
        [] => Err("Nothing was used in this range or the one before."),
        rows => Ok(per_day(&page, rows)),
    });
    let compared = compared.half().api(&page.view, "api/features/comparison", &[RANGE, OTHER, FILTERS]);
    let panels = [list.api(&page.view, "api/chart/features", &[RANGE, FILTERS]), compared];
    shown(&Features { panels, page })
}

fn table(page: &Page, rows: &[FeatureRow]) -> String {
    let columns = [
        ("Feature", ""),
        ("#Users", "Each counted once: click for who they are"),
        ("#Adoption", "As a share of all users of the range"),
        ("#Hits", ""),
        ("#Hits a user", ""),
        ("#Errors", "Failed, or answered 500 or more"),
        ("#Median", "Half of the hits took at most so long"),
        ("#p95", "Nineteen of twenty took at most so long"),
        ("#Change", "Of hits, against the period before"),
    ];
    let mut table = Table::new("Features", &columns);
    let most = rows.iter().map(|row| row.users).max().unwrap_or_default();
    for row in rows {
        table.row([
            Cell::name(&row.name, "no name").to(page.view.page_with("endpoints", "feature", &row.feature)).bar(row.users, most),
            Cell::number(row.users).to(page.view.page_with("users", "feature", &row.feature)),
            Cell::float(row.adoption, percent(row.adoption)),
            Cell::number(row.hits),
            Cell::float(row.hits_per_user, format!("{:.1}", row.hits_per_user)),
            Cell::fault(row.errors),
            Cell::duration(row.p50),
            Cell::duration(row.p95),
            if row.previous_hits.is_some() { Cell::change(row.change) } else { Cell::text("–").class("num none") },
        ]);
    }
    markup(&table.sorted(&page.view, "features"))
}

fn per_day(page: &Page, rows: &[ComparedFeature]) -> String {
    let columns = [
        ("Feature", ""),
        ("#Hits a day", ""),
        ("#Hits before", "Hits a day of the period before"),
        ("#More hits", ""),
        ("#Users a day", ""),
        ("#Users before", "Users a day of the period before"),
        ("#More users", ""),
    ];
    let mut table = Table::new("Features by day", &columns);
    let rough = |value: f64| Cell::float(value, if value > 0.0 && value < 1.0 { format!("{value:.2}") } else { format!("{value:.1}") });
    for row in rows {
        table.row([
            Cell::name(&row.name, "no name"),
            rough(row.hits_per_day),
            rough(row.other_hits_per_day),
            Cell::change(row.hits_change),
            rough(row.users_per_day),
            rough(row.other_users_per_day),
            Cell::change(row.users_change),
        ]);
    }
    markup(&table.sorted(&page.view, "comparison"))
}

//! Users who do most.

use askama::Template;
use axum::response::Response;

use super::{
    cell::Cell,
    page::{Page, Which, shown},
    panel::{Panel, markup},
    table::Table,
    users,
};
use crate::{
    report::PowerUsers as Answered,
    web::{
        api::params::{BY, CURSOR, FILTERS, LIMIT, RANGE},
        host::Host,
    },
};

const PAGE: Which = Which::new("power-users", "Power users").below("users").own(&[BY, LIMIT, CURSOR]);

#[derive(Template)]
#[template(path = "power_users.html")]
struct PowerUsers {
    by: String,
    panels: [Panel; 1],
    page: Page,
}

pub(super) fn register(host: &mut Host) {
    PAGE.register(host, show);
}

async fn show(page: Page) -> Response {
    let by = page.view.query().power();
    let users = match page.view.query().page() {
        Ok(rows) => page.ask(&[RANGE, FILTERS], move |reports, ask| reports.power_users(ask, by, &rows)).await,
        Err(problem) => Err(problem),
    };
    let list = Panel::of("users", "Those who do most", &users, |users| table(&page, users)).width(12);
    let panels = [list.api(&page.view, "api/power-users", &[RANGE, FILTERS, BY, LIMIT, CURSOR])];
    shown(&PowerUsers { by: by.name().to_owned(), panels, page })
}

fn table(page: &Page, users: &Answered) -> Result<String, &'static str> {
    let columns: Vec<_> = users::COLUMNS.into_iter().chain([("#Features", "How many were used in the range")]).collect();
    let mut table = Table::new("Power users", &columns);
    for row in &users.users {
        let mut cells = users::cells(page, &row.user);
        cells.push(Cell::number(row.features_used));
        table.row(cells);
    }
    if table.rows.is_empty() {
        return Err("No user was here in this range. Try a longer one, or fewer filters.");
    }
    table.pages(&page.view, users.next_cursor.as_deref());
    Ok(markup(&table.sorted(&page.view, "users")))
}

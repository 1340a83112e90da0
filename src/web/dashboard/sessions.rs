//! Sessions that began in the range, newest first.

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
    report::{Reports, Sessions as Answered},
    web::{
        api::params::{CURSOR, FILTERS, LIMIT, RANGE},
        host::Host,
    },
};

const PAGE: Which = Which::new("sessions", "Sessions").own(&[LIMIT, CURSOR]);

#[derive(Template)]
#[template(path = "sessions.html")]
struct Sessions {
    panels: [Panel; 1],
    page: Page,
}

pub(super) fn register(host: &mut Host) {
    PAGE.register(host, show);
}

async fn show(page: Page) -> Response {
    let rows = page.view.query().page();
    let sessions = match rows {
        Ok(rows) => page.ask(&[RANGE, FILTERS], move |reports: &Reports, ask| reports.sessions(ask, &rows)).await,
        Err(problem) => Err(problem),
    };
    let list = Panel::of("sessions", "Newest first", &sessions, |sessions| table(&page, sessions));
    let list =
        list.width(12).about("In the order of their opening; with filters by endpoint, feature or status: those that have such a hit");
    let panels = [list.api(&page.view, "api/sessions", &[RANGE, FILTERS, LIMIT, CURSOR])];
    shown(&Sessions { panels, page })
}

/// Sessions as rows; also on the page of one person.
pub(super) fn table(page: &Page, sessions: &Answered) -> Result<String, &'static str> {
    let columns = [
        ("Who", ""),
        ("Began", ""),
        ("Platform", ""),
        ("Version", ""),
        ("Last endpoint", ""),
        ("#Actions", ""),
        ("#Hits", ""),
        ("#Errors", ""),
        ("#Duration", "From the first to the last action"),
    ];
    let mut table = Table::new("Sessions", &columns);
    for row in &sessions.sessions {
        let id = row.user_id.as_deref().unwrap_or_default();
        let who = Cell::name(&panels::person(id, &row.user_name), if row.bot.is_empty() { "a visitor" } else { "a bot" });
        table.row([
            who.to(page.view.page_with("session", "id", &row.session_id)).soft(if row.active { "active" } else { "" }),
            Cell::moment(&page.view, row.started_at),
            Cell::name(&row.platform, "unknown").to(page.view.with("platform", &row.platform)).soft(&row.device),
            Cell::name(&row.app_version, "–").to(page.view.with("version", &row.app_version)),
            Cell::endpoint(&row.last_endpoint),
            Cell::number(row.actions),
            Cell::number(row.hits),
            Cell::fault(row.errors),
            Cell::duration(row.duration),
        ]);
    }
    if table.rows.is_empty() {
        return Err("No session began in this range. Try a longer one, or fewer filters.");
    }
    table.pages(&page.view, sessions.next_cursor.as_deref());
    Ok(markup(&table.sorted(&page.view, "sessions")))
}

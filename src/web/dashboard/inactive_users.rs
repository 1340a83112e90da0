//! Users who have not been here for a while, and what they used last.

use askama::Template;
use axum::response::Response;

use super::{
    bars::Bar,
    page::{Page, Which, shown},
    panel::{Panel, markup},
    panels,
    table::Table,
    users,
};
use crate::{
    report::{InactiveUsers as Answered, LastVersion},
    web::{
        api::params::{CURSOR, IDLE, LAST_FILTERS, LIMIT},
        format::{counted, share},
        host::Host,
    },
};

const PAGE: Which = Which::new("inactive-users", "Inactive users").below("users").own(&[IDLE, LIMIT, CURSOR]).plain();
const DAYS: [(&str, &str); 4] = [("7", "7 d"), ("14", "14 d"), ("30", "30 d"), ("90", "90 d")];

#[derive(Template)]
#[template(path = "inactive_users.html")]
struct InactiveUsers {
    days: String,
    panels: Vec<Panel>,
    page: Page,
}

pub(super) fn register(host: &mut Host) {
    PAGE.register(host, show);
}

async fn show(page: Page) -> Response {
    let idle = page.view.query().idle_days();
    let users = match page.view.query().page() {
        Ok(rows) => page.ask(&[LAST_FILTERS], move |reports, ask| reports.inactive_users(ask, idle, &rows)).await,
        Err(problem) => Err(problem),
    };
    let title = match &users {
        Ok(users) if users.total > 0 => format!("{} not seen for {idle} days", counted(users.total, "user")),
        _ => format!("Not seen for {idle} days"),
    };
    // That nobody has stayed away is said once.
    let is_nobody = users.as_ref().is_ok_and(|users| users.total == 0);
    let versions = Panel::of("versions", "What they used last", &users, |users| {
        let bar = |row: &LastVersion| Bar {
            name: format!("{} {}", panels::known(&row.platform), row.app_version),
            href: page.view.with("version", &row.app_version),
            value: row.users,
            soft: share(row.users, users.total),
            ..Bar::default()
        };
        panels::bars(users.versions.iter().map(bar), 12)
    });
    let takes = &[IDLE, LAST_FILTERS, LIMIT, CURSOR];
    let list = Panel::of("users", &title, &users, |users| table(&page, users)).width(12).api(&page.view, "api/inactive-users", takes);
    let versions = versions.width(12).about("Their last version: whom an update may have lost");
    let panels = if is_nobody { vec![list] } else { vec![versions, list] };
    shown(&InactiveUsers { days: idle.to_string(), panels, page })
}

fn table(page: &Page, users: &Answered) -> Result<String, &'static str> {
    let mut table = Table::new("Inactive users", &users::COLUMNS);
    users.users.iter().for_each(|row| table.row(users::cells(page, row)));
    if table.rows.is_empty() {
        return Err("Nobody has stayed away so long. Try fewer days, or fewer filters.");
    }
    table.pages(&page.view, users.next_cursor.as_deref());
    Ok(markup(&table.sorted(&page.view, "users")))
}

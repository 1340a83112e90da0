//! Users of the range, and what they did in it.

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
    report::{UserRow, Users as Answered},
    web::{
        api::params::{CURSOR, FILTERS, FIRST_SEEN, LIMIT, ORDER, RANGE},
        format::counted,
        host::Host,
    },
};

const PAGE: Which = Which::new("users", "Users").own(&[FIRST_SEEN, ORDER, LIMIT, CURSOR]);
const ORDERS: [(&str, &str); 4] =
    [("first_seen", "First seen"), ("last_seen", "Last seen"), ("actions", "Actions"), ("sessions", "Sessions")];

#[derive(Template)]
#[template(path = "users.html")]
struct Users {
    order: String,
    cohort: Option<(String, String)>,
    panels: Vec<Panel>,
    page: Page,
}

pub(super) fn register(host: &mut Host) {
    PAGE.register(host, show);
}

async fn show(page: Page) -> Response {
    let (order, rows) = (page.view.query().order(), page.view.query().page());
    let users = async {
        let rows = rows?;
        page.ask(&[RANGE, FILTERS, FIRST_SEEN], move |reports, ask| reports.users(ask, order, &rows)).await
    };
    let (users, growth, before) = tokio::join!(
        users,
        page.ask(&[RANGE, FILTERS], |reports, ask| reports.user_growth(ask, None)),
        page.ask_before(&[RANGE, FILTERS], |reports, ask| reports.user_growth(ask, None)),
    );
    let title = match &users {
        Ok(users) if users.total > 0 => counted(users.total, "user"),
        _ => "Who they are".to_owned(),
    };
    let list = Panel::of("users", &title, &users, |users| table(&page, users)).width(12);
    let list = list.api(&page.view, "api/users", &[RANGE, FILTERS, FIRST_SEEN, ORDER, LIMIT, CURSOR]);
    let cohort = page.view.query().get("first_from").zip(page.view.query().get("first_to"));
    let cohort = cohort.map(|(from, to)| (format!("first seen from {from} until before {to}"), page.view.page("retention")));
    // A cohort, or a further page, is a list alone.
    let is_alone = cohort.is_some() || page.view.query().get("cursor").is_some();
    let panels = if is_alone { vec![list] } else { vec![panels::growth(&page, &growth, before.as_ref()).width(12), list] };
    let order = page.view.query().get("order").unwrap_or("first_seen").to_owned();
    shown(&Users { order, cohort, panels, page })
}

fn table(page: &Page, users: &Answered) -> Result<String, &'static str> {
    let mut table = Table::new("Users", &COLUMNS);
    users.users.iter().for_each(|row| table.row(cells(page, row)));
    if table.rows.is_empty() {
        return Err("No user was here in this range. Say who is asking with an extension User, or Builder::user.");
    }
    table.pages(&page.view, users.next_cursor.as_deref());
    Ok(markup(&table.sorted(&page.view, "users")))
}

pub(super) const COLUMNS: [(&str, &str); 9] = [
    ("User", ""),
    ("#First seen", "Ever"),
    ("#Last seen", "In the range"),
    ("Platform", "Used last"),
    ("Version", "Used last"),
    ("#Sessions", ""),
    ("#Time", "Of those sessions"),
    ("#Actions", ""),
    ("#Errors", ""),
];

pub(super) fn cells(page: &Page, row: &UserRow) -> Vec<Cell> {
    let name = Cell::name(&panels::person(&row.user_id, &row.user_name), "no name").to(page.view.page_with("user", "id", &row.user_id));
    vec![
        if row.user_name.trim().is_empty() { name } else { name.soft(&row.user_id) },
        Cell::ago(&page.view, row.first_seen),
        Cell::ago(&page.view, row.last_seen),
        Cell::name(&row.platform, "–").to(page.view.with("platform", &row.platform)),
        Cell::name(&row.app_version, "–").to(page.view.with("version", &row.app_version)),
        Cell::number(row.sessions),
        Cell::duration(row.time),
        Cell::number(row.actions),
        Cell::fault(row.errors),
    ]
}

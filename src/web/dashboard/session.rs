//! One session: everything that was done in it, on a line of time.

use askama::Template;
use axum::response::Response;

use super::{
    cell::Cell,
    page::{Outcome, Page, Which, ask, missing, shown},
    panel::{Panel, markup},
    panels,
    table::Table,
};
use crate::{
    report::{ActionRow, SessionDetail, SessionRow},
    web::{
        api::params::{CURSOR, ID, LIMIT},
        charts::{self, Mark},
        format,
        host::Host,
    },
};

const PAGE: Which = Which::new("session", "Session").below("sessions").own(&[ID, LIMIT, CURSOR]).plain();

#[derive(Template)]
#[template(path = "session.html")]
struct Session {
    session: Option<SessionRow>,
    who: String,
    profile: Option<String>,
    previous: Option<String>,
    next: Option<String>,
    panels: [Panel; 2],
    page: Page,
}

pub(super) fn register(host: &mut Host) {
    PAGE.register(host, show);
}

async fn show(page: Page) -> Response {
    let id = page.view.query().get("id").unwrap_or_default().to_owned();
    let detail: Outcome<SessionDetail> = match page.view.query().page() {
        Ok(rows) => {
            let asked = id.clone();
            match ask(&page.site.reports, move |reports| reports.session(&asked, &rows)).await.map(crate::report::Answer::found) {
                Ok(Some(detail)) => Ok(detail),
                Ok(None) => return missing(page.view.links().clone(), "There is no such session, or its month was put away."),
                Err(problem) => Err(problem),
            }
        }
        Err(problem) => Err(problem),
    };
    let known = detail.as_ref().ok();
    let beside = |id: Option<&String>| id.map(|id| page.view.page_with("session", "id", id));
    let session = known.map(|detail| detail.session.clone());
    let user = session.as_ref().and_then(|session| session.user_id.clone());
    let who = match (&user, &session) {
        (Some(id), Some(session)) => panels::person(id, &session.user_name),
        (None, Some(session)) if !session.bot.is_empty() => format!("a bot ({})", session.bot),
        _ => "a visitor".to_owned(),
    };
    let path = format!("api/session/{}", super::addresses::coded(&id).replace('/', "%2F"));
    let time = Panel::of("time", "Time line", &detail, |detail| time_line(&detail.actions)).width(12);
    let list =
        Panel::of("actions", "Actions", &detail, |detail| actions(&page, detail)).width(12).json(&page.view, &path, &[LIMIT, CURSOR]);
    shown(&Session {
        who,
        profile: user.map(|id| page.view.page_with("user", "id", &id)),
        previous: beside(known.and_then(|detail| detail.previous_session.as_ref())),
        next: beside(known.and_then(|detail| detail.next_session.as_ref())),
        session,
        panels: [time, list],
        page,
    })
}

fn time_line(actions: &[ActionRow]) -> Result<String, &'static str> {
    let Some(first) = actions.first() else { return Err("The hits of this session were put away with their month.") };
    let since = |action: &ActionRow| action.at.duration_since(first.at).unwrap_or_default();
    let mark = |action: &ActionRow| Mark {
        at: since(action).as_secs_f64(),
        class: class(action),
        title: format!("+{}: {} {}, {}", format::duration(since(action)), action.endpoint, action.status, format::duration(action.latency)),
    };
    let marks: Vec<Mark> = actions.iter().map(mark).collect();
    let svg = charts::timeline("The session's hits in time", &marks);
    let whole = actions.last().map(since).unwrap_or_default();
    let text =
        format!("{} in {}; what went wrong is greater and red", format::counted(actions.len() as u64, "hit"), format::duration(whole));
    Ok(format!(r#"<div class="heated" tabindex="0" role="group" aria-label="Hits: arrow keys">{svg}</div><p class="soft">{text}</p>"#))
}

fn class(action: &ActionRow) -> &'static str {
    match action.status {
        500.. => "bad",
        _ if action.outcome == "failed" => "bad",
        400..=499 => "warn",
        _ => "good",
    }
}

fn actions(page: &Page, detail: &SessionDetail) -> Result<String, &'static str> {
    let columns = [
        ("Endpoint", ""),
        ("Status", ""),
        ("#Gap", "Since the hit before it"),
        ("#Latency", "To the head of the response"),
        ("", ""),
        ("#Body", "From there to the end of the body"),
        ("#Bytes", "Of the response's body"),
        ("When", ""),
        ("Error", ""),
    ];
    let mut table = Table::new("Actions", &columns);
    let most = detail.actions.iter().map(|action| action.latency).max().unwrap_or_default().as_secs_f64();
    for action in &detail.actions {
        let gap =
            action.gap.map_or_else(|| Cell::text("–").class("num none"), |gap| Cell::float(gap, format!("+{}", format::seconds(gap))));
        let status =
            if action.outcome == "completed" { action.status.to_string() } else { format!("{} {}", action.status, action.outcome) };
        table.row([
            Cell::endpoint(&action.endpoint).to(page.view.page_with("endpoint", "endpoint", &action.endpoint)).soft(if action.action {
                ""
            } else {
                "noise"
            }),
            Cell::text(status).class(class(action)),
            gap,
            Cell::duration(action.latency),
            Cell::drawn(charts::bar(action.latency.as_secs_f64(), most)),
            Cell::duration(action.body),
            Cell::float(action.bytes_out as f64, format::bytes(action.bytes_out)),
            Cell::moment(&page.view, action.at),
            Cell::name(&action.error_kind, "").soft(&action.error_message),
        ]);
    }
    if table.rows.is_empty() {
        return Err("The hits of this session were put away with their month.");
    }
    table.pages(&page.view, detail.next_cursor.as_deref());
    Ok(markup(&table.sorted(&page.view, "actions")))
}

//! One person: sums, days, features, platforms, sessions.

use askama::Template;
use axum::response::Response;

use super::{
    bars::Bar,
    chart::{Chart, Unit, series},
    page::{Outcome, Page, Which, missing, shown},
    panel::{Panel, markup},
    panels, sessions,
};
use crate::{
    report::{Page as Rows, UserDay, UserDetail, UserFeature, UserPlatform},
    web::{
        api::params::{FILTERS, ID, RANGE, USER_FILTERS},
        charts::Kind,
        format,
        host::Host,
    },
};

const PAGE: Which = Which::new("user", "User").below("users").own(&[ID]);

#[derive(Template)]
#[template(path = "user.html")]
struct User {
    name: String,
    detail: Option<UserDetail>,
    panels: [Panel; 4],
    page: Page,
}

pub(super) fn register(host: &mut Host) {
    PAGE.register(host, show);
}

async fn show(page: Page) -> Response {
    let id = page.view.query().get("id").unwrap_or_default().to_owned();
    let (asked, of_user) = (id.clone(), id.clone());
    let (user, sessions) = tokio::join!(
        page.ask(&[RANGE, USER_FILTERS], move |reports, ask| reports.user(ask, &asked)),
        page.ask(&[RANGE, FILTERS], move |reports, ask| reports.sessions(&ask.clone().user(&of_user), &Rows::first(20))),
    );
    let user = match user.map(crate::report::Answer::found) {
        Ok(Some(user)) => Ok(user),
        Ok(None) => return missing(page.view.links().clone(), "There is no user with this id."),
        Err(problem) => Err(problem),
    };
    let path = format!("api/user/{}", super::addresses::coded(&id).replace('/', "%2F"));
    let days = days(&page, &user).json(&page.view, &path, &[RANGE, USER_FILTERS]);
    let mut list = Panel::of("sessions", "Sessions", &sessions, |sessions| {
        let newest = crate::report::Sessions { next_cursor: None, ..crate::report::Sessions::clone(sessions) };
        sessions::table(&page, &newest)
    });
    list = list.width(12).more("All of them", page.view.page_with("sessions", "user", &id));
    let panels = [days, features(&page, &user), platforms(&page, &user), list];
    let detail = user.ok().map(crate::report::Answer::into_inner);
    let name = detail.as_ref().map_or_else(|| id.clone(), |detail| panels::person(&detail.user.user_id, &detail.user.user_name));
    shown(&User { name, detail, panels, page })
}

fn days(page: &Page, user: &Outcome<UserDetail>) -> Panel {
    let panel = Panel::of("days", "Days", user, |user| {
        let days = every_day(&user.days);
        let of = |value: fn(&UserDay) -> u64| days.iter().map(move |(_, day)| day.map_or(0.0, |day| value(day) as f64));
        let lines = vec![
            series("Actions", 1, Kind::Area, of(|day| day.actions)),
            series("Sessions", 2, Kind::Line, of(|day| day.sessions)),
            series("Errors", 4, Kind::Line, of(|day| day.errors)),
        ];
        let names = days.iter().map(|(date, _)| format::step(date, "day")).collect();
        let chart = Chart::new("Days on which the person was here", names, lines, page.view.goes_on(), Unit::Count);
        if chart.is_flat() { Err("Not here in this range. Try a longer one.") } else { Ok(markup(&chart)) }
    });
    panel.half().about("From the first to the last day on which the person was here in the range")
}

/// Those between, too: a pause is seen as one.
fn every_day(days: &[UserDay]) -> Vec<(String, Option<&UserDay>)> {
    let date = |day: Option<&UserDay>| day.and_then(|day| day.date.parse::<jiff::civil::Date>().ok());
    let (Some(first), Some(last)) = (date(days.first()), date(days.last())) else { return Vec::new() };
    let mut left = days.iter().peekable();
    let between = first.series(jiff::ToSpan::days(1)).take_while(|date| *date <= last);
    let all = between.map(|date| {
        let date = date.to_string();
        let day = left.next_if(|day| day.date == date);
        (date, day)
    });
    all.collect()
}

fn features(page: &Page, user: &Outcome<UserDetail>) -> Panel {
    Panel::of("features", "Features", user, |user| {
        let bar = |row: &UserFeature| Bar {
            name: row.name.clone(),
            href: page.view.with("feature", &row.feature),
            value: row.hits,
            soft: page.ago(&row.last_seen),
            ..Bar::default()
        };
        panels::bars(user.features.iter().map(bar), 12)
    })
}

fn platforms(page: &Page, user: &Outcome<UserDetail>) -> Panel {
    Panel::of("platforms", "Platforms and versions", user, |user| {
        let bar = |row: &UserPlatform| Bar {
            name: format!("{} {}", panels::known(&row.platform), row.app_version),
            href: page.view.with("version", &row.app_version),
            value: row.hits,
            soft: page.ago(&row.last_seen),
            ..Bar::default()
        };
        panels::bars(user.platforms.iter().map(bar), 12)
    })
}

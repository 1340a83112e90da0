//! How many of those who came in a step were there again later.

use askama::Template;
use axum::response::Response;

use super::{
    page::{Page, Which, shown},
    panel::{Panel, markup},
};
use crate::{
    report::{Interval, Kept, Retention as Answered},
    web::{
        api::params::{COHORTS, FILTERS, INTERVAL, RANGE},
        format::{self, percent},
        host::Host,
    },
};

const PAGE: Which = Which::new("retention", "Retention").below("users").own(&[INTERVAL, COHORTS]);

#[derive(Template)]
#[template(path = "retention.html")]
struct Retention {
    interval: &'static str,
    cohorts: &'static str,
    panels: [Panel; 1],
    page: Page,
}

/// Cohorts below one another, later steps to the right.
#[derive(Template)]
#[template(path = "_triangle.html")]
struct Triangle {
    step: &'static str,
    rows: Vec<Row>,
    columns: usize,
}

struct Row {
    name: String,
    size: String,
    cells: Vec<Cell>,
}

struct Cell {
    text: String,
    title: String,
    /// 0 to 5, as in a heat map.
    heat: u8,
    /// The step goes on.
    open: bool,
    /// To those people.
    href: Option<String>,
}

pub(super) fn register(host: &mut Host) {
    PAGE.register(host, show);
}

async fn show(page: Page) -> Response {
    let interval = page.view.query().interval().unwrap_or(Interval::Week);
    let (cohorts, back) = page.view.query().cohorts();
    let retention = page.ask(&[RANGE, FILTERS], move |reports, ask| reports.retention(ask, interval, cohorts, back)).await;
    let panel = Panel::of("retention", "Who comes back", &retention, |retention| {
        if retention.cohorts.iter().all(|cohort| cohort.users == 0) {
            return Err("Nobody was first seen in this range. Try a longer one, or fewer filters.");
        }
        Ok(markup(&triangle(&page, retention, interval.name())))
    });
    let panel = panel
        .width(12)
        .about("Of those who came in each step, the share who were there again so many steps later; a click shows who they are");
    let panels = [panel.api(&page.view, "api/retention", &[RANGE, FILTERS, INTERVAL, COHORTS])];
    shown(&Retention { interval: interval.name(), cohorts: cohorts.name(), panels, page })
}

fn triangle(page: &Page, retention: &Answered, step: &'static str) -> Triangle {
    // Where each step begins, and the last one ends.
    let starts: Vec<&str> = retention.cohorts.iter().map(|cohort| cohort.start.as_str()).collect();
    let end = starts.last().map(|start| after(start, step)).unwrap_or_default();
    let step_of = |place: usize| Some([*starts.get(place)?, *starts.get(place + 1).unwrap_or(&end.as_str())]);
    let is_first = retention.cohorts_by == "first" && retention.back == "on";
    let row = |(place, cohort): (usize, &crate::report::Cohort)| {
        let cell = |(period, kept): (usize, &Kept)| {
            let share = kept.share.unwrap_or_default();
            // Only whoever is in a cohort for good can be listed.
            let people = step_of(place).zip(step_of(place + period)).filter(|_| is_first && kept.users > 0);
            Cell {
                text: if cohort.users == 0 { "–".to_owned() } else { percent(share) },
                title: format!("{} of {}", format::exact(kept.users), format::counted(cohort.users, "user")),
                heat: (share * 5.0).ceil().clamp(0.0, 5.0) as u8,
                open: !kept.complete && is_first && cohort.users > 0,
                href: people.map(|(cohort, period)| page.view.cohort(cohort, period)),
            }
        };
        let cells = cohort.periods.iter().enumerate().map(cell).collect();
        Row { name: format::step(&cohort.start, step).0, size: format::number(cohort.users), cells }
    };
    // Before the first of all users there is nothing to be seen.
    let rows: Vec<Row> = retention.cohorts.iter().enumerate().skip_while(|(_, cohort)| cohort.users == 0).map(row).collect();
    Triangle { step, columns: rows.first().map_or(0, |row| row.cells.len()), rows }
}

/// Where the step after the last one begins.
fn after(start: &str, step: &str) -> String {
    use jiff::{ToSpan, civil::Date};
    let span = match step {
        "day" => 1.day(),
        "month" => 1.month(),
        _ => 1.week(),
    };
    start.parse::<Date>().ok().and_then(|date| date.checked_add(span).ok()).map(|date| date.to_string()).unwrap_or_default()
}

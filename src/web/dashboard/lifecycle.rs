//! Who is new, returns, comes back or stays away; and how often people come.

use askama::Template;
use axum::response::Response;

use super::{
    cell::Cell,
    chart::{Chart, Unit, series},
    page::{Outcome, Page, Which, shown},
    panel::{Panel, markup},
    table::Table,
};
use crate::{
    report::{Lifecycle as Answered, LifecycleBucket, Stickiness},
    web::{
        api::params::{FILTERS, INTERVAL, RANGE},
        charts::Kind,
        format,
        host::Host,
    },
};

const PAGE: Which = Which::new("lifecycle", "Lifecycle").below("users").own(&[INTERVAL]);

#[derive(Template)]
#[template(path = "lifecycle.html")]
struct Lifecycle {
    interval: String,
    stickiness: Option<Stickiness>,
    panels: [Panel; 2],
    page: Page,
}

pub(super) fn register(host: &mut Host) {
    PAGE.register(host, show);
}

async fn show(page: Page) -> Response {
    let interval = page.view.query().interval();
    let lifecycle = page.ask(&[RANGE, FILTERS], move |reports, ask| reports.lifecycle(ask, interval)).await;
    let panels = [over_time(&page, &lifecycle), steps(&page, &lifecycle)];
    // Of whole days: on the first one there is none yet.
    let stickiness = lifecycle.as_ref().ok().map(|answer| answer.stickiness).filter(|stickiness| stickiness.mau > 0.0);
    let interval = lifecycle.as_ref().map(|answer| answer.interval.clone()).unwrap_or_default();
    shown(&Lifecycle { interval, stickiness, panels, page })
}

fn over_time(page: &Page, lifecycle: &Outcome<Answered>) -> Panel {
    let panel = Panel::of("lifecycle", "Who comes, who goes", lifecycle, |answer| {
        let of = |value: fn(&LifecycleBucket) -> u64| answer.buckets.iter().map(move |bucket| value(bucket) as f64);
        let lines = vec![
            series("Returning", 1, Kind::Area, of(|bucket| bucket.returning)),
            series("New", 2, Kind::Line, of(|bucket| bucket.new)),
            series("Came back", 5, Kind::Line, of(|bucket| bucket.resurrected)),
            series("Stayed away", 4, Kind::Line, of(|bucket| bucket.dormant)),
        ];
        let names = answer.buckets.iter().map(|bucket| format::step(&bucket.start, &answer.interval)).collect();
        let chart = Chart::new("Users by how they came", names, lines, page.view.goes_on(), Unit::Count);
        if chart.is_flat() { Err("Nobody was here in this range. Try a longer one, or fewer filters.") } else { Ok(markup(&chart)) }
    });
    let panel = panel.width(12).about(
        "Returning: there in the step before. Came back: earlier, but not in the step before. Stayed away: only in the step before.",
    );
    panel.api(&page.view, "api/lifecycle", &[RANGE, FILTERS, INTERVAL])
}

fn steps(page: &Page, lifecycle: &Outcome<Answered>) -> Panel {
    let panel = Panel::of("steps", "Step by step", lifecycle, |answer| {
        let mut table = Table::new(
            "Steps",
            &[("Step", ""), ("#Active", ""), ("#New", ""), ("#Returning", ""), ("#Came back", ""), ("#Stayed away", "")],
        );
        for bucket in answer.buckets.iter().rev() {
            let numbers = [bucket.active, bucket.new, bucket.returning, bucket.resurrected, bucket.dormant];
            let name = Cell::text(format::step(&bucket.start, &answer.interval).1);
            table.row([name].into_iter().chain(numbers.map(Cell::number)).collect::<Vec<_>>());
        }
        let is_empty = answer.buckets.iter().all(|bucket| bucket.active == 0 && bucket.dormant == 0);
        if is_empty {
            Err("Nobody was here in this range. Try a longer one, or fewer filters.")
        } else {
            Ok(markup(&table.sorted(&page.view, "steps")))
        }
    });
    panel.width(12).api(&page.view, "api/lifecycle", &[RANGE, FILTERS, INTERVAL])
}

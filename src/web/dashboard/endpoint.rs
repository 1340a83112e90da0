//! One endpoint: its traffic, its latencies, who asks for it, with which versions, and what goes wrong.

use std::time::Duration;

use askama::Template;
use axum::response::Response;

use super::{
    bars::Bar,
    card::{Better, Card},
    chart::{Chart, Unit, series},
    page::{Outcome, Page, Which, shown},
    panel::{Panel, markup},
    panels,
};
use crate::{
    report::{Devices, Page as Rows, Reports, Stats, Traffic, TrafficBucket, UserOrder, Users},
    web::{
        api::params::{FILTERS, FINE_INTERVAL, ORDER, RANGE, ZONE},
        charts::Kind,
        format::{self, exact, percent},
        host::Host,
    },
};

const PAGE: Which = Which::new("endpoint", "Endpoint").below("endpoints");

#[derive(Template)]
#[template(path = "endpoint.html")]
struct Endpoint {
    name: String,
    cards: Vec<Card>,
    panels: Vec<Panel>,
    page: Page,
}

pub(super) fn register(host: &mut Host) {
    PAGE.register(host, show);
}

async fn show(page: Page) -> Response {
    let (stats, traffic, before, latency, devices, errors, users) = tokio::join!(
        page.ask(&[RANGE, FILTERS], Reports::stats),
        page.ask(&[RANGE, ZONE, FILTERS], |reports, ask| reports.traffic(ask, None)),
        page.ask_before(&[RANGE, ZONE, FILTERS], |reports, ask| reports.traffic(ask, None)),
        page.ask(&[RANGE, FILTERS], Reports::latency),
        page.ask(&[RANGE, FILTERS], Reports::devices),
        page.ask(&[RANGE, FILTERS], Reports::errors),
        page.ask(&[RANGE, FILTERS], |reports, ask| reports.users(ask, UserOrder::Actions, &Rows::first(10))),
    );
    let panels = vec![
        panels::traffic(&page, &traffic, before.as_ref()),
        percentiles(&page, &traffic),
        panels::latency(&page, &latency).width(4),
        versions(&page, &devices).width(4),
        people(&page, &users).width(4),
        panels::failures(&page, &errors, 12).half(),
    ];
    let cards = stats.as_ref().map(|stats| cards(&page, stats, &traffic)).unwrap_or_default();
    let name = page.view.query().get("endpoint").unwrap_or("All endpoints").to_owned();
    shown(&Endpoint { name, cards, panels, page })
}

fn cards(page: &Page, stats: &Stats, traffic: &Outcome<Traffic>) -> Vec<Card> {
    let of =
        |value: fn(&TrafficBucket) -> f64| traffic.iter().flat_map(|traffic| panels::done(page, panels::so_far(page, traffic))).map(value);
    let (now, view) = (&stats.numbers, &page.view);
    let before = stats.previous.as_ref().filter(|_| view.compares());
    let rate = |errors: u64, hits: u64| errors as f64 / hits.max(1) as f64;
    let errors = before.map(|was| rate(was.error_hits, was.total_hits)).map(|share| (share, percent(share)));
    let latency = |label, value: Duration, was: Option<Duration>, of_step: fn(&TrafficBucket) -> f64| {
        let card = Card::new(label, format::duration(value), format!("{} s", value.as_secs_f64()), view.page("endpoints"));
        card.before(value.as_secs_f64(), was.map(|was| (was.as_secs_f64(), format::duration(was))), Better::Less).spark(of(of_step))
    };
    vec![
        Card::count("Hits", now.total_hits, before.map(|was| was.total_hits), view.page("sessions")).spark(of(|bucket| bucket.hits as f64)),
        Card::count("Users", now.total_users, before.map(|was| was.total_users), view.page("users"))
            .spark(of(|bucket| bucket.users as f64)),
        Card::new("Error rate", percent(rate(now.error_hits, now.total_hits)), exact(now.error_hits), view.page("errors"))
            .before(rate(now.error_hits, now.total_hits), errors, Better::Less)
            .spark(of(|bucket| bucket.errors as f64 / bucket.hits.max(1) as f64)),
        latency("Median", now.latency.p50, before.map(|was| was.latency.p50), |bucket| bucket.p50.as_secs_f64()),
        latency("p95", now.latency.p95, before.map(|was| was.latency.p95), |bucket| bucket.p95.as_secs_f64()),
        latency("p99", now.latency.p99, before.map(|was| was.latency.p99), |bucket| bucket.p99.as_secs_f64()),
    ]
}

fn percentiles(page: &Page, traffic: &Outcome<Traffic>) -> Panel {
    let panel = Panel::of("percentiles", "Latency over time", traffic, |traffic| {
        let of =
            |value: fn(&TrafficBucket) -> Duration| panels::so_far(page, traffic).iter().map(move |bucket| value(bucket).as_secs_f64());
        let lines = vec![
            series("Median", 2, Kind::Area, of(|bucket| bucket.p50)),
            series("p95", 3, Kind::Line, of(|bucket| bucket.p95)),
            series("p99", 4, Kind::Line, of(|bucket| bucket.p99)),
        ];
        let step = |bucket: &TrafficBucket| format::step_at(bucket.start, &traffic.interval, page.view.zone(), page.view.tz());
        let names = traffic.buckets.iter().map(step).collect();
        let chart = Chart::new("Latency over time", names, lines, page.view.goes_on(), Unit::Seconds);
        if chart.is_flat() { Err("No hits in this range.") } else { Ok(markup(&chart)) }
    });
    panel.api(&page.view, "api/chart/traffic", &[RANGE, ZONE, FILTERS, FINE_INTERVAL])
}

fn versions(page: &Page, devices: &Outcome<Devices>) -> Panel {
    let panel = Panel::of("versions", "Versions", devices, |devices| {
        let bars = devices.platforms.iter().flat_map(|platform| {
            platform.versions.iter().map(move |row| Bar {
                name: format!("{} {}", panels::known(&platform.platform), row.version),
                href: page.view.with("version", &row.version),
                value: row.hits,
                soft: format::counted(row.users, "user"),
                ..Bar::default()
            })
        });
        let mut bars: Vec<Bar> = bars.collect();
        bars.sort_by_key(|bar| std::cmp::Reverse(bar.value));
        panels::bars(bars.into_iter(), 8)
    });
    panel.api(&page.view, "api/chart/devices", &[RANGE, FILTERS])
}

fn people(page: &Page, users: &Outcome<Users>) -> Panel {
    let panel = Panel::of("people", "Who asks for it", users, |users| {
        let bar = |row: &crate::report::UserRow| Bar {
            name: panels::person(&row.user_id, &row.user_name),
            href: page.view.page_with("user", "id", &row.user_id),
            value: row.hits,
            soft: row.platform.clone(),
            ..Bar::default()
        };
        panels::bars(users.users.iter().map(bar), 8)
    });
    panel.more("All of them", page.view.page("users")).api(&page.view, "api/users", &[RANGE, FILTERS, ORDER])
}

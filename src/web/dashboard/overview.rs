//! The first page: who is here, what they use, when, and how it fares.

use askama::Template;
use axum::response::Response;

use super::{
    card::{Better, Card},
    page::{Outcome, Page, Which, shown},
    panel::Panel,
    panels::{self, BARS},
    plugin_cards,
};
use crate::{
    report::{ActiveSessions, Numbers, Reports, Stats, Traffic, UserGrowth},
    web::{
        api::params::{DEVICE_FILTERS, FILTERS, RANGE, ZONE},
        format::{self, exact, percent},
        host::Host,
    },
};

const PAGE: Which = Which::new("", "Overview");

#[derive(Template)]
#[template(path = "overview.html")]
struct Overview {
    cards: Result<Vec<Card>, String>,
    live: Option<usize>,
    panels: [Panel; 7],
    plugged: Vec<Panel>,
    page: Page,
}

pub(super) fn register(host: &mut Host) {
    PAGE.register(host, show);
}

async fn show(page: Page) -> Response {
    // Side by side, the longest first; one that fails fails its own part of the page.
    let (features, hours, growth, stats, before, devices, traffic, traffic_before, active, plugged) = tokio::join!(
        page.ask(&[RANGE, FILTERS], Reports::top_features),
        page.ask(&[RANGE, ZONE, FILTERS], Reports::peak_hours),
        page.ask(&[RANGE, FILTERS], |reports, ask| reports.user_growth(ask, None)),
        page.ask(&[RANGE, FILTERS], Reports::stats),
        page.ask_before(&[RANGE, FILTERS], |reports, ask| reports.user_growth(ask, None)),
        page.ask(&[RANGE, FILTERS], Reports::devices),
        page.ask(&[RANGE, ZONE, FILTERS], |reports, ask| reports.traffic(ask, None)),
        page.ask_before(&[RANGE, ZONE, FILTERS], |reports, ask| reports.traffic(ask, None)),
        page.ask(DEVICES, Reports::active_sessions),
        plugin_cards::on_overview(&page),
    );
    let panels = [
        panels::growth(&page, &growth, before.as_ref()).more("All users", page.view.page("users")),
        panels::traffic(&page, &traffic, traffic_before.as_ref()),
        panels::features(&page, &features, BARS).width(4).more("All features", page.view.page("features")),
        panels::endpoints(&page, &features, BARS).more("All endpoints", page.view.page("endpoints")),
        panels::platforms(&page, &devices, BARS).more("All platforms", page.view.page("platforms")),
        panels::active(&page, &active, 8).width(4).more("Live", page.view.page("live")),
        panels::hours(&page, &hours),
    ];
    let cards = stats.as_ref().map(|stats| cards(&page, stats, &growth, &traffic)).map_err(|problem| problem.message().to_owned());
    shown(&Overview { cards, live: live(&active), panels, plugged, page })
}

/// Of sessions that go on, only what tells them apart is asked.
const DEVICES: &[&[crate::web::api::params::Param]] = &[DEVICE_FILTERS];

fn live(active: &Outcome<ActiveSessions>) -> Option<usize> {
    active.as_ref().ok().map(|active| active.sessions.len())
}

fn cards(page: &Page, stats: &Stats, growth: &Outcome<UserGrowth>, traffic: &Outcome<Traffic>) -> Vec<Card> {
    let (now, view) = (&stats.numbers, &page.view);
    let before = stats.previous.as_ref().filter(|_| view.compares());
    let was = |value: fn(&Numbers) -> u64| before.map(value);
    let ratio = |value: fn(&Numbers) -> f64, text: fn(f64) -> String| before.map(|before| (value(before), text(value(before))));
    let users = |value: fn(&crate::report::UserBucket) -> u64| {
        growth.iter().flat_map(|growth| panels::done(page, &growth.buckets)).map(move |bucket| value(bucket) as f64)
    };
    let hits = |value: fn(&crate::report::TrafficBucket) -> f64| {
        traffic.iter().flat_map(|traffic| panels::done(page, panels::so_far(page, traffic))).map(value)
    };
    let duration = |numbers: &Numbers| numbers.avg_session_duration.as_secs_f64();
    let p95 = |numbers: &Numbers| numbers.latency.p95.as_secs_f64();
    let per_session = |value: f64| format!("{value:.1}");
    let share = |value: f64| percent(value);
    vec![
        Card::count("Users", now.total_users, was(|was| was.total_users), view.page("users"))
            .about("Signed-in users of the range, each counted once")
            .spark(users(|bucket| bucket.active)),
        Card::count("Active 7 days", now.active_users_7d, was(|was| was.active_users_7d), view.page("lifecycle"))
            .about("Users of the last 7 days of the range")
            .spark(users(|bucket| bucket.returning)),
        Card::count("Active 30 days", now.active_users_30d, was(|was| was.active_users_30d), view.page("lifecycle"))
            .about("Users of the last 30 days of the range")
            .spark(users(|bucket| bucket.cumulative)),
        Card::count("New users", now.new_users, was(|was| was.new_users), view.page("retention"))
            .about("Users who were first seen in the range")
            .spark(users(|bucket| bucket.new)),
        Card::count("Sessions", now.total_sessions, was(|was| was.total_sessions), view.page("sessions"))
            .about("Sessions that began in the range, of users and visitors")
            .spark(hits(|bucket| bucket.sessions as f64)),
        Card::new("Average session", format::duration(now.avg_session_duration), format!("{:.1} s", duration(now)), view.page("sessions"))
            .about("From the first to the last action")
            .before(duration(now), ratio(|was| was.avg_session_duration.as_secs_f64(), format::seconds), Better::More)
            .spark(hits(|bucket| bucket.session_time.as_secs_f64() / bucket.sessions.max(1) as f64)),
        Card::count("Actions", now.total_actions, was(|was| was.total_actions), view.page("endpoints"))
            .about("Hits that are what people did, without noise such as health checks")
            .spark(hits(|bucket| bucket.actions as f64)),
        Card::new("Actions a session", per_session(actions(now)), format!("{:.3}", actions(now)), view.page("power-users"))
            .before(actions(now), ratio(actions, per_session), Better::More)
            .spark(hits(|bucket| bucket.actions as f64 / bucket.sessions.max(1) as f64)),
        Card::new(
            "Error rate",
            share(errors(now)),
            format!("{} of {} hits", exact(now.error_hits), exact(now.total_hits)),
            view.page("errors"),
        )
        .about("Hits that failed or answered 500 or more")
        .before(errors(now), ratio(errors, share), Better::Less)
        .spark(hits(|bucket| bucket.errors as f64 / bucket.hits.max(1) as f64)),
        Card::new("p95", format::duration(now.latency.p95), format!("{} s", p95(now)), view.page("endpoints"))
            .about("Nineteen of twenty hits took at most so long to the head of the response")
            .before(p95(now), ratio(|was| was.latency.p95.as_secs_f64(), format::seconds), Better::Less)
            .spark(hits(|bucket| bucket.p95.as_secs_f64())),
    ]
}

fn actions(numbers: &Numbers) -> f64 {
    numbers.total_actions as f64 / numbers.total_sessions.max(1) as f64
}

fn errors(numbers: &Numbers) -> f64 {
    numbers.error_hits as f64 / numbers.total_hits.max(1) as f64
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::{Analytics, Ask, Hit};

    #[test]
    fn the_top_features_are_the_features_without_who_came_before() {
        let (analytics, clock) = Analytics::testing();
        for number in 0..300_u64 {
            // Three weeks and some hours: the week before ends within a day.
            clock.advance(Duration::from_secs(6_100));
            let mut hit = Hit::new("GET", ["/shop/{id}", "/shop", "/news", "/late"][(number % 3 + number / 280) as usize]);
            hit.set_user(&format!("user-{}", number * number % 23));
            hit.set_status([200, 404, 500][(number % 7 % 3) as usize]);
            hit.set_times(Duration::from_micros(100 + number * 37), Duration::ZERO);
            hit.set_at(clock.now());
            analytics.recorder().send(&hit, Duration::from_secs(10)).unwrap();
        }
        analytics.flush().unwrap();
        let reports = analytics.reports();
        for ask in [Ask::last_days(7), Ask::last_days(3).platform("Web"), Ask::last_days(7).feature("shop"), Ask::all_time()] {
            let mut all = reports.features(&ask).unwrap().into_inner();
            let top = reports.top_features(&ask).unwrap();
            assert!(all.features.iter().all(|row| row.previous_users.is_some() == (ask != Ask::all_time())), "{all:?}");
            all.features.iter_mut().chain(&mut all.endpoints).for_each(|row| row.previous_users = None);
            assert_eq!(*top, all, "{ask:?}");
        }
        let week = reports.features(&Ask::last_days(7)).unwrap();
        assert!(week.features.len() == 3 && week.endpoints.iter().any(|row| row.previous_users > Some(3)), "{week:?}");
    }
}

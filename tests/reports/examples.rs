//! Small stores whose numbers can be checked by head.

use std::time::Duration;

use tower_analytics::{
    Ask, Hit, Interval, Outcome, Page, Source,
    report::{Back, Cohorts, Power, UserOrder},
};

use crate::brute::traffic::{Traffic, moment};

const ITEMS: (&str, &str) = ("GET", "/items");
const ITEM: (&str, &str) = ("GET", "/items/{id}");
const PAY: (&str, &str) = ("POST", "/cart/{id}/pay");
const USER: (&str, &str) = ("GET", "/api/v1/users/{id}");

/// Three people, five sessions, six hits; Berlin's clocks go back on October 25th.
fn autumn() -> Traffic {
    let traffic = Traffic::new("Europe/Berlin", "2026-10-24T09:00:00Z");
    traffic.hit("ann", ITEMS, "2026-10-24T10:00:00Z"); // Saturday noon
    traffic.hit("ann", ITEM, "2026-10-24T10:10:00Z");
    traffic.hit("bob", ITEMS, "2026-10-25T22:30:00Z"); // Sunday, half an hour before midnight
    traffic.hit("bob", PAY, "2026-10-25T23:30:00Z"); // Monday, half an hour after it
    traffic.hit("ann", ITEMS, "2026-11-02T08:00:00Z"); // Monday
    traffic.hit("cid", USER, "2026-11-30T23:30:00Z"); // December in Berlin, November in UTC
    traffic.clock.set(moment("2026-12-01T12:00:00Z"));
    traffic.settle();
    traffic
}

#[test]
fn people_sessions_and_hits_are_counted_by_reporting_days() {
    let traffic = autumn();
    let reports = traffic.analytics.reports();
    let all = reports.stats(&Ask::all_time()).unwrap();
    assert_eq!((all.total_users, all.new_users, all.total_sessions, all.total_hits), (3, 3, 5, 6));
    assert_eq!(all.avg_session_duration, Duration::from_secs(600 / 5));
    assert_eq!((all.active_users_7d, all.active_users_30d, all.previous.clone()), (1, 2, None));
    let hits = |from: &str, to: &str| {
        let stats = reports.stats(&Ask::all_time().from(from).unwrap().to(to).unwrap()).unwrap();
        (stats.total_users, stats.total_hits)
    };
    assert_eq!(hits("2026-10-24", "2026-10-25"), (1, 2));
    assert_eq!(hits("2026-10-25", "2026-10-26"), (1, 1));
    assert_eq!(hits("2026-10-26", "2026-10-27"), (1, 1));
    assert_eq!(hits("2026-11-01", "2026-12-01"), (1, 1));
    assert_eq!(hits("2026-12-01", "2026-12-02"), (1, 1));
    // Ends that lie within a quarter of an hour, and the very moment of a hit.
    assert_eq!(hits("2026-10-24T10:00:00.001Z", "2026-10-24T10:10:00Z"), (0, 0));
    assert_eq!(hits("2026-10-24T10:00:00Z", "2026-10-24T10:10:00.001Z"), (1, 2));
    assert_eq!(hits("2026-11-02", "2026-10-24"), (0, 0));
}

#[test]
fn a_sealed_month_says_the_same() {
    let traffic = autumn();
    let reports = traffic.analytics.reports();
    let october = Ask::all_time().from("2026-10-01").unwrap().to("2026-11-01").unwrap();
    let before = (reports.stats(&october).unwrap(), reports.features(&october).unwrap());
    let main = rusqlite::Connection::open(traffic.directory().join("analytics.db")).unwrap();
    let sealed = || main.query_row("select count(*) from parts where state = 'sealed'", [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(sealed(), 0, "hits have only just come");
    traffic.clock.set(moment("2026-12-03T12:00:00Z"));
    traffic.settle();
    assert_eq!(sealed(), 2);
    assert_eq!((reports.stats(&october).unwrap(), reports.features(&october).unwrap()), before);
    assert_eq!(reports.stats(&october).unwrap().source(), Source::Rollup);
    let stats = reports.stats(&october).unwrap();
    assert_eq!((stats.total_users, stats.total_sessions, stats.total_hits), (2, 3, 4));
}

#[test]
fn charts_have_a_step_for_every_day_week_and_month() {
    let traffic = autumn();
    let reports = traffic.analytics.reports();
    let growth = reports.user_growth(&Ask::all_time(), Some(Interval::Month)).unwrap();
    let found: Vec<_> = growth.buckets.iter().map(|b| (b.start.as_str(), b.active, b.new, b.returning, b.cumulative)).collect();
    assert_eq!(found, [("2026-10-24", 2, 2, 0, 2), ("2026-11-01", 1, 0, 1, 2), ("2026-12-01", 1, 1, 0, 3)]);
    let days = reports.user_growth(&Ask::all_time(), Some(Interval::Day)).unwrap();
    assert_eq!(days.buckets.len(), 8 + 30 + 1);
    assert_eq!(days.buckets.iter().filter(|day| day.active > 0).count(), 5);
    let weeks = reports.lifecycle(&Ask::all_time().from("2026-10-19").unwrap().to("2026-11-09").unwrap(), Some(Interval::Week)).unwrap();
    let found: Vec<_> = weeks.buckets.iter().map(|b| (b.active, b.new, b.returning, b.resurrected, b.dormant)).collect();
    assert_eq!(found, [(2, 2, 0, 0, 0), (1, 0, 1, 0, 1), (1, 0, 0, 1, 1)]);
    // October 25th had 25 hours.
    let hours = |day: &str, next: &str| {
        let traffic = reports.traffic(&Ask::all_time().from(day).unwrap().to(next).unwrap(), Some(Interval::Hour)).unwrap();
        (traffic.buckets.len(), traffic.buckets.iter().map(|hour| hour.hits).sum::<u64>())
    };
    assert_eq!((hours("2026-10-24", "2026-10-25"), hours("2026-10-25", "2026-10-26")), ((24, 2), (25, 1)));
}

#[test]
fn hours_are_told_in_the_zone_that_was_asked_for() {
    let traffic = autumn();
    let reports = traffic.analytics.reports();
    let hours = |ask: Ask| -> Vec<(u8, u64)> {
        let hours = reports.peak_hours(&ask).unwrap().into_inner().hours;
        hours.into_iter().filter(|hour| hour.hits > 0).map(|hour| (hour.hour, hour.hits)).collect()
    };
    let all = Ask::all_time();
    assert_eq!(hours(all.clone()), [(0, 2), (9, 1), (12, 2), (23, 1)]);
    assert_eq!(hours(all.clone().time_zone("UTC").unwrap()), [(8, 1), (10, 2), (22, 1), (23, 2)]);
    // 5:45 ahead of UTC.
    assert_eq!(hours(all.time_zone("Asia/Kathmandu").unwrap()), [(4, 1), (5, 2), (13, 1), (15, 2)]);
}

#[test]
fn cohorts_are_of_those_first_seen_and_shrink() {
    let traffic = autumn();
    let reports = traffic.analytics.reports();
    let ask = Ask::all_time().from("2026-10-19").unwrap().to("2026-11-09").unwrap();
    let kept = |cohorts, back| -> Vec<Vec<u64>> {
        let cohorts = reports.retention(&ask, Interval::Week, cohorts, back).unwrap().into_inner().cohorts;
        cohorts.into_iter().map(|cohort| cohort.periods.iter().map(|period| period.users).collect()).collect()
    };
    assert_eq!(kept(Cohorts::First, Back::On), [vec![2, 1, 1], vec![0, 0], vec![0]]);
    assert_eq!(kept(Cohorts::First, Back::OnOrAfter), [vec![2, 2, 1], vec![0, 0], vec![0]]);
    assert_eq!(kept(Cohorts::Recurring, Back::On), [vec![2, 1, 1], vec![1, 0], vec![1]]);
}

#[test]
fn two_ids_of_one_person_count_once_from_the_merge_on() {
    let traffic = autumn();
    let reports = traffic.analytics.reports();
    traffic.analytics.maintenance().merge_users("ann", "bob").unwrap();
    assert_eq!(reports.stats(&Ask::all_time()).unwrap().total_users, 2);
    let users = reports.users(&Ask::all_time(), UserOrder::Actions, &Page::default()).unwrap();
    let found: Vec<_> = users.users.iter().map(|user| (user.user_id.as_str(), user.hits, user.sessions)).collect();
    assert_eq!(found, [("bob", 5, 4), ("cid", 1, 1)]);
    let bob = reports.user(&Ask::all_time(), "ann").unwrap().into_inner().unwrap();
    assert_eq!((bob.user.first_seen, bob.aliases), (Some(moment("2026-10-24T10:00:00Z")), vec!["ann".to_owned()]));
    let power = reports.power_users(&Ask::all_time(), Power::Features, &Page::default()).unwrap();
    assert_eq!(power.users.iter().map(|user| user.features_used).collect::<Vec<_>>(), [1, 1]);
}

#[test]
fn a_session_names_its_neighbours_in_other_months() {
    let traffic = autumn();
    let reports = traffic.analytics.reports();
    let first = reports.session("202610-1", &Page::default()).unwrap().into_inner().unwrap();
    assert_eq!((first.previous_session, first.next_session.as_deref()), (None, Some("202611-1")));
    assert_eq!(first.actions.iter().map(|action| action.gap).collect::<Vec<_>>(), [None, Some(600.0)]);
    assert_eq!(first.session.duration, Duration::from_secs(600));
    assert_eq!(reports.session("202610-4", &Page::default()).unwrap().into_inner(), None);
    assert_eq!(reports.session("202713-1", &Page::default()).unwrap().into_inner(), None);
}

#[test]
fn a_feature_is_adopted_by_a_share_of_those_who_were_there() {
    let traffic = autumn();
    let reports = traffic.analytics.reports();
    let features = reports.features(&Ask::all_time()).unwrap();
    let found: Vec<_> = features.features.iter().map(|f| (f.feature.as_str(), f.hits, f.users, f.adoption)).collect();
    assert_eq!(found, [("shop", 5, 2, 2.0 / 3.0), ("users", 1, 1, 1.0 / 3.0)]);
    // 39 days until today, of which the last is half over and one has an hour more.
    let week = Ask::all_time().from("2026-10-26").unwrap().to("2026-11-09").unwrap();
    let compared = reports.comparison(&week, None).unwrap();
    let shop = &compared.features[0];
    assert_eq!((compared.days, shop.hits_per_day, shop.users, shop.other_users), (14.0, 2.0 / 14.0, 2, 2));
}

#[test]
fn what_went_wrong_is_counted_by_status_and_by_error() {
    let traffic = Traffic::new("UTC", "2026-11-02T10:00:00Z");
    for (status, outcome) in [
        (200, Outcome::Completed),
        (404, Outcome::Completed),
        (404, Outcome::Completed),
        (503, Outcome::Completed),
        (500, Outcome::Failed),
        (499, Outcome::Aborted),
    ] {
        let mut hit = Hit::new("GET", "/items");
        hit.set_user("ann");
        hit.set_status(status);
        hit.set_outcome(outcome);
        if status >= 500 {
            hit.set_error("Broken", &format!("shelf {status}"));
        }
        traffic.analytics.record(&hit);
    }
    traffic.settle();
    let reports = traffic.analytics.reports();
    let stats = reports.stats(&Ask::last_days(1)).unwrap();
    assert_eq!((stats.error_hits, stats.client_error_hits, stats.aborted_hits), (2, 2, 1));
    let errors = reports.errors(&Ask::last_days(1)).unwrap();
    let failures: Vec<_> = errors.failures.iter().map(|failure| (failure.status, failure.outcome.as_str(), failure.count)).collect();
    assert_eq!(failures, [(404, "completed", 2), (499, "aborted", 1), (500, "failed", 1), (503, "completed", 1)]);
    let attached: Vec<_> = errors.errors.iter().map(|error| (error.message.as_str(), error.count, error.users)).collect();
    assert_eq!(attached, [("shelf #", 2, 1)]);
    let hits = |status: &str| reports.stats(&Ask::last_days(1).status(status).unwrap()).unwrap().total_hits;
    assert_eq!(["2xx", "4xx", "5xx", "404", "aborted", "failed"].map(hits), [1, 3, 2, 2, 1, 1]);
}

#[test]
fn percentiles_are_off_by_a_thirty_second_at_most() {
    let traffic = Traffic::new("UTC", "2026-11-02T10:00:00Z");
    for millis in 1..=100 {
        let mut hit = Hit::new("GET", "/items");
        hit.set_times(Duration::from_millis(millis), Duration::ZERO);
        traffic.analytics.record(&hit);
    }
    traffic.settle();
    let latency = traffic.analytics.reports().stats(&Ask::all_time()).unwrap().latency;
    for (found, exact) in [(latency.p50, 50.0), (latency.p95, 95.0), (latency.p99, 99.0)] {
        assert!((found.as_secs_f64() * 1e3 - exact).abs() <= exact / 32.0, "{found:?} for {exact} ms");
    }
}

#[test]
fn whoever_stays_away_is_inactive_by_reporting_days() {
    let traffic = autumn();
    let reports = traffic.analytics.reports();
    let away = |days| {
        let away = reports.inactive_users(&Ask::all_time(), days, &Page::default()).unwrap();
        (away.total, away.users.iter().map(|user| user.user_id.clone()).collect::<Vec<_>>().join(" "))
    };
    // December 1st is today: cid was here on it, ann on the 30th day with today as the first, bob 37 days ago.
    assert_eq!(away(1), (2, "ann bob".to_owned()));
    assert_eq!(away(29), (2, "ann bob".to_owned()));
    assert_eq!(away(30), (1, "bob".to_owned()));
    assert_eq!(away(37), (0, String::new()));
}

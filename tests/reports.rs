//! Every number of every question, against brute force over raw hits.

mod common;

#[path = "common/brute/mod.rs"]
mod brute;

#[path = "reports/arriving.rs"]
mod arriving;
#[path = "reports/beside.rs"]
mod beside;
#[path = "reports/examples.rs"]
mod examples;

use std::time::Duration;

use brute::{
    World, answers, odd,
    question::Question,
    traffic::{PLACES, Traffic, op},
};
use proptest::prelude::*;
use tower_analytics::Bots;

const DAY: i64 = 86_400_000;

/// A range as distances from the beginning of the traffic.
#[derive(Clone, Debug)]
enum When {
    AllTime,
    LastDays(u32),
    Days(Option<i64>, Option<i64>),
    Moments(Option<i64>, Option<i64>),
}

#[derive(Clone, Debug)]
struct Asked {
    when: When,
    rest: Question,
}

fn when() -> impl Strategy<Value = When> {
    let day = || prop::option::weighted(0.8, -3_i64..90);
    let moment = || prop::option::weighted(0.9, -2 * DAY..60 * DAY);
    prop_oneof![
        2 => Just(When::AllTime),
        3 => prop_oneof![Just(1_u32), Just(7), Just(30), Just(90)].prop_map(When::LastDays),
        3 => (day(), day()).prop_map(|(a, b)| When::Days(a, b)),
        4 => (moment(), moment()).prop_map(|(a, b)| When::Moments(a, b)),
    ]
}

fn asked() -> impl Strategy<Value = Asked> {
    let one_of = |values: &'static [&'static str], weight| prop::option::weighted(weight, prop::sample::select(values));
    let zones: &[&str] = &["UTC", "Asia/Kathmandu", "Europe/Berlin", "America/New_York"];
    let device = (one_of(&["iOS", "Android", "", "Web", "Atari"], 0.15), one_of(&["1.10", "2.0", ""], 0.15));
    let what = (
        one_of(&["GET /items", "/items/{id}", "(unmatched)", "GET /nowhere"], 0.12),
        one_of(&["shop", "users", "health", "nothing"], 0.12),
        one_of(&["2xx", "4xx", "5xx", "404", "failed", "aborted"], 0.12),
    );
    let user = prop::option::weighted(0.15, 1_u8..9);
    let bots = prop_oneof![5 => Just(Bots::Exclude), 1 => Just(Bots::Only), 1 => Just(Bots::Include)];
    (when(), device, what, user, bots, one_of(zones, 0.3)).prop_map(|(when, device, what, user, bots, tz)| {
        let ((platform, version), (endpoint, feature, status)) = (device, what);
        let user = user.map(|who| format!("u{who}"));
        Asked { when, rest: Question { tz, platform, version, endpoint, feature, user, status, bots, ..Question::default() } }
    })
}

impl Asked {
    /// Ends that are the wrong way round are a range without a moment in it.
    fn question(&self, start: i64) -> Question {
        let day = |distance: i64| brute::days::day_text((start / DAY + distance) as i32);
        let moment = |distance: i64| brute::days::time_text(start + distance);
        let rest = self.rest.clone();
        match self.when {
            When::AllTime => rest,
            When::LastDays(days) => Question { last_days: Some(days), ..rest },
            When::Days(from, to) => Question { from: from.map(day), to: to.map(day), ..rest },
            When::Moments(from, to) => Question { from: from.map(moment), to: to.map(moment), ..rest },
        }
    }
}

fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(6)
}

#[test]
fn asks_that_nobody_means_are_answered_or_refused() {
    let traffic = Traffic::new("Asia/Kathmandu", "2026-11-02T10:00:00Z");
    let reports = traffic.analytics.reports();
    for is_empty in [true, false] {
        for ask in odd::ranges().into_iter().enumerate().map(odd::filtered) {
            odd::ask_everything(&reports, &ask);
        }
        if is_empty {
            traffic.hit("ann", ("GET", "/items"), "2026-11-02T10:00:00Z");
            traffic.analytics.flush().unwrap();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 100, ..ProptestConfig::default() })]

    #[test]
    fn every_answer_is_what_brute_force_over_raw_hits_says(
        place in 0..PLACES.len(),
        ops in prop::collection::vec(op(), 6..20),
        asked in prop::collection::vec(asked(), 6),
    ) {
        let (zone, start) = PLACES[place];
        let mut traffic = Traffic::new(zone, start);
        let start = traffic.now();
        for op in &ops {
            traffic.run(op);
        }
        for days_later in [0, 40] {
            // Later, all sessions have ended and the months are sealed.
            traffic.clock.advance(Duration::from_secs(86_400 * days_later));
            traffic.settle();
            let main = rusqlite::Connection::open(traffic.directory().join("analytics.db")).unwrap();
            let is_sealed = common::oracle::parts(&main).iter().all(|(_, _, state)| state == "sealed");
            prop_assert!(is_sealed || days_later == 0);
            let world = World::read(traffic.directory(), traffic.now());
            let reports = traffic.analytics.reports();
            for asked in &asked {
                answers::check(&world, &reports, &asked.question(start));
            }
            answers::check_each_session(&world, &reports);
        }
    }
}

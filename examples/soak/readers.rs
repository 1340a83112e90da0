//! Questions, one after the other, by several readers at once.

use std::{
    thread,
    time::{Duration, Instant},
};

use tower_analytics::{
    Ask, Error, ErrorKind, Interval, Page, Reports,
    report::{Back, Cohorts, Power, UserOrder},
};

use crate::tally::{Tally, with_causes};

type Question = fn(&Reports, &Ask) -> Result<(), Error>;

const QUESTIONS: [(&str, Question); 17] = [
    ("stats", |reports, ask| reports.stats(ask).map(drop)),
    ("active_sessions", |reports, _| reports.active_sessions(&Ask::all_time()).map(drop)),
    ("sessions", |reports, ask| reports.sessions(ask, &Page::first(100)).map(drop)),
    ("users", |reports, ask| reports.users(ask, UserOrder::Actions, &Page::first(100)).map(drop)),
    ("user", |reports, ask| reports.user(ask, "user-4711").map(drop)),
    ("user_growth", |reports, ask| reports.user_growth(ask, None).map(drop)),
    ("devices", |reports, ask| reports.devices(ask).map(drop)),
    ("features", |reports, ask| reports.features(ask).map(drop)),
    ("endpoints", |reports, ask| reports.endpoints(ask).map(drop)),
    ("peak_hours", |reports, ask| reports.peak_hours(ask).map(drop)),
    ("traffic", |reports, ask| reports.traffic(ask, None).map(drop)),
    ("latest_hits", |reports, _| reports.latest_hits(100).map(drop)),
    ("versions", |reports, ask| reports.versions(ask, None).map(drop)),
    ("errors", |reports, ask| reports.errors(ask).map(drop)),
    ("power_users", |reports, ask| reports.power_users(ask, Power::Actions, &Page::first(100)).map(drop)),
    ("retention", |reports, ask| reports.retention(ask, Interval::Month, Cohorts::First, Back::On).map(drop)),
    ("lifecycle", |reports, ask| reports.lifecycle(ask, None).map(drop)),
];

/// Each begins elsewhere, so that different questions are asked at once.
pub(crate) fn run(reports: &Reports, reader: usize, tally: &Tally) {
    // The last one needs raw hits, and says so where they are put away.
    let asks = [Ask::last_days(30), Ask::all_time(), Ask::last_days(90).platform("web").endpoint("GET /items/{id}")];
    for turn in reader * 7.. {
        let (name, question) = QUESTIONS[turn % QUESTIONS.len()];
        let start = Instant::now();
        match question(reports, &asks[turn % asks.len()]) {
            Ok(()) => tally.answered(name, start.elapsed()),
            Err(error) if error.kind() == ErrorKind::NoRaw => tally.refused(),
            Err(error) => tally.failed(with_causes(name, &error)),
        }
        if tally.is_over() {
            return;
        }
        thread::sleep(Duration::from_millis(20));
    }
}

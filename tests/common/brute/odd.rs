//! Asks that nobody means: each is answered or refused, and nothing panics.

use std::time::{Duration, SystemTime};

use tower_analytics::{
    Answer, Ask, Bots, Error, ErrorKind, Interval, Page, Reports,
    report::{Back, Cohorts, Power, UserOrder},
};

pub(crate) fn ranges() -> Vec<Ask> {
    let edges = [
        "0001-01-01",
        "9999-12-31",
        "-009999-01-03T00:00:00Z",
        "9999-12-30T21:59:59.999Z",
        "1969-12-31T23:59:59Z",
        "2026-11-02",
        "2026-11-02T08:00:00.001Z",
    ];
    let mut ranges = vec![Ask::all_time()];
    for from in edges {
        ranges.push(Ask::all_time().from(from).unwrap());
        ranges.push(Ask::all_time().to(from).unwrap());
        ranges.extend(edges.iter().map(|to| Ask::all_time().from(from).unwrap().to(to).unwrap()));
    }
    ranges.extend([0, 1, 2, 100_000, u32::MAX].map(Ask::last_days));
    let far = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 40);
    let past = SystemTime::UNIX_EPOCH - Duration::from_secs(1 << 40);
    ranges.extend([Ask::between(past, far), Ask::between(far, past), Ask::between(far, far)]);
    ranges
}

/// With one filter or another, by turns.
pub(crate) fn filtered((turn, ask): (usize, Ask)) -> Ask {
    match turn % 4 {
        0 => ask.platform("iOS").version("2.0").feature("shop").bots(Bots::Include),
        1 => ask.user("nobody").status("999").unwrap().bots(Bots::Only),
        2 => ask.user("ann").time_zone("America/New_York").unwrap(),
        _ => ask,
    }
}

pub(crate) fn ask_everything(reports: &Reports, ask: &Ask) {
    let says = |answer: Result<(), Error>| {
        if let Err(error) = answer {
            assert_eq!(error.kind(), ErrorKind::Question, "{ask:?}: {error}");
        }
    };
    let page = &Page::first(0);
    says(done(reports.stats(ask)));
    says(done(reports.active_sessions(ask)));
    says(done(reports.sessions(ask, page)));
    [UserOrder::FirstSeen, UserOrder::LastSeen, UserOrder::Actions]
        .into_iter()
        .for_each(|order| says(done(reports.users(ask, order, page))));
    ["ann", "", "'"].into_iter().for_each(|id| says(done(reports.user(ask, id))));
    says(done(reports.devices(ask)));
    says(done(reports.features(ask)));
    says(done(reports.endpoints(ask)));
    says(done(reports.peak_hours(ask)));
    says(done(reports.errors(ask)));
    [0, 1, 100_000, u32::MAX].into_iter().for_each(|days| says(done(reports.inactive_users(ask, days, page))));
    [Power::Actions, Power::Features].into_iter().for_each(|by| says(done(reports.power_users(ask, by, page))));
    says(done(reports.comparison(ask, None)));
    [Ask::last_days(u32::MAX), Ask::all_time().from("9999-12-31").unwrap()]
        .into_iter()
        .for_each(|other| says(done(reports.comparison(ask, Some(&other)))));
    for interval in [None, Some(Interval::Quarter), Some(Interval::Hour), Some(Interval::Day), Some(Interval::Week), Some(Interval::Month)]
    {
        says(done(reports.user_growth(ask, interval)));
        says(done(reports.traffic(ask, interval)));
        says(done(reports.versions(ask, interval)));
        says(done(reports.lifecycle(ask, interval)));
        let interval = interval.unwrap_or(Interval::Week);
        says(done(reports.retention(ask, interval, Cohorts::First, Back::On)));
        says(done(reports.retention(ask, interval, Cohorts::Recurring, Back::OnOrAfter)));
    }
}

fn done<T>(answer: Result<Answer<T>, Error>) -> Result<(), Error> {
    answer.map(drop)
}

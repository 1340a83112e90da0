//! A month whose raw file was put away: what was counted of it stays exact, and what only its hits could say is refused with a word on it.

use std::{
    collections::BTreeSet,
    path::Path,
    time::{Duration, SystemTime},
};

use tower_analytics::{Analytics, Ask, Clock, ErrorKind, Hit};

/// 2026-10-28
const START: Duration = Duration::from_secs(1_793_145_600);

fn open(directory: &Path, clock: &Clock) -> Analytics {
    Analytics::builder(directory).clock(clock.clone()).build().unwrap()
}

#[test]
fn answers_over_an_archived_month_are_what_they_were() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Clock::manual(SystemTime::UNIX_EPOCH + START);
    let analytics = open(directory.path(), &clock);
    let (mut october, mut all) = (BTreeSet::new(), BTreeSet::new());
    for hour in 0..240_u64 {
        let user = (hour * hour) % 37;
        let mut hit = Hit::new("GET", ["/items", "/orders"][hour as usize % 2]);
        hit.set_user(&format!("user {user}"));
        hit.set_client(["ios", "android"][hour as usize % 2], "3.1", "", "");
        analytics.record(&hit);
        all.insert(user);
        if hour < 96 {
            october.insert(user);
        }
        clock.advance(Duration::from_secs(3600));
    }
    analytics.flush().unwrap();
    let answers = |analytics: &Analytics| {
        let (reports, ask) = (analytics.reports(), Ask::all_time());
        let numbers = reports.stats(&ask).unwrap().into_inner().numbers;
        let growth = reports.user_growth(&ask, None).unwrap().into_inner();
        let features = reports.features(&ask).unwrap().into_inner();
        let october = reports.stats(&ask.from("2026-10-01").unwrap().to("2026-11-01").unwrap()).unwrap().total_users;
        (numbers, growth, features, october)
    };
    let before = answers(&analytics);
    assert_eq!((before.0.total_users, before.0.total_hits, before.3), (all.len() as u64, 240, october.len() as u64));
    let done = analytics.maintenance().archive("1d", None, |_, _| {}).unwrap();
    assert_eq!(done.parts.iter().map(|part| (&*part.month, part.hits)).collect::<Vec<_>>(), [("202610", 96)]);
    assert!(!directory.path().join("analytics-202610.db").exists());
    assert_eq!(answers(&analytics), before);
    analytics.shutdown(Duration::from_secs(10)).unwrap();

    let analytics = open(directory.path(), &clock);
    assert_eq!(answers(&analytics), before);
    let crossing = Ask::all_time().platform("iOS").endpoint("GET /items");
    let error = analytics.reports().stats(&crossing).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoRaw);
    let way_back = error.to_string();
    assert!(way_back.contains("2026-10 are archived") && way_back.contains("`tower-analytics restore 202610`"), "{way_back}");
    let november = crossing.from("2026-11-01").unwrap().to("2026-12-01").unwrap();
    assert_eq!(analytics.reports().stats(&november).unwrap().total_hits, 72);
    analytics.maintenance().restore(&["202610"], false, |_, _| {}).unwrap();
    let crossing = Ask::all_time().platform("iOS").endpoint("GET /items");
    assert_eq!(analytics.reports().stats(&crossing).unwrap().total_hits, 120);
    assert_eq!(answers(&analytics), before);
    analytics.shutdown(Duration::from_secs(10)).unwrap();
}

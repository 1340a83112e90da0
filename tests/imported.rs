//! What another panel recorded is stored as if it had been recorded here.
use std::time::{Duration, SystemTime};
use tower_analytics::{Analytics, Ask, Clock, Hit};

const PANEL: &str = r#"{"sessions":[
 {"session_id":"1764583200123_482913","discord_id":"100000000000000001","username":"ann","device_info":"Google Pixel 9 Pro XL",
  "platform":"Android","app_version":"2025.12.01+123","started_at":"2025-12-01T10:00:00.123456","ended_at":"2025-12-01T10:07:30.000412",
  "duration_minutes":7.5,"ip_address":"198.51.100.7","screens_visited":[],"actions_count":4,
  "endpoints_used":{"user.get_gaming_members":3,"tickets.get_tickets":1}},
 {"session_id":"a3f0c1d2e4b5968778695a4b3c2d1e0f","discord_id":"legacy_user","username":"admin","device_info":"Unknown",
  "platform":"Web","app_version":"Unknown","started_at":"2025-12-01T11:00:00","ended_at":null,"duration_minutes":0,
  "ip_address":"198.51.100.8","screens_visited":[],"actions_count":0,"endpoints_used":{}}],
 "daily_stats":{}, "user_stats":{}}"#;

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

#[test]
fn the_panels_sessions_are_seen_beside_what_is_recorded() {
    let (files, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::write(files.path().join("app_analytics.json"), PANEL).unwrap();
    // The same month, so that the two have parts beside each other.
    let clock = Clock::manual(at(1_764_590_000));
    let analytics = Analytics::builder(data.path()).clock(clock).build().unwrap();
    analytics.record(&Hit::new("GET", "/items"));
    analytics.flush().unwrap();
    let report = analytics.maintenance().import_legacy([files.path().to_owned()], |_, _| {}).unwrap();
    println!("{report:?}");
    let stats = analytics.reports().stats(&Ask::all_time()).unwrap();
    println!("{stats:?}");
    println!("{:?}", analytics.reports().sessions(&Ask::all_time(), &Default::default()).unwrap());
    assert!(analytics.reports().check().unwrap().is_sound());
    let again = analytics.maintenance().import_legacy([files.path().to_owned()], |_, _| {}).unwrap();
    println!("{again:?}");
    println!("{:?}", analytics.reports().check().unwrap());
    analytics.maintenance().reprocess(|_, _| {}).unwrap();
    let after = analytics.reports().stats(&Ask::all_time()).unwrap();
    assert_eq!(*stats, *after);
    analytics.shutdown(Duration::from_secs(5)).unwrap();
    println!("{:?}", std::fs::read_dir(data.path()).unwrap().map(|e| e.unwrap().file_name()).collect::<Vec<_>>());
}

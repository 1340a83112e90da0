//! `reprocess`, where nobody records and where somebody does.

use std::{path::Path, time::Duration};

use tower_analytics::{Analytics, Ask, Hit};

use crate::{
    common::tables,
    running::{files, run},
};

fn recording(directory: &Path) -> Analytics {
    let analytics = Analytics::builder(directory).time_zone("Asia/Tokyo").feature("shop", "The shop", ["/items"]).build().unwrap();
    for n in 0..500 {
        let mut hit = Hit::new("GET", "/items");
        hit.set_user(&format!("user {}", n % 7));
        analytics.record(&hit);
    }
    analytics.flush().unwrap();
    analytics
}

#[test]
fn counts_are_made_anew_where_nobody_records_and_settings_stay_as_they_were() {
    let place = tempfile::tempdir().unwrap();
    recording(&place.path().join("data")).shutdown(Duration::from_secs(30)).unwrap();
    let data = place.path().join("data");
    let before = tables::derived(&data);
    rusqlite::Connection::open(data.join("analytics.db")).unwrap().execute("delete from daily_metrics", []).unwrap();
    let out = run(place.path(), &["reprocess", "--data", "data"]).good();
    assert_eq!(out, "Counted 500 hits anew.\n");
    tables::assert_same(&before, &tables::derived(&data));
    let reports = tower_analytics::Reports::open(&data).unwrap();
    assert_eq!(reports.health().unwrap().time_zone, "Asia/Tokyo");
    assert_eq!(reports.features(&Ask::all_time()).unwrap().features[0].name, "The shop");
}

#[test]
fn a_service_that_records_does_it_itself() {
    let place = tempfile::tempdir().unwrap();
    let analytics = recording(place.path());
    let month = analytics.reports().health().unwrap().parts[0].month.clone();
    let out = run(place.path(), &["reprocess", "--data", ".", "--month", &month, "--json"]).good();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&out).unwrap()["hits"], 500);
    analytics.record(&Hit::new("GET", "/items"));
    analytics.flush().unwrap();
    assert_eq!(analytics.counters().written, 501);
    let error = run(place.path(), &["reprocess", "--data", ".", "--month", "190001"]).bad();
    assert!(error.contains("nothing was recorded in 190001: say a month as 202611"), "{error}");
}

#[test]
fn a_directory_without_data_is_refused_and_left_alone() {
    let place = tempfile::tempdir().unwrap();
    let error = run(place.path(), &["reprocess", "--data", "misspelt"]).bad();
    assert!(error.contains("nothing has been recorded in misspelt") && error.contains("check --data"), "{error}");
    assert_eq!(files(place.path()).len(), 0);
}

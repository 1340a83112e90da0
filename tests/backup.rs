//! The copy that docs/deploy.md describes: made while an app records, file by file with SQLite's own `vacuum into`.

mod common;

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use common::{parts, recording::Recording, until};
use rusqlite::Connection;
use tower_analytics::{Analytics, Ask, Reports};

#[test]
fn a_copy_made_while_an_app_records_is_whole_if_the_parts_are_copied_first() {
    let (live, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut recording = Recording::new(live.path());
    let before = recording.sent;
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let copying = scope.spawn(|| {
            for (_, part) in parts(live.path()) {
                put(&part, copy.path());
            }
            // What is recorded between the two is in analytics.db alone, and that must not matter.
            let between = hits(live.path());
            until("more is recorded", || hits(live.path()) > between + 500);
            put(&live.path().join("analytics.db"), copy.path());
            over.store(true, Ordering::Relaxed);
        });
        while !over.load(Ordering::Relaxed) && !copying.is_finished() {
            recording.send(50);
            recording.analytics.flush().unwrap();
        }
        copying.join().unwrap();
    });

    let restored = Analytics::open(copy.path()).unwrap();
    restored.flush().unwrap();
    assert!(restored.reports().check().unwrap().is_sound(), "{:?}", restored.reports().check());
    let kept = hits(copy.path());
    assert!((before..recording.sent).contains(&kept), "{before} were there before the copy, {kept} are in it, {}", recording.sent);
}

fn put(file: &Path, directory: &Path) {
    let to = directory.join(file.file_name().unwrap());
    Connection::open(file).unwrap().execute("vacuum into ?", [to.to_str().unwrap()]).unwrap();
    assert!(fs::metadata(to).unwrap().len() > 0);
}

fn hits(directory: &Path) -> u64 {
    Reports::open(directory).and_then(|reports| reports.stats(&Ask::all_time()).map(|stats| stats.total_hits)).unwrap()
}

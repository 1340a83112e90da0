//! A raw file that is deleted, cut short or overwritten under a service that records, while others read.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
    time::{Duration, SystemTime},
};

use rusqlite::Connection;
use serde_json::json;
use tower_analytics::{Analytics, Clock, Hit};

use crate::{
    common::{
        damage::{Damage, cut, cut_short, flipped, overwritten},
        parts, until,
    },
    running::{Done, run},
    service::Service,
};

const HITS_BEFORE: u64 = 3000;

/// January 2024, sealed.
pub(crate) fn record(data: &Path) {
    let clock = Clock::manual(SystemTime::UNIX_EPOCH + Duration::from_secs(1_704_844_800));
    let analytics = Analytics::builder(data).clock(clock.clone()).build().unwrap();
    for n in 0..HITS_BEFORE {
        let mut hit = Hit::new("GET", ["/items", "/orders"][n as usize % 2]);
        hit.set_user(&format!("user {}", n * n % 97));
        analytics.recorder().send(&hit, Duration::from_secs(10)).unwrap();
    }
    analytics.flush().unwrap();
    clock.set(SystemTime::now());
    (0..3).for_each(|_| analytics.flush().unwrap());
    analytics.shutdown(Duration::from_secs(30)).unwrap();
}

/// All that stands in the log goes into the file, as it does now and then.
fn settle(file: &Path) {
    Connection::open(file).unwrap().query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(())).unwrap();
}

const DAMAGES: [(&str, Damage); 5] = [
    ("deleted", |file| fs::remove_file(file).unwrap()),
    ("emptied", |file| cut(file, 0)),
    ("cut short", cut_short),
    ("overwritten at its head", overwritten),
    ("flipped in the middle", flipped),
];

/// What a page needs: counts, raw hits of both months, both, the state of the service.
const PAGES: [&str; 6] = [
    "/api/stats?days=100000",
    "/api/sessions?days=100000",
    "/api/stats?days=100000&platform=Web&endpoint=GET%20/items",
    "/sessions?from=2024-01-01&to=2024-02-01",
    "?days=100000",
    "/settings",
];

/// A service with an old month and with 1000 hits of its own, asked for pages until this is over.
struct Scene {
    place: tempfile::TempDir,
    data: PathBuf,
    service: Service,
    old: PathBuf,
    new: PathBuf,
}

impl Scene {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let data = place.path().join("data");
        record(&data);
        let mut service = Service::start(&data);
        service.send(1000);
        service.writes_all();
        let mut files = parts(&data).into_iter().map(|(_, file)| file);
        let (old, new) = (files.next().unwrap(), files.next().unwrap());
        let mut scene = Self { place, data, service, old, new };
        scene.has_counted_all();
        scene
    }

    /// Traffic while somebody asks for everything: each request and each page has its answer, and counts are what they are.
    fn goes_on(&mut self) {
        let over = AtomicBool::new(false);
        let address = self.service.pages();
        thread::scope(|scope| {
            let reading = scope.spawn(|| {
                let mut asked = 0;
                while !over.load(Relaxed) || asked < PAGES.len() {
                    let page = PAGES[asked % PAGES.len()];
                    let (code, text) = address.get(page);
                    // What only the file could say is refused; what was counted of it is not, and no page fails for a part of it.
                    let is_refused = page.starts_with("/api") && asked % PAGES.len() > 0 && code >= 400 && text.contains("\"error\"");
                    assert!(code == 200 || is_refused, "{page}: {code} {text}");
                    asked += 1;
                }
            });
            self.service.send(300);
            over.store(true, Relaxed);
            reading.join().unwrap();
        });
    }

    /// Once all is written and counted.
    fn has_counted_all(&mut self) {
        self.service.writes_all();
        let all = HITS_BEFORE + self.service.sent;
        until("all is counted", || self.service.json(PAGES[0])["total_hits"] == all);
        assert!(self.service.json("/api/health")["detail"]["dropped"].as_array().unwrap().iter().all(|drop| drop["hits"] == 0));
    }

    fn command(&self, name: &str) -> Done {
        run(self.place.path(), &[name, "--data", "data"])
    }

    /// One of the two that look says which file it is, and both agree with their exit codes.
    fn is_named(&self, file: &Path) {
        let name = file.file_name().unwrap().to_str().unwrap();
        let (doctor, verify) = (self.command("doctor"), self.command("verify"));
        assert!(verify.code == 1 && verify.out.contains(name), "{verify:?}");
        assert!(doctor.code == 1 && doctor.out.contains(name), "{doctor:?}");
    }
}

#[test]
fn an_old_month_that_is_damaged_stops_nobody_and_is_whole_again_once_its_file_is_back() {
    for (what, damage) in DAMAGES {
        let mut scene = Scene::new();
        let (file, good) = (scene.old.clone(), scene.place.path().join("good"));
        fs::copy(&file, &good).unwrap();
        damage(&file);
        scene.goes_on();
        scene.has_counted_all();
        scene.is_named(&file);
        // What a glance at the file says is said where people look; what a page of it says is seen by whoever reads it.
        let shown = match what {
            "deleted" | "emptied" => Some(("missing", "The raw hits of 2024-01 are not where they were")),
            "cut short" | "overwritten at its head" => Some(("damaged", "The raw hits of 2024-01 cannot be read, as the file is damaged")),
            _ => None,
        };
        if let Some((state, words)) = shown {
            let health = scene.service.json("/api/health");
            assert_eq!(
                (&health["status"], &health["detail"]["parts"][0]["state"]),
                (&json!("recording"), &json!(state)),
                "{what}: {health}"
            );
            let (_, html) = scene.service.get("");
            assert!(html.contains(words), "{what}: {html}");
        }
        fs::rename(&good, &file).unwrap();
        scene.goes_on();
        scene.has_counted_all();
        until("the month is whole", || scene.command("verify").code == 0);
        let asked = scene.service.json("/api/sessions?days=100000&user=user%201");
        assert!(asked["sessions"].as_array().is_some_and(|sessions| !sessions.is_empty()), "{what}: {asked}");
        damage(&file);
        assert!(scene.service.stop(), "{what}: it stops cleanly");
    }
}

#[test]
fn a_month_that_is_damaged_while_it_is_written_is_a_fault_until_its_file_is_moved_away_and_no_hit_is_lost() {
    for (what, damage) in &DAMAGES[1..4] {
        let mut scene = Scene::new();
        settle(&scene.new);
        damage(&scene.new);
        scene.goes_on();
        scene.service.shows("faulted", "the file is damaged, restore it from a backup or move it away");
        scene.goes_on();
        scene.is_named(&scene.new);
        assert!(scene.service.counter("queued") >= 300 && scene.service.counter("faults") > 0, "{what}");
        fs::rename(&scene.new, scene.data.join("damaged")).unwrap();
        scene.goes_on();
        scene.has_counted_all();
        assert_eq!(scene.command("verify").code, 0, "{what}: {:?}", scene.command("verify"));
        assert!(scene.service.stop());
    }
}

#[test]
fn a_month_that_is_deleted_while_it_is_written_is_begun_anew_by_itself() {
    let mut scene = Scene::new();
    settle(&scene.new);
    scene.service.send(500);
    scene.service.writes_all();
    fs::remove_file(&scene.new).unwrap();
    scene.goes_on();
    scene.has_counted_all();
    assert!(scene.service.counter("faults") > 0);
    let doctor = scene.command("doctor");
    assert!(doctor.out.contains("1500 hits of its month are in the roll-ups alone"), "{doctor:?}");
    assert!(doctor.out.contains("the store refused 1 writes since the last writer began"), "{doctor:?}");
    assert!(scene.service.stop());
}

/// Nobody looks at old pages while new ones are written: this is what `doctor` and `verify` are for.
#[test]
fn flipped_bytes_of_a_month_that_is_written_are_named_by_who_looks_and_what_comes_after_them_is_counted() {
    let mut scene = Scene::new();
    settle(&scene.new);
    DAMAGES[4].1(&scene.new);
    scene.goes_on();
    scene.has_counted_all();
    scene.is_named(&scene.new);
}

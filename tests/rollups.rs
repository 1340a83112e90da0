//! Random traffic through the real writer; every cell of every roll-up against brute force over the raw rows.

mod common;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use common::{oracle, tables};
use jiff::Timestamp;
use proptest::prelude::*;
use tower_analytics::{Analytics, Ask, Clock, Hit, Outcome};

const ENDPOINTS: [(&str, &str); 5] =
    [("GET", "/items"), ("GET", "/items/{id}"), ("POST", "/items"), ("GET", "/health"), ("GET", "(unmatched)")];
const DEVICES: [[&str; 4]; 6] = [
    ["", "", "", "Mozilla/5.0 (X11; Linux x86_64) Firefox/133.0"],
    ["android", "1.0", "Pixel 9", "okhttp/5.0"],
    ["android", "1.1", "Pixel 9", "okhttp/5.0"],
    ["ios", "1.1", "", ""],
    ["", "", "", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"],
    ["web", "2.0", "", "curl/8.0 Googlebot"],
];
const STATUSES: [u16; 6] = [200, 201, 304, 404, 429, 503];
/// Each with a moment shortly before something happens there: a day of 23, 25 or 24.5 hours, a month's edge, a leap day.
const PLACES: [(&str, &str); 8] = [
    ("UTC", "2026-10-31T20:00:00Z"),
    ("Europe/Berlin", "2026-10-24T21:00:00Z"),
    ("Europe/Berlin", "2026-03-28T21:00:00Z"),
    ("Asia/Kathmandu", "2026-12-31T17:00:00Z"),
    ("Australia/Lord_Howe", "2026-04-04T12:00:00Z"),
    ("America/St_Johns", "2010-11-07T01:00:00Z"),
    ("Pacific/Apia", "2011-12-30T08:00:00Z"),
    ("America/New_York", "2028-02-29T03:00:00Z"),
];

#[derive(Clone, Debug)]
enum Op {
    Hits(Vec<Spec>),
    Pass(u64),
    StepBack(u64),
    Flush,
    Restart,
    Kill,
    Reprocess,
    Merge(u8, u8),
    /// On to a zone of another part of the world.
    Move(usize),
}

#[derive(Clone, Debug)]
struct Spec {
    who: u8,
    endpoint: usize,
    device: usize,
    status: usize,
    outcome: u8,
    micros: u64,
    bytes: u64,
    key: u8,
    /// 0: neither; 1: an error note; 2 and more: a gRPC status.
    extra: u8,
    /// Minutes it comes late.
    late: u64,
    /// Milliseconds after the one before.
    gap: u64,
}

fn spec() -> impl Strategy<Value = Spec> {
    let late = prop_oneof![30 => Just(0_u64), 2 => 1_u64..300, 1 => 1_000_u64..60_000];
    let gap = prop_oneof![6 => 0_u64..3_000, 3 => 0_u64..400_000, 1 => 0_u64..5_000_000];
    let head = (0_u8..14, 0..ENDPOINTS.len(), 0..DEVICES.len(), 0..STATUSES.len(), 0_u8..12);
    (head, (prop_oneof![0_u64..40, 0_u64..3_000_000], 0_u64..9999, 0_u8..3, 0_u8..9), late, gap).prop_map(
        |((who, endpoint, device, status, outcome), (micros, bytes, key, extra), late, gap)| Spec {
            who,
            endpoint,
            device,
            status,
            outcome,
            micros,
            bytes,
            key,
            extra,
            late,
            gap,
        },
    )
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        12 => prop::collection::vec(spec(), 1..40).prop_map(Op::Hits),
        3 => (0_u64..40_000_000).prop_map(Op::Pass),
        1 => (1_000_000_000_u64..3_000_000_000).prop_map(Op::Pass),
        1 => (0_u64..90_000_000).prop_map(Op::StepBack),
        4 => Just(Op::Flush),
        2 => Just(Op::Restart),
        3 => Just(Op::Kill),
        1 => Just(Op::Reprocess),
        1 => (2_u8..9, 2_u8..9).prop_map(|(a, b)| Op::Merge(a, b)),
        1 => (0..PLACES.len()).prop_map(Op::Move),
    ]
}

struct Driver {
    root: tempfile::TempDir,
    directory: PathBuf,
    zone: &'static str,
    clock: Clock,
    analytics: Analytics,
    sent: u64,
    /// Sent before this handle was opened.
    before: u64,
    lives: usize,
    merged: BTreeMap<u8, u8>,
}

impl Driver {
    fn new(place: usize) -> Self {
        let root = tempfile::tempdir().unwrap();
        let (zone, start) = PLACES[place];
        let start = Duration::from_millis(start.parse::<Timestamp>().unwrap().as_millisecond() as u64);
        let clock = Clock::manual(SystemTime::UNIX_EPOCH + start);
        let directory = root.path().join("0");
        let analytics = open(&directory, zone, &clock);
        Self { root, directory, zone, clock, analytics, sent: 0, before: 0, lives: 0, merged: BTreeMap::new() }
    }

    fn run(&mut self, op: &Op) {
        match op {
            Op::Hits(specs) => specs.iter().for_each(|spec| self.record(spec)),
            Op::Pass(millis) => self.clock.advance(Duration::from_millis(*millis)),
            Op::StepBack(millis) => self.clock.set(self.clock.now() - Duration::from_millis(*millis)),
            Op::Flush => self.analytics.flush().unwrap(),
            Op::Restart => self.reopen(),
            Op::Kill => self.kill(),
            Op::Reprocess => self.analytics.maintenance().reprocess(|_, _| {}).unwrap(),
            Op::Merge(a, b) => self.merge(*a, *b),
            Op::Move(place) => {
                self.zone = PLACES[*place].0;
                self.reopen();
                // What the change made stale is made anew between batches; a reprocess comes after it.
                self.analytics.maintenance().reprocess(|_, _| {}).unwrap();
            }
        }
    }

    fn record(&mut self, spec: &Spec) {
        self.clock.advance(Duration::from_millis(spec.gap));
        let (method, route) = ENDPOINTS[spec.endpoint];
        let mut hit = Hit::new(method, route);
        // A few are users, the others visitors of as many networks.
        match spec.who {
            who @ 2..9 => hit.set_user(&format!("u{who}")),
            who => hit.set_address([10, 0, who, 7].into()),
        }
        let [platform, version, name, agent] = DEVICES[spec.device];
        hit.set_client(platform, version, name, agent);
        hit.set_status(STATUSES[spec.status]);
        hit.set_outcome(match spec.outcome {
            0 => Outcome::Failed,
            1 => Outcome::Aborted,
            _ => Outcome::Completed,
        });
        hit.set_times(Duration::from_micros(spec.micros), Duration::from_micros(spec.micros / 3));
        hit.set_bytes(spec.bytes / 7, spec.bytes);
        if spec.key > 0 {
            hit.set_session_key(&spec.key.to_string());
        }
        match spec.extra {
            0 | 3.. if spec.extra < 6 => {}
            1 => hit.set_error("kind", &format!("item {} is \"lost\"", spec.bytes)),
            extra => hit.set_grpc_status(extra - 2),
        }
        if spec.late > 0 {
            hit.set_at(self.clock.now() - Duration::from_secs(60 * spec.late));
        }
        self.analytics.record(&hit);
        self.sent += 1;
    }

    fn reopen(&mut self) {
        self.analytics.shutdown(Duration::from_secs(30)).unwrap();
        self.open();
    }

    fn open(&mut self) {
        self.analytics = open(&self.directory, self.zone, &self.clock);
        self.before = self.sent;
    }

    /// The files as they are now, which is what a killed process leaves; the life goes on with those.
    fn kill(&mut self) {
        // Whatever is not yet written would be lost, as it may.
        let written = || self.before + self.analytics.counters().written;
        wait_until(|| written() == self.sent);
        self.lives += 1;
        let copy = self.root.path().join(self.lives.to_string());
        // Nobody writes now but for the checkpoint, and that may come in between: then the copy is made again.
        loop {
            copy_all(&self.directory, &copy);
            if same(&self.directory, &copy) {
                break;
            }
        }
        self.analytics.shutdown(Duration::from_secs(30)).unwrap();
        self.directory = copy;
        self.open();
    }

    fn merge(&mut self, from: u8, into: u8) {
        let person = |driver: &Self, who: u8| driver.merged.get(&who).copied().unwrap_or(who);
        let (a, b) = (person(self, from), person(self, into));
        let merged = self.analytics.maintenance().merge_users(&format!("u{from}"), &format!("u{into}"));
        let seen = users_of(&self.directory);
        let known = |who: u8| seen.contains(&format!("u{who}"));
        assert_eq!(merged.is_ok(), known(from) && known(into) && a != b, "{merged:?}");
        if merged.is_ok() {
            self.merged.values_mut().filter(|into| **into == a).for_each(|into| *into = b);
            self.merged.insert(a, b);
        }
    }

    /// Raw rows against roll-ups, roll-ups against a reprocess, answers against both.
    fn check(&mut self) {
        // Each checkpoint seals one month at most.
        for _ in 0..12 {
            self.analytics.flush().unwrap();
        }
        assert_eq!(oracle::check(&self.directory) as u64, self.sent);
        self.check_answers();
        let before = tables::derived(&self.directory);
        self.analytics.maintenance().reprocess(|_, _| {}).unwrap();
        tables::assert_same(&before, &tables::derived(&self.directory));
    }

    fn check_answers(&self) {
        let reports = self.analytics.reports();
        assert!(reports.check().unwrap().is_sound());
        let stats = reports.stats(&Ask::all_time()).unwrap();
        assert_eq!(stats.total_hits + stats.bot_hits, self.sent);
        let main = rusqlite::Connection::open(self.directory.join("analytics.db")).unwrap();
        let mut persons = BTreeSet::new();
        let mut statement = main.prepare("select id, number from users").unwrap();
        let ids: BTreeMap<i64, String> =
            statement.query_map([], |row| Ok((row.get(1)?, row.get(0)?))).unwrap().map(Result::unwrap).collect();
        let bots: BTreeSet<i64> = {
            let mut statement = main.prepare("select number from devices where bot <> ''").unwrap();
            statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
        };
        for (_, month, _) in oracle::parts(&main) {
            for row in oracle::raw(&self.directory, month).iter().filter(|row| !bots.contains(&row.device)) {
                if let Some(id) = ids.get(&row.user) {
                    let who: u8 = id[1..].parse().unwrap();
                    persons.insert(self.merged.get(&who).copied().unwrap_or(who));
                }
            }
        }
        assert_eq!(stats.total_users, persons.len() as u64);
    }
}

fn open(directory: &Path, zone: &str, clock: &Clock) -> Analytics {
    Analytics::builder(directory).time_zone(zone).clock(clock.clone()).batch_age(Duration::from_millis(1)).build().unwrap()
}

fn wait_until(done: impl Fn() -> bool) {
    let start = std::time::Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(30), "the writer does not come to an end");
        std::thread::yield_now();
    }
}

fn copy_all(from: &Path, to: &Path) {
    drop(fs::remove_dir_all(to));
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        // The shared memory is made anew from the log, as after a crash of the machine.
        if !entry.file_name().to_str().unwrap().ends_with("-shm") {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

fn same(from: &Path, to: &Path) -> bool {
    fs::read_dir(to).unwrap().all(|entry| {
        let entry = entry.unwrap();
        fs::read(from.join(entry.file_name())).ok() == fs::read(entry.path()).ok()
    })
}

fn users_of(directory: &Path) -> BTreeSet<String> {
    let main = rusqlite::Connection::open(directory.join("analytics.db")).unwrap();
    let mut statement = main.prepare("select id from users").unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(16)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn every_cell_is_what_brute_force_over_raw_rows_says(place in 0..PLACES.len(), ops in prop::collection::vec(op(), 4..24)) {
        let mut driver = Driver::new(place);
        for op in &ops {
            driver.run(op);
        }
        driver.check();
        // Long after, when all sessions have ended and the months are sealed.
        driver.clock.advance(Duration::from_secs(40 * 86_400));
        driver.check();
        let main = rusqlite::Connection::open(driver.directory.join("analytics.db")).unwrap();
        prop_assert!(oracle::parts(&main).iter().all(|(_, _, state)| state == "sealed"), "{:?}", oracle::parts(&main));
    }
}

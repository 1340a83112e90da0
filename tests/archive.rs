//! Months that are put away, brought back, given up and forgotten; and what comes in between.

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, SystemTime},
};

use common::{as_child, child, oracle, tables, until};
use rusqlite::{Connection, types::Value};
use tower_analytics::{Analytics, Ask, Builder, Clock, ErrorKind, Hit, RetentionRules};

const DAY: Duration = Duration::from_secs(86_400);
/// 2026-10-05T12:00:00Z
const OCTOBER: Duration = Duration::from_secs(1_791_201_600);

struct Months {
    directory: tempfile::TempDir,
    clock: Clock,
    analytics: Analytics,
}

impl Months {
    /// October with some hundred hits of many kinds; it is the 3rd of February.
    fn new() -> Self {
        let months = Self::empty(|builder| builder);
        months.fill(400);
        months.clock.set(SystemTime::UNIX_EPOCH + OCTOBER + 121 * DAY);
        months.analytics.flush().unwrap();
        months
    }

    fn empty(with: impl Fn(Builder) -> Builder) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let clock = Clock::manual(SystemTime::UNIX_EPOCH + OCTOBER);
        let analytics = with(builder(directory.path(), &clock)).build().unwrap();
        Self { directory, clock, analytics }
    }

    fn fill(&self, hits: u64) {
        for n in 0..hits {
            let mut hit = Hit::new("GET", ["/items", "/orders", "/pay"][n as usize % 3]);
            hit.set_user(&format!("user {}", n * n % 37));
            hit.set_client(["ios", "android"][n as usize % 2], "3.1", "", "");
            hit.set_status([200, 200, 404, 500][n as usize % 4]);
            self.analytics.record(&hit);
            self.clock.advance(Duration::from_secs(600));
        }
        self.analytics.flush().unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn raw(&self) -> PathBuf {
        self.path("analytics-202610.db")
    }

    fn archive_file(&self) -> PathBuf {
        self.path("archive/analytics-202610.db.zst")
    }

    fn archive(&self) {
        let done = self.analytics.maintenance().archive("90d", None, |_, _| {}).unwrap();
        assert_eq!(done.parts.len(), 1, "{done:?}");
        assert!(!self.raw().exists() && self.archive_file().exists());
    }

    fn restore(&self) -> Result<(), tower_analytics::Error> {
        self.analytics.maintenance().restore(&["202610"], false, |_, _| {}).map(drop)
    }

    fn reopen(&mut self) {
        self.analytics.shutdown(Duration::from_secs(10)).unwrap();
        self.analytics = builder(self.directory.path(), &self.clock).build().unwrap();
    }

    fn states(&self) -> Vec<(i64, String)> {
        let main = Connection::open(self.path("analytics.db")).unwrap();
        oracle::parts(&main).into_iter().map(|(_, month, state)| (month, state)).collect()
    }

    fn state(&self) -> String {
        self.states().remove(0).1
    }

    fn hits(&self) -> u64 {
        self.analytics.reports().stats(&Ask::all_time()).unwrap().total_hits
    }

    fn late(&self) {
        let mut late = Hit::new("GET", "/items");
        late.set_user("late");
        late.set_at(SystemTime::UNIX_EPOCH + OCTOBER + DAY);
        self.analytics.record(&late);
    }

    /// Every answer that roll-ups give.
    fn answers(&self) -> String {
        let (reports, ask) = (self.analytics.reports(), Ask::all_time());
        let october = ask.clone().from("2026-10-01").unwrap().to("2026-11-01").unwrap();
        let all = [ask, october].map(|ask| {
            (
                reports.stats(&ask).unwrap().into_inner(),
                reports.devices(&ask).unwrap().into_inner(),
                reports.features(&ask).unwrap().into_inner(),
                reports.endpoints(&ask).unwrap().into_inner(),
                reports.traffic(&ask, None).unwrap().into_inner(),
                reports.errors(&ask).unwrap().into_inner(),
                reports.peak_hours(&ask).unwrap().into_inner(),
                reports.user_growth(&ask, None).unwrap().into_inner(),
            )
        });
        format!("{all:#?}")
    }
}

fn builder(directory: &Path, clock: &Clock) -> Builder {
    Analytics::builder(directory).clock(clock.clone()).batch_age(Duration::from_millis(1))
}

/// All that is in a raw file.
fn rows(file: &Path) -> Vec<Vec<Value>> {
    let raw = Connection::open(file).unwrap();
    let mut all = Vec::new();
    for table in ["session_actions_202610", "sessions_202610", "part"] {
        let mut statement = raw.prepare(&format!("select * from {table} order by 1")).unwrap();
        let columns = statement.column_count();
        let read = statement.query_map([], |row| (0..columns).map(|column| row.get(column)).collect()).unwrap();
        all.extend(read.map(|row: rusqlite::Result<Vec<Value>>| row.unwrap()));
    }
    all
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn unfinished(directory: &Path) -> Vec<String> {
    let mut all = names(directory);
    all.extend(fs::read_dir(directory.join("archive")).into_iter().flatten().map(|e| e.unwrap().file_name().into_string().unwrap()));
    all.retain(|name| name.contains(".part"));
    all
}

#[test]
fn a_month_that_was_put_away_and_came_back_holds_the_same_rows_and_answers() {
    let mut months = Months::new();
    (0..3).for_each(|_| months.analytics.flush().unwrap());
    let (before, derived, answers) = (rows(&months.raw()), tables::derived(months.directory.path()), months.answers());
    let mut told = Vec::new();
    let done = months.analytics.maintenance().archive("90d", None, |done, total| told.push((done, total))).unwrap();
    let part = &done.parts[0];
    assert_eq!((&*part.month, &*part.what, part.hits), ("202610", "archived", 400));
    assert_eq!(part.archive_bytes, fs::metadata(months.archive_file()).unwrap().len());
    assert!(part.archive_bytes * 2 < part.bytes, "{part:?}");
    assert!(told.iter().all(|(done, total)| done <= total), "{told:?}");
    assert_eq!(months.state(), "archived");
    assert!(!months.raw().exists() && unfinished(months.directory.path()).is_empty());
    assert_eq!(months.answers(), answers);
    months.reopen();
    assert_eq!(months.answers(), answers);
    tables::assert_same(&derived, &tables::derived(months.directory.path()));

    months.restore().unwrap();
    assert_eq!(months.state(), "sealed");
    assert_eq!(rows(&months.raw()), before);
    assert!(months.archive_file().exists(), "what was put away is kept");
    months.analytics.maintenance().reprocess(|_, _| {}).unwrap();
    tables::assert_same(&derived, &tables::derived(months.directory.path()));
    assert!(months.analytics.reports().check().unwrap().is_sound());
    // And once more, over the file that is there.
    months.archive();
    months.analytics.maintenance().restore(&["202610"], true, |_, _| {}).unwrap();
    assert!(!months.archive_file().exists());
    assert_eq!((rows(&months.raw()), months.answers()), (before, answers));
}

#[test]
fn the_month_that_goes_on_and_younger_ones_stay() {
    let months = Months::new();
    months.fill(10);
    let archive = |age| months.analytics.maintenance().archive(age, None, |_, _| {}).unwrap().parts.len();
    // It is the 3rd of February: October ended 94 and a half days ago.
    assert_eq!((archive("95d"), archive("4 months")), (0, 0));
    assert_eq!((archive("94d"), archive("1d")), (1, 0));
    assert_eq!(months.states(), [(202_610, "archived".to_owned()), (202_702, "open".to_owned())]);
    let error = months.analytics.maintenance().archive("2h", None, |_, _| {}).unwrap_err();
    assert!(error.kind() == ErrorKind::Config && error.to_string().contains("\"90d\""), "{error}");
}

#[test]
fn hits_that_come_while_a_month_is_put_away_are_in_it_or_counted_as_dropped() {
    for round in 0..8 {
        let months = Months::empty(|builder| builder);
        months.fill(400);
        // Enough for some slices.
        for n in 0..30_000_u64 {
            let mut hit = Hit::new("GET", "/items");
            hit.set_user(&format!("user {}", n % 997));
            hit.set_bytes(n * 7919 % 100_003, n * 104_729 % 1_000_003);
            months.analytics.recorder().send(&hit, Duration::from_secs(10)).unwrap();
        }
        months.analytics.flush().unwrap();
        months.clock.set(SystemTime::UNIX_EPOCH + OCTOBER + 121 * DAY);
        months.analytics.flush().unwrap();
        let sent = 50;
        thread::scope(|scope| {
            scope.spawn(|| {
                // It begins before, within and after.
                thread::sleep(Duration::from_millis(8 * round));
                for _ in 0..sent {
                    months.late();
                    thread::sleep(Duration::from_micros(300));
                }
            });
            months.archive();
        });
        months.analytics.flush().unwrap();
        let counters = months.analytics.counters();
        assert_eq!(counters.written + counters.dropped_closed_month, 30_400 + sent, "{counters:?}");
        assert_eq!(months.hits(), counters.written);
        months.restore().unwrap();
        months.analytics.flush().unwrap();
        assert_eq!(oracle::check(months.directory.path()) as u64, counters.written);
        // It is recorded into again.
        months.late();
        months.analytics.flush().unwrap();
        assert_eq!((oracle::check(months.directory.path()) as u64, months.state().as_str()), (counters.written + 1, "open"));
    }
}

#[test]
fn a_month_that_somebody_reads_waits_until_it_is_read() {
    let months = Months::empty(|builder| builder);
    months.fill(400);
    let reader = Connection::open(months.raw()).unwrap();
    reader.execute_batch("begin; select count(*) from session_actions_202610;").unwrap();
    let count =
        |reader: &Connection| reader.query_row("select count(*) from session_actions_202610", [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(count(&reader), 400);
    // More stands in the log beside the file, and cannot be moved into it.
    months.fill(50);
    months.clock.set(SystemTime::UNIX_EPOCH + OCTOBER + 121 * DAY);
    months.analytics.flush().unwrap();
    thread::scope(|scope| {
        let archiving = scope.spawn(|| months.archive());
        until("it waits", || months.analytics.reports().jobs().unwrap().jobs.first().is_some_and(|job| job.state == "running"));
        (0..3).for_each(|_| months.analytics.flush().unwrap());
        assert!(!archiving.is_finished() && months.raw().exists());
        assert_eq!(count(&reader), 400);
        reader.execute_batch("commit").unwrap();
        archiving.join().unwrap();
    });
    months.restore().unwrap();
    assert_eq!(oracle::check(months.directory.path()), 450);
}

#[test]
fn what_was_put_away_and_is_missing_damaged_or_anothers_changes_nothing_and_says_what_to_do() {
    let months = Months::new();
    months.archive();
    let (derived, good) = (tables::derived(months.directory.path()), fs::read(months.archive_file()).unwrap());
    let other = Months::new();
    other.archive();
    let refused = |why: &str| {
        let error = months.restore().unwrap_err();
        assert!(error.kind() == ErrorKind::Job && error.to_string().contains(why), "{why:?} in {error}");
        assert_eq!(months.state(), "archived");
        assert!(!months.raw().exists() && unfinished(months.directory.path()).is_empty());
        tables::assert_same(&derived, &tables::derived(months.directory.path()));
    };
    fs::remove_file(months.archive_file()).unwrap();
    refused("is not there: bring it back");
    fs::copy(other.archive_file(), months.archive_file()).unwrap();
    refused("another directory's hits");
    for place in [0, 20, 45, good.len() / 2, good.len() - 1] {
        let mut bad = good.clone();
        bad[place] ^= 0x10;
        fs::write(months.archive_file(), bad).unwrap();
        refused(if (16..32).contains(&place) { "another directory's hits" } else { "is damaged: bring it back from a backup" });
    }
    for length in [0, 10, 40, good.len() / 2, good.len() - 1] {
        fs::write(months.archive_file(), &good[..length]).unwrap();
        refused("is damaged");
    }
    fs::write(months.archive_file(), [&good[..], &good[..]].concat()).unwrap();
    refused("is damaged");
    fs::write(months.archive_file(), good).unwrap();
    months.restore().unwrap();
    let error = months.restore().unwrap_err().to_string();
    assert!(error.contains("is not archived, it is sealed"), "{error}");
    let error = months.analytics.maintenance().restore(&["199901"], false, |_, _| {}).unwrap_err().to_string();
    assert!(error.contains("nothing was recorded in 199901"), "{error}");
}

#[test]
fn what_another_directory_has_put_away_is_not_written_over() {
    let (one, other) = (Months::new(), Months::new());
    let shared = tempfile::tempdir().unwrap();
    let archive = |months: &Months| months.analytics.maintenance().archive("90d", Some(shared.path()), |_, _| {});
    archive(&one).unwrap();
    let before = fs::read(shared.path().join("analytics-202610.db.zst")).unwrap();
    let error = archive(&other).unwrap_err().to_string();
    assert!(error.contains("holds something else: put hits away in a directory of their own"), "{error}");
    assert_eq!(other.state(), "sealed");
    assert_eq!((rows(&other.raw()).len() > 400, names(shared.path())), (true, vec!["analytics-202610.db.zst".to_owned()]));
    assert_eq!(fs::read(shared.path().join("analytics-202610.db.zst")).unwrap(), before);
    one.restore().unwrap();
    assert_eq!(oracle::check(one.directory.path()), 400);
}

#[test]
fn what_a_killed_process_left_behind_goes_at_the_next_start_and_what_is_not_ours_stays() {
    let mut months = Months::new();
    (0..3).for_each(|_| months.analytics.flush().unwrap());
    let raw = fs::read(months.raw()).unwrap();
    months.archive();
    months.analytics.shutdown(Duration::from_secs(10)).unwrap();
    // It was written down that the raw file is put away, and not deleted any more.
    fs::write(months.raw(), &raw).unwrap();
    for name in ["analytics-202610.db.part", "archive/analytics-202609.db.zst.part", "notes.part"] {
        fs::write(months.path(name), "half of it").unwrap();
    }
    months.analytics = builder(months.directory.path(), &months.clock).build().unwrap();
    assert!(!months.raw().exists() && months.state() == "archived");
    assert_eq!(unfinished(months.directory.path()), ["notes.part"]);
    // Without what was put away, the raw file is all there is.
    months.analytics.shutdown(Duration::from_secs(10)).unwrap();
    fs::write(months.raw(), &raw).unwrap();
    fs::rename(months.archive_file(), months.path("elsewhere")).unwrap();
    months.analytics = builder(months.directory.path(), &months.clock).build().unwrap();
    assert_eq!(fs::read(months.raw()).unwrap(), raw);
    assert_eq!(months.hits(), 400);
}

#[test]
fn days_of_another_zone_are_made_anew_when_a_month_comes_back() {
    let mut months = Months::new();
    months.archive();
    months.analytics.shutdown(Duration::from_secs(10)).unwrap();
    months.analytics = builder(months.directory.path(), &months.clock).time_zone("Asia/Kathmandu").build().unwrap();
    months.restore().unwrap();
    until("the roll-ups are made anew", || {
        let main = Connection::open(months.path("analytics.db")).unwrap();
        main.query_row("select zone from parts", [], |row| row.get::<_, String>(0)).unwrap() == "Asia/Kathmandu"
    });
    assert_eq!(oracle::check(months.directory.path()), 400);
}

#[test]
fn settings_put_away_give_up_and_forget_months_by_themselves_once_a_day() {
    let months = Months::empty(|builder| builder.archive_after("45d").drop_raw_after("3 months").drop_all_after("5 months"));
    // A hit every other day, from October to May.
    for _ in 0..110 {
        months.late_or_now();
        months.clock.advance(2 * DAY);
        months.analytics.flush().unwrap();
        until("the job of the day is done", || {
            let jobs = months.analytics.reports().jobs().unwrap().into_inner().jobs;
            assert!(jobs.iter().all(|job| job.kind == "retention" && job.state != "failed"), "{jobs:?}");
            jobs.iter().all(|job| job.state == "done")
        });
    }
    // It is the 13th of May.
    let expected = [
        (202_610, "dropped"),
        (202_611, "dropped"),
        (202_612, "dropped"),
        (202_701, "dropped"),
        (202_702, "archived"),
        (202_703, "sealed"),
        (202_704, "open"),
        (202_705, "open"),
    ];
    let states = months.states();
    let states: Vec<_> = states.iter().map(|(month, state)| (*month, state.as_str())).collect();
    let april = states[6].1;
    assert!(april == "sealed" || april == "open");
    assert_eq!([&states[..6], &states[7..]].concat(), [&expected[..6], &expected[7..]].concat());
    assert_eq!(names(&months.path("archive")), ["analytics-202702.db.zst"]);
    let raw: Vec<_> =
        names(months.directory.path()).into_iter().filter(|name| name.starts_with("analytics-2") && name.ends_with(".db")).collect();
    assert_eq!(raw, ["analytics-202703.db", "analytics-202704.db", "analytics-202705.db"]);
    // October and November are forgotten with their counts; December and January are counted still.
    let hits = |from: &str, to: &str| {
        let ask = Ask::all_time().from(from).unwrap().to(to).unwrap();
        months.analytics.reports().stats(&ask).unwrap().total_hits
    };
    assert_eq!(hits("2026-10-01", "2026-12-01"), 0);
    assert!(hits("2026-12-01", "2027-01-01") >= 15 && hits("2027-01-01", "2027-02-01") >= 15);
    let crossing = Ask::all_time().from("2026-10-01").unwrap().to("2026-12-01").unwrap().platform("iOS").endpoint("GET /items");
    assert_eq!(months.analytics.reports().stats(&crossing).unwrap().total_hits, 0);
    months.late();
    months.analytics.flush().unwrap();
    assert_eq!(months.analytics.counters().dropped_closed_month, 1);
    assert!(!months.raw().exists());
    let jobs = months.analytics.reports().jobs().unwrap().into_inner().jobs.len();
    assert!((6..20).contains(&jobs), "{jobs} jobs: one for each day on which something was due");
    assert!(months.analytics.reports().check().unwrap().is_sound());
}

impl Months {
    fn late_or_now(&self) {
        let mut hit = Hit::new("GET", "/items");
        hit.set_user("ann");
        self.analytics.record(&hit);
    }
}

#[test]
fn rules_say_beforehand_what_they_take_and_take_that() {
    let months = Months::new();
    (0..3).for_each(|_| months.analytics.flush().unwrap());
    let mut rules = RetentionRules::default();
    rules.drop_raw_after = Some("90d".to_owned());
    let expiring = months.analytics.reports().expiring(Some(&rules)).unwrap().into_inner();
    let part = &expiring.parts[0];
    assert_eq!((expiring.parts.len(), &*part.month, part.what, part.hits), (1, "202610", "raw hits dropped", 400));
    assert_eq!(part.bytes, fs::metadata(months.raw()).unwrap().len());
    assert!(months.analytics.reports().expiring(None).unwrap().parts.is_empty(), "nothing is set");
    let answers = months.answers();
    // What was put away goes too.
    months.archive();
    let done = months.analytics.maintenance().retention(&rules, |_, _| {}).unwrap();
    assert_eq!((&*done.parts[0].what, done.parts[0].hits), ("raw hits dropped", 400));
    assert_eq!((months.state().as_str(), months.archive_file().exists(), months.answers() == answers), ("dropped", false, true));
    let error = months.restore().unwrap_err().to_string();
    assert!(error.contains("is not archived, it is dropped"), "{error}");
    assert!(months.analytics.maintenance().retention(&rules, |_, _| {}).unwrap().parts.is_empty());
    rules.drop_raw_after = Some("soon".to_owned());
    let error = months.analytics.maintenance().retention(&rules, |_, _| {}).unwrap_err();
    assert!(error.to_string().contains("retention.drop_raw_after: \"soon\""), "{error}");
}

#[test]
#[cfg(target_os = "linux")]
#[ignore = "needs root to mount"]
fn a_full_disk_leaves_a_month_as_it_was() {
    let Some(disk) = as_child() else {
        let disk = tempfile::tempdir().unwrap();
        let mounted = ["unshare", "-m", "sh", "-c", "mount -t tmpfs -o size=64k none \"$TEST_CHILD\" && exec \"$0\" \"$@\""];
        let output =
            child(&mounted, &std::env::current_exe().unwrap(), "a_full_disk_leaves_a_month_as_it_was", disk.path()).output().unwrap();
        assert!(output.status.success(), "{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        return;
    };
    let months = Months::empty(|builder| builder);
    months.fill(3000);
    // More than compresses into what is free.
    for n in 0..20_000_u64 {
        let mut hit = Hit::new("GET", "/items");
        hit.set_user(&format!("user {}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15) % 9973));
        hit.set_bytes(n.wrapping_mul(0x9e37_79b9) % 1_000_003, n.wrapping_mul(0x85eb_ca6b) % 1_000_003);
        months.analytics.record(&hit);
    }
    months.analytics.flush().unwrap();
    months.clock.set(SystemTime::UNIX_EPOCH + OCTOBER + 121 * DAY);
    (0..3).for_each(|_| months.analytics.flush().unwrap());
    let before = rows(&months.raw());
    let archive = || months.analytics.maintenance().archive("90d", Some(&disk), |_, _| {});
    let error = archive().unwrap_err().to_string();
    assert!(error.contains("the disk is full, make room or choose another directory"), "{error}");
    assert_eq!((months.state().as_str(), names(&disk)), ("sealed", Vec::<String>::new()));
    assert!(rows(&months.raw()) == before, "the raw hits are as they were");
    months.late();
    months.analytics.flush().unwrap();
    let mut enlarge = Command::new("mount");
    assert!(enlarge.args(["-o", "remount,size=64m"]).arg(&disk).status().unwrap().success());
    archive().unwrap();
    // And the disk to which it comes back may be full.
    months.restore().unwrap();
    assert_eq!(oracle::check(months.directory.path()), before.iter().filter(|row| row.len() == 12).count() + 1);
}

#[test]
fn a_reset_deletes_archives_that_lie_elsewhere_too_and_nothing_else_there() {
    let elsewhere = tempfile::tempdir().unwrap();
    resets(&Months::new(), elsewhere.path());
    let months = Months::new();
    let below = months.directory.path().join("cold");
    fs::create_dir(&below).unwrap();
    resets(&months, &below);
}

fn resets(months: &Months, elsewhere: &Path) {
    let maintenance = months.analytics.maintenance();
    let done = maintenance.archive("90d", Some(elsewhere), |_, _| {}).unwrap();
    assert_eq!(done.parts.len(), 1);
    let place = tempfile::tempdir().unwrap();
    let copy = place.path().join("copy");
    let backup = months.analytics.reports().backup(&copy, |_, _| {}).unwrap();
    assert_eq!((backup.without_raw.len(), backup.faults.len()), (0, 0), "{backup:?}");
    let (archive, other) = (elsewhere.join("analytics-202610.db.zst"), elsewhere.join("analytics-202609.db.zst"));
    assert!(archive.exists());
    fs::write(&other, "somebody's").unwrap();
    maintenance.reset().unwrap();
    assert!(!archive.exists() && other.exists());
    assert!(
        ["archive", "cold"].iter().any(|in_copy| copy.join(in_copy).join("analytics-202610.db.zst").exists()),
        "a backup has one of its own"
    );
    assert_eq!(months.analytics.reports().stats(&Ask::all_time()).unwrap().total_hits, 0);
}

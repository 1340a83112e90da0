//! `backup`: a copy that is as the directory was at one moment, whatever goes on.

mod common;

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::Stdio,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
    time::Duration,
};

use common::{as_child, child, oracle, parts, recording::Recording, stored, tables, total, until};
use rusqlite::{Connection, types::Value};
use tower_analytics::{Analytics, Ask, Clock, Config, ErrorKind, Hit, Page, Reports, report::UserOrder};

fn hit(n: u64) -> Hit {
    let mut hit = Hit::new("GET", if n.is_multiple_of(3) { "/items" } else { "/items/{id}" });
    hit.set_user(&format!("user {}", n % 40));
    hit.set_client("Web", "1.0", "", "");
    if n.is_multiple_of(11) {
        hit.set_status(500);
        hit.set_error("down", "the warehouse");
    }
    hit
}

/// Two months, the first complete, and sessions that go on.
fn two_months(directory: &Path) -> (Analytics, Clock) {
    let start = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600);
    let clock = Clock::manual(start + Duration::from_secs(28 * 86_400));
    let analytics = Analytics::builder(directory).clock(clock.clone()).build().unwrap();
    for n in 0..600 {
        clock.advance(Duration::from_secs(900));
        analytics.record(&hit(n));
        if n % 50 == 0 {
            analytics.flush().unwrap();
        }
    }
    analytics.flush().unwrap();
    until("the first month is sealed", || {
        analytics.flush().unwrap();
        let reports = analytics.reports();
        reports.health().unwrap().parts[0].state == "sealed"
    });
    (analytics, clock)
}

/// Whatever can be asked.
fn answers(reports: &Reports) -> Vec<String> {
    let ask = Ask::all_time();
    vec![
        format!("{:?}", reports.stats(&ask).unwrap().into_inner()),
        format!("{:?}", reports.users(&ask, UserOrder::FirstSeen, &Page::default()).unwrap().into_inner()),
        format!("{:?}", reports.sessions(&ask, &Page::default()).unwrap().into_inner()),
        format!("{:?}", reports.active_sessions(&ask).unwrap().into_inner().sessions.len()),
        format!("{:?}", reports.endpoints(&ask).unwrap().into_inner()),
        format!("{:?}", reports.errors(&ask).unwrap().into_inner()),
        format!("{:?}", reports.traffic(&ask, None).unwrap().into_inner()),
        format!("{:?}", reports.devices(&ask).unwrap().into_inner()),
        format!("{:?}", reports.user(&ask, "user 3").unwrap().into_inner()),
        format!("{:?}", reports.latest_hits(100).unwrap().into_inner()),
    ]
}

#[test]
fn a_copy_of_a_quiet_directory_answers_everything_as_that_does() {
    let place = tempfile::tempdir().unwrap();
    let (data, copy) = (place.path().join("data"), place.path().join("copies/monday"));
    let (analytics, clock) = two_months(&data);
    fs::create_dir_all(data.join("plugins/tenants")).unwrap();
    fs::write(data.join("plugins/tenants/notes.txt"), "by a plugin").unwrap();
    fs::create_dir_all(data.join("archive")).unwrap();
    fs::write(data.join("archive/analytics-202511.db.zst"), "put away").unwrap();
    // One that a plugin has open in this process, with all that it says in the log, and one that only looks like it.
    let plugin = Connection::open(data.join("plugins/tenants/own.db")).unwrap();
    plugin.execute_batch("pragma journal_mode = wal; create table t (x); insert into t values (7)").unwrap();
    fs::write(data.join("plugins/tenants/text.db"), "no database").unwrap();
    let mut told = Vec::new();
    let backup = analytics.reports().backup(&copy, |done, total| told.push((done, total))).unwrap();
    assert!(told.len() > 2 && told.is_sorted() && told.last().is_some_and(|(done, total)| done == total), "{told:?}");
    assert_eq!(backup.directory, copy.canonicalize().unwrap());
    let names: Vec<_> = backup.files.iter().map(|file| file.path.as_str()).collect();
    let expected = [
        "analytics.db",
        "analytics-202601.db",
        "analytics-202602.db",
        "archive/analytics-202511.db.zst",
        "plugins/tenants/notes.txt",
        "plugins/tenants/own.db",
        "plugins/tenants/text.db",
    ];
    assert_eq!(names, expected);
    for file in &backup.files {
        assert_eq!(fs::metadata(copy.join(&file.path)).unwrap().len(), file.bytes, "{}", file.path);
        let sum = std::process::Command::new("sha256sum").arg(copy.join(&file.path)).output().unwrap().stdout;
        assert_eq!(String::from_utf8(sum).unwrap().split(' ').next(), Some(file.sha256.as_str()));
    }
    assert_eq!(fs::read_to_string(copy.join("plugins/tenants/notes.txt")).unwrap(), "by a plugin");
    assert_eq!(rows(&copy.join("plugins/tenants/own.db"), "select x from t"), [[Value::Integer(7)]]);
    assert_eq!(fs::read_to_string(copy.join("plugins/tenants/text.db")).unwrap(), "no database");
    let written: serde_json::Value = serde_json::from_str(&fs::read_to_string(copy.join("backup.json")).unwrap()).unwrap();
    assert_eq!(written["files"][0]["sha256"], backup.files[0].sha256);
    assert_eq!(fs::read_dir(place.path().join("copies")).unwrap().count(), 1, "nothing partial is left");

    let before = answers(&analytics.reports());
    tables::assert_same(&tables::derived(&data), &tables::derived(&copy));
    let restored = Analytics::builder(&copy).clock(clock).build().unwrap();
    assert_eq!(answers(&restored.reports()), before);
    assert!(restored.reports().check().unwrap().is_sound());
    restored.record(&hit(1));
    restored.shutdown(Duration::from_secs(30)).unwrap();
    assert_eq!(total(&stored(&copy)), total(&stored(&data)) + 1);
    oracle::check(&copy);
}

/// Rows of a table, in order.
fn rows(file: &Path, sql: &str) -> Vec<Vec<Value>> {
    let connection = Connection::open(file).unwrap();
    let mut statement = connection.prepare(sql).unwrap();
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| (0..columns).map(|column| row.get(column)).collect());
    rows.unwrap().map(Result::unwrap).collect()
}

#[test]
fn copies_made_under_load_hold_exactly_what_the_directory_held_up_to_their_watermarks() {
    let (live, place) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let clock = Clock::manual(std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600));
    let mut config = Config::default();
    config.data = live.path().to_owned();
    config.recording.checkpoint_age_ms = 20;
    let builder = Analytics::builder(live.path()).config(config).clock(clock.clone()).session_timeout(Duration::from_secs(60));
    let analytics = builder.batch_age(Duration::from_millis(5)).build().unwrap();
    let over = AtomicBool::new(false);
    let copies: Vec<_> = (0..8).map(|n| place.path().join(n.to_string())).collect();
    let (mut sent, mut most) = (0, BTreeMap::new());
    thread::scope(|scope| {
        let copying = scope.spawn(|| {
            let mut taken = Vec::new();
            for copy in &copies {
                until("there is more", || analytics.counters().written >= 2000 * (taken.len() as u64 + 1));
                let backup = Reports::open(live.path()).unwrap().backup(copy, |_, _| {});
                taken.push((backup, analytics.counters().written));
            }
            over.store(true, Relaxed);
            taken
        });
        while !over.load(Relaxed) && !copying.is_finished() {
            for _ in 0..40 {
                let mut hit = hit(sent);
                // Half of them come back before their session ends, half of them after it.
                hit.set_user(&format!("user {}", if sent.is_multiple_of(2) { sent % 80 } else { sent % 397 }));
                analytics.record(&hit);
                sent += 1;
            }
            clock.advance(Duration::from_secs(10));
            if sent.is_multiple_of(400) {
                analytics.flush().unwrap();
            }
            thread::sleep(Duration::from_millis(3));
        }
        for (copy, (backup, written)) in copies.iter().zip(copying.join().unwrap()) {
            backup.unwrap();
            most.insert(copy.clone(), written);
        }
    });
    analytics.shutdown(Duration::from_secs(30)).unwrap();
    let mut last = 0;
    for copy in &copies {
        let mut held = 0;
        for (month, part) in parts(copy) {
            let watermark = rows(&copy.join("analytics.db"), &format!("select watermark from parts where month = {month}"));
            let Value::Integer(watermark) = watermark[0][0] else { panic!("a watermark is a number") };
            let sql = format!("select * from session_actions_{month} where id <= {watermark} order by id");
            let there = rows(&live.path().join(part.file_name().unwrap()), &sql);
            let raw = rows(&part, &format!("select * from session_actions_{month} order by id"));
            assert_eq!(raw, there, "exactly the rows up to the watermark");
            held += raw.len() as u64;
            // Each session stands in one place.
            let sql =
                format!("select number from sessions_{month} where number in (select number from active_sessions where month = {month})");
            let both = Connection::open(copy.join("analytics.db")).unwrap();
            both.execute("attach ? as part", [part.to_str().unwrap()]).unwrap();
            assert!(!both.prepare(&sql).unwrap().exists([]).unwrap());
        }
        let reports = Reports::open(copy).unwrap();
        assert!(reports.check().unwrap().is_sound());
        assert_eq!(reports.stats(&Ask::all_time()).unwrap().total_hits, held);
        assert!(held > last && held <= most[copy], "{last} {held} {most:?}");
        last = held;
        drop(reports);
        // What the writer makes of it at a start changes nothing, and sessions that went on end as they should.
        let sessions = Reports::open(copy).unwrap().stats(&Ask::all_time()).unwrap().total_sessions;
        let restored = Analytics::open(copy).unwrap();
        restored.flush().unwrap();
        let stats = restored.reports().stats(&Ask::all_time()).unwrap().into_inner();
        assert_eq!((stats.total_hits, stats.total_sessions), (held, sessions));
        restored.shutdown(Duration::from_secs(30)).unwrap();
        assert_eq!(oracle::check(copy) as u64, held);
    }
}

#[test]
fn a_place_that_is_not_free_is_refused_and_left_as_it_is() {
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("data");
    let analytics = Analytics::open(&data).unwrap();
    analytics.record(&hit(1));
    analytics.flush().unwrap();
    let refused = |to: &Path| {
        let error = analytics.reports().backup(to, |_, _| {}).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        error.to_string()
    };
    fs::create_dir(place.path().join("full")).unwrap();
    fs::write(place.path().join("full/mine"), "").unwrap();
    assert!(refused(&place.path().join("full")).contains("not empty"));
    fs::write(place.path().join("file"), "mine").unwrap();
    assert!(refused(&place.path().join("file")).contains("is there already"));
    assert!(refused(&data.join("backup")).contains("in the data directory"));
    assert!(refused(&data).contains("in the data directory"));
    // Not ours, whatever it is called.
    fs::create_dir(place.path().join("x.partial")).unwrap();
    fs::write(place.path().join("x.partial/mine"), "mine").unwrap();
    assert!(refused(&place.path().join("x")).contains("in the way"));
    assert_eq!(fs::read_to_string(place.path().join("x.partial/mine")).unwrap(), "mine");
    assert!(!place.path().join("x").exists());
    // An empty one is as good as none.
    fs::create_dir(place.path().join("empty")).unwrap();
    analytics.reports().backup(place.path().join("empty"), |_, _| {}).unwrap();
    assert!(Reports::open(place.path().join("empty")).unwrap().check().unwrap().is_sound());
}

#[test]
fn a_kill_in_the_middle_leaves_a_whole_copy_or_a_partial_one_that_the_next_run_replaces() {
    let test = "a_kill_in_the_middle_leaves_a_whole_copy_or_a_partial_one_that_the_next_run_replaces";
    if let Some(place) = as_child() {
        let reports = Reports::open(place.join("data")).unwrap();
        println!("ready");
        reports.backup(place.join("copy"), |_, _| {}).unwrap();
        println!("copied");
        return thread::sleep(Duration::from_secs(60));
    }
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("data");
    let mut recording = Recording::new(&data);
    recording.send(4000);
    recording.analytics.flush().unwrap();
    let (copy, partial) = (place.path().join("copy"), place.path().join("copy.partial"));
    let (mut broken, mut whole) = (0, 0);
    for round in 0..16 {
        let mut command = child(&["env"], &std::env::current_exe().unwrap(), test, place.path());
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let out = std::io::BufReader::new(process.stdout.take().unwrap());
        let mut lines = std::io::BufRead::lines(out).map(Result::unwrap);
        assert!(lines.any(|line| line.contains("ready")));
        recording.send(20);
        thread::sleep(Duration::from_millis(round * 3));
        process.kill().unwrap();
        process.wait().unwrap();
        assert!(!(copy.exists() && partial.exists()));
        if copy.exists() {
            whole += 1;
        } else {
            let was_there = partial.exists();
            broken += u64::from(was_there);
            let backup = Reports::open(&data).unwrap().backup(&copy, |_, _| {}).unwrap();
            assert_eq!(backup.replaced, was_there);
        }
        assert!(!partial.exists());
        assert!(Reports::open(&copy).unwrap().check().unwrap().is_sound());
        oracle::check(&copy);
        fs::remove_dir_all(&copy).unwrap();
    }
    assert!(broken > 0, "no kill came in time: {broken} broken, {whole} whole");
    assert!(recording.analytics.reports().check().unwrap().is_sound());
}

#[test]
#[cfg(target_os = "linux")]
#[ignore = "needs root to mount"]
fn a_disk_without_room_is_said_before_and_one_that_fills_up_leaves_nothing_behind() {
    let test = "a_disk_without_room_is_said_before_and_one_that_fills_up_leaves_nothing_behind";
    let Some(small) = as_child() else {
        let directory = tempfile::tempdir().unwrap();
        let mounted = ["unshare", "-m", "sh", "-c", "mount -t tmpfs -o size=16m none \"$TEST_CHILD\" && exec \"$0\" \"$@\""];
        let output = child(&mounted, &std::env::current_exe().unwrap(), test, directory.path()).output().unwrap();
        assert!(output.status.success(), "{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        return;
    };
    let data = tempfile::tempdir().unwrap();
    let mut recording = Recording::new(data.path());
    recording.send(3000);
    recording.analytics.flush().unwrap();
    let reports = recording.analytics.reports();
    fs::create_dir_all(data.path().join("plugins/big")).unwrap();
    fs::write(data.path().join("plugins/big/file"), vec![7; 15 << 20]).unwrap();
    let error = reports.backup(small.join("copy"), |_, _| {}).unwrap_err();
    assert!(error.to_string().contains("the backup needs ") && error.to_string().contains("make room"), "{error}");
    assert_eq!(fs::read_dir(&small).unwrap().count(), 0);

    // Another takes the room while it is copied.
    fs::write(data.path().join("plugins/big/file"), vec![7; 6 << 20]).unwrap();
    let mut taken = false;
    let error = reports
        .backup(small.join("copy"), |_, _| {
            if !std::mem::replace(&mut taken, true) {
                drop(fs::write(small.join("other"), vec![1; 15 << 20]));
            }
        })
        .unwrap_err();
    assert!(error.to_string().contains("the disk is full, make room or name another place"), "{error}");
    fs::remove_file(small.join("other")).unwrap();
    assert_eq!(fs::read_dir(&small).unwrap().count(), 0);
    assert!(recording.analytics.reports().check().unwrap().is_sound());
    reports.backup(small.join("copy"), |_, _| {}).unwrap();
}

#[test]
fn months_that_go_while_they_are_copied_make_it_begin_again() {
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("data");
    let (analytics, _clock) = two_months(&data);
    let reports = analytics.reports();
    let (mut last, mut tries) = (u64::MAX, 0);
    let error = reports
        .backup(place.path().join("copy"), |done, _| {
            if std::mem::replace(&mut last, done) > done {
                tries += 1;
                // What putting a month away and fetching it back looks like from outside.
                let main = Connection::open(data.join("analytics.db")).unwrap();
                let state = if tries % 2 == 1 { "archived" } else { "sealed" };
                main.execute("update parts set state = ? where month = 202601", [state]).unwrap();
            }
        })
        .unwrap_err();
    assert!(error.to_string().contains("make the backup again"), "{error}");
    assert_eq!(tries, 3);
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
    Connection::open(data.join("analytics.db")).unwrap().execute("update parts set state = 'sealed' where month = 202601", []).unwrap();
    let mut once = false;
    reports
        .backup(place.path().join("copy"), |_, _| {
            if !std::mem::replace(&mut once, true) {
                let main = Connection::open(data.join("analytics.db")).unwrap();
                main.execute("update parts set state = 'archived' where month = 202601", []).unwrap();
            }
        })
        .unwrap();
    assert!(!place.path().join("copy/analytics-202601.db").exists(), "the copy is of the moment after it");
}

const ARCHIVE: &str = "analytics-202601.db.zst";

/// January put away in a directory elsewhere; February goes on. And what could be asked before.
fn put_away(place: &Path) -> (Analytics, Clock, Vec<String>) {
    let (analytics, clock) = two_months(&place.join("data"));
    let before = answers(&analytics.reports());
    let cold = place.join("cold");
    let done = analytics.maintenance().archive("1d", Some(&cold), |_, _| {}).unwrap();
    assert_eq!((done.parts.len(), done.parts[0].month.as_str()), (1, "202601"));
    assert!(cold.join(ARCHIVE).exists());
    (analytics, clock, before)
}

#[test]
fn what_was_put_away_elsewhere_is_in_the_copy_and_comes_back_from_it_alone() {
    let place = tempfile::tempdir().unwrap();
    let (analytics, clock, before) = put_away(place.path());
    // Somebody's, by the same name where the archive is to go.
    fs::create_dir(place.path().join("data/archive")).unwrap();
    fs::write(place.path().join("data/archive").join(ARCHIVE), "of another year").unwrap();
    let (copy, mut told) = (place.path().join("copy"), (0, 0));
    let backup = analytics.reports().backup(&copy, |done, total| told = (done, total)).unwrap();
    assert_eq!((backup.without_raw.len(), backup.faults.len(), told.0), (0, 0, told.1), "{backup:?}");
    let names: Vec<_> = backup.files.iter().map(|file| file.path.as_str()).collect();
    let elsewhere = format!("archive/elsewhere/{ARCHIVE}");
    assert_eq!(names, ["analytics.db", "analytics-202602.db", &format!("archive/{ARCHIVE}"), &elsewhere]);
    assert!(place.path().join("cold").join(ARCHIVE).exists());
    analytics.shutdown(Duration::from_secs(30)).unwrap();
    for gone in ["cold", "data"] {
        fs::remove_dir_all(place.path().join(gone)).unwrap();
    }

    let verified = Reports::open(&copy).unwrap().verify(|_, _| {}).unwrap();
    assert!(verified.is_sound() && verified.files == 3, "{verified:?}");
    let restored = Analytics::builder(&copy).clock(clock).build().unwrap();
    restored.maintenance().restore(&["202601"], true, |_, _| {}).unwrap();
    assert!(answers(&restored.reports()) == before);
    assert!(!copy.join(elsewhere).exists() && copy.join("archive").join(ARCHIVE).exists());
    restored.shutdown(Duration::from_secs(30)).unwrap();
    assert_eq!(oracle::check(&copy), 600);
}

#[test]
fn an_archive_that_is_not_there_or_damaged_is_named_and_the_rest_is_copied() {
    let place = tempfile::tempdir().unwrap();
    let (analytics, ..) = put_away(place.path());
    let (reports, file) = (analytics.reports(), place.path().join("cold").join(ARCHIVE));
    let good = fs::read(&file).unwrap();
    let copied = |name: &str| {
        let copy = place.path().join(name);
        let backup = reports.backup(&copy, |_, _| {}).unwrap();
        assert_eq!((&*backup.without_raw, backup.faults.len()), (&["202601".to_owned()][..], 1));
        assert_eq!(Reports::open(&copy).unwrap().stats(&Ask::all_time()).unwrap().total_hits, 600);
        let verified = Reports::open(&copy).unwrap().verify(|_, _| {}).unwrap();
        (backup.faults[0].clone(), verified)
    };
    for (n, damage) in [good.len() / 2, 0].into_iter().enumerate() {
        fs::write(&file, [&good[..damage], &vec![7; good.len() - damage]].concat()).unwrap();
        let (fault, verified) = copied(&format!("damaged {n}"));
        assert!(
            fault.starts_with(&format!("202601: {}", file.display())) && fault.contains("is damaged, or holds something else"),
            "{fault}"
        );
        assert_eq!(verified.faults.len(), 1, "{verified:?}");
        assert!(verified.faults[0].file == format!("archive/{ARCHIVE}") && verified.faults[0].what.contains("is damaged"), "{verified:?}");
    }
    fs::remove_file(&file).unwrap();
    let (fault, verified) = copied("missing");
    assert!(fault.contains("is not there: mount the disk that it is on"), "{fault}");
    // The copy says so itself, and the directory that it was made of does not.
    assert!(verified.is_sound() && verified.notes[0].contains("made without it"), "{verified:?}");
    let faults = reports.verify(|_, _| {}).unwrap().faults;
    assert!(faults.len() == 1 && faults[0].what.contains("is not there"), "{faults:?}");
}

#[test]
fn a_copy_without_archives_has_none_and_knows_where_they_are() {
    let place = tempfile::tempdir().unwrap();
    let (analytics, clock, _) = put_away(place.path());
    fs::create_dir(place.path().join("data/archive")).unwrap();
    fs::write(place.path().join("data/archive/analytics-202511.db.zst"), "put away").unwrap();
    let copy = place.path().join("copy");
    let backup = analytics.reports().backup_without_archives(&copy, |_, _| {}).unwrap();
    let names: Vec<_> = backup.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!((names, backup.faults.len()), (vec!["analytics.db", "analytics-202602.db"], 0));
    assert_eq!(backup.without_raw, ["202601"]);
    assert!(Reports::open(&copy).unwrap().verify(|_, _| {}).unwrap().is_sound());
    let restored = Analytics::builder(&copy).clock(clock).build().unwrap();
    restored.maintenance().restore(&["202601"], false, |_, _| {}).unwrap();
    restored.shutdown(Duration::from_secs(30)).unwrap();
    assert_eq!(oracle::check(&copy), 600);
}

//! `kill -9` of `import`, `reprocess`, `retention` and `user merge`, and of a service that does such work for them: what is seen afterwards
//! is what was there before or all of what was asked for, and the same command brings it to its end.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant, SystemTime},
};

use rusqlite::{Connection, types::Value};
use tower_analytics::{Analytics, Ask, Clock, Hit, Reports};

use crate::{
    common::{axum_app, tables, until},
    legacy,
    running::{file, files, program, run},
};

/// A command, what it finds, and what it makes of that.
struct Work {
    place: tempfile::TempDir,
    args: Vec<String>,
    before: State,
    after: State,
    derived: tables::Tables,
    long: Duration,
}

/// What can be asked of a directory.
#[derive(Debug, PartialEq)]
struct State {
    answers: String,
    parts: Vec<(String, String, u64)>,
}

impl State {
    /// As any reader sees it, with nothing repaired.
    fn of(data: &Path) -> Self {
        let reports = Reports::open(data).unwrap();
        assert!(reports.check().unwrap().is_sound(), "{:?}", reports.check());
        let verified = reports.verify(|_, _| {}).unwrap();
        assert!(verified.is_sound(), "{:?}", verified.faults);
        let ask = Ask::all_time();
        let answers = format!(
            "{:#?}{:#?}{:#?}",
            reports.stats(&ask).unwrap().into_inner(),
            reports.endpoints(&ask).unwrap().into_inner(),
            reports.devices(&ask).unwrap().into_inner()
        );
        let health = reports.health().unwrap();
        Self { answers, parts: health.parts.iter().map(|part| (part.month.clone(), part.state.to_owned(), part.hits)).collect() }
    }
}

/// January 2024 and now.
fn record(data: &Path, hits: u64) {
    let clock = Clock::manual(SystemTime::UNIX_EPOCH + Duration::from_secs(1_704_844_800));
    let analytics = Analytics::builder(data).clock(clock.clone()).build().unwrap();
    for n in 0..hits {
        let mut hit = Hit::new("GET", ["/items", "/orders"][n as usize % 2]);
        hit.set_user(&format!("user {}", n * n % 97));
        analytics.recorder().send(&hit, Duration::from_secs(10)).unwrap();
        if n % 100 == 0 {
            clock.advance(Duration::from_secs(60));
        }
    }
    analytics.flush().unwrap();
    clock.set(SystemTime::now() - Duration::from_secs(7200));
    analytics.record(&Hit::new("GET", "/items"));
    analytics.flush().unwrap();
    clock.set(SystemTime::now());
    analytics.flush().unwrap();
    analytics.shutdown(Duration::from_secs(30)).unwrap();
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    files(from).iter().for_each(|file| assert!(fs::copy(file, to.join(file.file_name().unwrap())).is_ok()));
}

impl Work {
    fn new(place: tempfile::TempDir, hits: u64, args: &[&str]) -> Self {
        let data = place.path().join("data");
        record(&data, hits);
        copy(&data, &place.path().join("done"));
        let args: Vec<String> = args.iter().map(|&arg| arg.to_owned()).collect();
        let mut work =
            Self { before: State::of(&data), after: State::of(&data), derived: tables::derived(&data), long: Duration::ZERO, place, args };
        let done = work.place.path().join("done");
        let start = Instant::now();
        assert!(work.command("done").status().unwrap().success());
        (work.long, work.after, work.derived) = (start.elapsed(), State::of(&done), tables::derived(&done));
        work
    }

    fn command(&self, data: &str) -> Command {
        let mut command = program(self.place.path());
        command.args(&self.args).args(["--data", data]).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// A directory as it was before.
    fn again(&self, name: &str) -> PathBuf {
        let data = self.place.path().join(name);
        copy(&self.place.path().join("data"), &data);
        data
    }

    /// Nothing waits, nothing half lies about, and all is what one run of the command makes of it.
    #[track_caller]
    fn is_done(&self, data: &Path) {
        let left: Vec<_> = files(data).into_iter().filter(|file| file.to_string_lossy().contains(".new")).collect();
        assert!(left.is_empty(), "{left:?}");
        let main = Connection::open(data.join("analytics.db")).unwrap();
        let open = "select count(*) from jobs where state in ('waiting', 'running', 'failed')";
        assert_eq!(main.query_row(open, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
        assert_eq!(State::of(data), self.after);
        tables::assert_same(&self.without_visitors(self.derived.clone()), &self.without_visitors(tables::derived(data)));
    }

    /// Visitors of an import that was killed have numbers already, under a salt that went with it: the next one gives others.
    fn without_visitors(&self, mut tables: tables::Tables) -> tables::Tables {
        let cells = tables.values_mut().flatten().flatten().filter(|cell| self.args[0] == "import" && matches!(cell, Value::Blob(_)));
        cells.for_each(|cell| *cell = Value::Null);
        tables
    }

    /// The command alone, killed over the whole of its time, in no order. The next one may be refused with a word.
    fn is_all_or_nothing(&self, rounds: u32, refused: Option<&str>) {
        let (mut old, mut new) = (0, 0);
        for round in 0..rounds {
            let name = format!("killed {round}");
            let data = self.again(&name);
            let mut child = self.command(&name).spawn().unwrap();
            thread::sleep(self.long * (round * 37 % rounds) / rounds * 6 / 5);
            drop(child.kill());
            child.wait().unwrap();
            let seen = State::of(&data);
            let is_done = seen == self.after;
            old += u32::from(seen == self.before);
            new += u32::from(is_done);
            assert!(is_done || seen == self.before, "round {round}: {seen:?}");
            let output = self.command(&name).stderr(Stdio::piped()).output().unwrap();
            let error = String::from_utf8_lossy(&output.stderr);
            let is_refused = refused.is_some_and(|word| error.contains(word));
            assert!(output.status.success() || is_refused, "round {round}: {error}");
            if is_refused {
                let main = Connection::open(data.join("analytics.db")).unwrap();
                main.execute("delete from jobs where state = 'failed'", []).unwrap();
            }
            self.is_done(&data);
            fs::remove_dir_all(data).unwrap();
        }
        println!("{:?}: {old} as before, {new} done, of {rounds} kills over {:?}", self.args, self.long);
        assert!(old > 0, "no kill came in time");
    }

    /// A service does it, is killed in the middle, and comes back: it is begun again, and whoever asked hears of its end.
    fn outlives_its_service(&self, rounds: u32) {
        for round in 0..rounds {
            let name = format!("served {round}");
            let data = self.again(&name);
            let (mut service, mut first) = (serve(&data), self.command(&name));
            let mut command = first.stderr(Stdio::piped()).spawn().unwrap();
            thread::sleep(self.long * (round * 37 % rounds) / rounds);
            service.kill().unwrap();
            service.wait().unwrap();
            let mut service = serve(&data);
            until("the command ends", || command.try_wait().unwrap().is_some());
            let output = command.wait_with_output().unwrap();
            assert!(output.status.success(), "round {round}: {}", String::from_utf8_lossy(&output.stderr));
            service.kill().unwrap();
            service.wait().unwrap();
            // What the kill left behind goes with the next start.
            assert!(run(self.place.path(), &["vacuum", "--data", &name]).code == 0);
            self.is_done(&data);
            fs::remove_dir_all(data).unwrap();
        }
    }
}

/// A service that records there.
fn serve(data: &Path) -> Child {
    let mut service =
        Command::new(axum_app()).args(["--port", "0", "--data"]).arg(data).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(service.stdout.take().unwrap()), &mut line).unwrap();
    assert!(line.starts_with("http://"), "{line}");
    service
}

fn panel(records: usize) -> Work {
    let place = tempfile::tempdir().unwrap();
    legacy::set(records, 7).write(&place.path().join("panel"));
    Work::new(place, 50, &["import", "legacy", "panel"])
}

fn access_log(lines: u64) -> Work {
    let place = tempfile::tempdir().unwrap();
    let line = |n: u64| {
        let (day, hour, minute, second) = (1 + n * 28 / lines, n / 60 % 24, n % 60, n % 59);
        let user = if n.is_multiple_of(3) { "-".to_owned() } else { format!("user{}", n % 41) };
        format!(
            "192.0.2.{} - {user} [{day:02}/Mar/2025:{hour:02}:{minute:02}:{second:02} +0000] \"GET /items/{} HTTP/1.1\" 200 {n} \"-\" \"curl/8\"\n",
            n % 200,
            n % 1000
        )
    };
    file(place.path(), "access.log", &(0..lines).map(line).collect::<String>());
    Work::new(place, 50, &["import", "access-log", "access.log", "--routes", "/items/{id}"])
}

fn reprocess(hits: u64) -> Work {
    Work::new(tempfile::tempdir().unwrap(), hits, &["reprocess"])
}

fn retention(hits: u64, rule: &str) -> Work {
    let place = tempfile::tempdir().unwrap();
    file(place.path(), "settings.toml", &format!("[retention]\n{rule} = \"1 year\"\n"));
    Work::new(place, hits, &["retention", "--yes", "--config", "settings.toml"])
}

fn merge(hits: u64) -> Work {
    Work::new(tempfile::tempdir().unwrap(), hits, &["user", "merge", "user 1", "user 4"])
}

#[test]
fn an_import_of_legacy_files_that_is_killed_is_all_there_or_not_at_all() {
    panel(800).is_all_or_nothing(10, None);
}

#[test]
fn an_import_of_an_access_log_that_is_killed_is_all_there_or_not_at_all() {
    access_log(6000).is_all_or_nothing(10, None);
}

#[test]
fn a_reprocess_that_is_killed_leaves_counts_that_are_right() {
    reprocess(6000).is_all_or_nothing(10, None);
}

#[test]
fn a_retention_that_is_killed_has_dropped_the_month_or_not() {
    retention(3000, "drop_raw_after").is_all_or_nothing(8, None);
    retention(3000, "drop_all_after").is_all_or_nothing(8, None);
}

#[test]
fn a_merge_of_users_that_is_killed_has_merged_them_or_not() {
    merge(2000).is_all_or_nothing(10, Some("count as one already"));
}

#[test]
fn work_of_a_service_that_is_killed_is_begun_again_by_the_next_one() {
    panel(800).outlives_its_service(3);
    reprocess(6000).outlives_its_service(2);
}

#[test]
#[cfg(not(debug_assertions))]
#[ignore = "takes minutes"]
fn hundreds_of_kills_leave_the_old_state_or_the_new_one() {
    panel(4000).is_all_or_nothing(60, None);
    access_log(40_000).is_all_or_nothing(60, None);
    reprocess(40_000).is_all_or_nothing(60, None);
    retention(20_000, "drop_all_after").is_all_or_nothing(60, None);
    merge(20_000).is_all_or_nothing(60, Some("count as one already"));
    panel(4000).outlives_its_service(20);
    access_log(40_000).outlives_its_service(20);
}

//! Who is forgotten stands in no file of the directory any more, and what was counted stays true.

mod common;

use std::{
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
    time::Duration,
};

use common::{as_child, child, holding, oracle, tables, until};
use rusqlite::Connection;
use tower_analytics::{Analytics, Ask, Error, Hit, Page, Reports, State, report::UserOrder};

/// Nothing else in the world looks like it.
const ID: &str = "4f1c0a7e55d94b6f8f5c2a91b3d7e608";
const OTHER: &str = "c0ffee5ad1e84a9f9b1d3c5e7f901234";
const NAME: &str = "Philippa Unforgettable-Testperson";

fn hit(user: &str, route: &str) -> Hit {
    let mut hit = Hit::new("GET", route);
    hit.set_user(user);
    hit
}

/// Hits of the person in every text that a hit has, and of others beside.
fn record(analytics: &Analytics) {
    for n in 0..400 {
        let mut hit = hit(&format!("user {}", n % 50), &format!("/items/{}", n % 5));
        hit.set_client("Web", "1.0", &format!("Pixel {}", n % 3), "");
        analytics.record(&hit);
    }
    for (user, route) in [(ID, "/plain"), (OTHER, "/plain"), ("user 1", &*format!("/pkg.Users/{ID}")), (ID, "/items/1")] {
        let mut hit = hit(user, route);
        hit.set_user_name(if user == "user 1" { "" } else { NAME });
        hit.set_session_key(&format!("tab of {user}"));
        hit.set_client("iOS", "2.0", &format!("{NAME}'s phone {user}"), "");
        hit.set_status(500);
        hit.set_error("refused", &format!("user {ID} ({NAME}, once {OTHER}) may not"));
        analytics.record(&hit);
    }
    analytics.flush().unwrap();
}

fn prepare(analytics: &Analytics) {
    record(analytics);
    let maintenance = analytics.maintenance();
    maintenance.merge_users(OTHER, ID).unwrap();
    // The message of a job that failed names whom it was about.
    let error = maintenance.merge_users(ID, "nobody at all").unwrap_err();
    assert!(error.to_string().contains("nobody at all"), "{error}");
    maintenance.merge_users(&format!("{ID} and more"), OTHER).unwrap_err();
}

const ALL: [&str; 3] = [ID, OTHER, "Unforgettable"];

/// Everything that is counted, without what people and things are called.
fn counts(reports: &Reports) -> String {
    let ask = Ask::all_time();
    let stats = reports.stats(&ask).unwrap().into_inner();
    let users = reports.users(&ask, UserOrder::FirstSeen, &Page::default()).unwrap().into_inner();
    let users: Vec<_> = users.users.iter().map(|user| (user.first_seen, user.hits, user.sessions, user.errors)).collect();
    let endpoints: Vec<_> = reports.endpoints(&ask).unwrap().into_inner().iter().map(|row| (row.hits, row.errors)).collect();
    let growth = reports.user_growth(&ask, None).unwrap().into_inner();
    format!("{stats:?} {users:?} {endpoints:?} {growth:?} {:?}", reports.devices(&ask).unwrap().into_inner().devices.len())
}

#[test]
fn nothing_of_a_forgotten_person_is_in_any_file_and_what_was_counted_stays() {
    let directory = tempfile::tempdir().unwrap();
    let analytics = Analytics::open(directory.path()).unwrap();
    prepare(&analytics);
    assert!(!holding(directory.path(), &[ID]).is_empty() && !holding(directory.path(), &[OTHER]).is_empty());
    let before = counts(&analytics.reports());
    let forgotten = analytics.maintenance().forget_user(OTHER, |_, _| {}).unwrap();
    assert_eq!((forgotten.ids, forgotten.keys), (2, 2), "{forgotten:?}");
    assert!(forgotten.texts > 6, "{forgotten:?}");
    assert_eq!(holding(directory.path(), &ALL), Vec::<PathBuf>::new());

    assert_eq!(counts(&analytics.reports()), before);
    assert!(analytics.reports().check().unwrap().is_sound());
    for id in [ID, OTHER] {
        assert!(analytics.reports().user(&Ask::all_time(), id).unwrap().is_none());
    }
    let users = analytics.reports().users(&Ask::all_time(), UserOrder::FirstSeen, &Page::default()).unwrap().into_inner();
    let nameless: Vec<_> = users.users.iter().filter(|user| user.user_id.starts_with("(forgotten ")).collect();
    assert_eq!(nameless.len(), 1, "both ids were one person");
    assert_eq!((nameless[0].user_name.as_str(), nameless[0].hits), ("", 3));
    let again = analytics.maintenance().forget_user(ID, |_, _| {}).unwrap();
    assert_eq!((again.ids, again.texts, again.keys), (0, 0, 0));
    let erased = tables::derived(directory.path());
    analytics.maintenance().reprocess(|_, _| {}).unwrap();
    tables::assert_same(&erased, &tables::derived(directory.path()));
    assert!(analytics.reports().verify(|_, _| {}).unwrap().is_sound());
    analytics.shutdown(Duration::from_secs(30)).unwrap();
    oracle::check(directory.path());
    assert_eq!(holding(directory.path(), &ALL), Vec::<PathBuf>::new());
}

#[test]
fn whoever_comes_back_after_being_forgotten_is_somebody_new_in_a_session_of_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let analytics = Analytics::open(directory.path()).unwrap();
    prepare(&analytics);
    // A session without a key goes on with whatever comes of the same id.
    analytics.record(&hit(ID, "/plain"));
    analytics.flush().unwrap();
    let users = analytics.reports().stats(&Ask::all_time()).unwrap().total_users;
    analytics.maintenance().forget_user(ID, |_, _| {}).unwrap();
    // Without a name, so that the open session alone would know whose it is.
    analytics.record(&hit(ID, "/plain"));
    analytics.record(&hit("user 2", "/plain"));
    analytics.flush().unwrap();
    let reports = analytics.reports();
    let back = reports.user(&Ask::all_time(), ID).unwrap().into_inner().unwrap();
    assert_eq!((back.user.hits, back.user.sessions, back.user.user_name.as_str(), back.aliases.len()), (1, 1, "", 0));
    assert_eq!(reports.stats(&Ask::all_time()).unwrap().total_users, users + 1);
    assert_eq!(reports.user(&Ask::all_time(), "user 2").unwrap().into_inner().unwrap().user.sessions, 1, "nobody else's session ends");
    analytics.shutdown(Duration::from_secs(30)).unwrap();
    oracle::check(directory.path());
    let main = Connection::open(directory.path().join("analytics.db")).unwrap();
    let names: Vec<String> =
        main.prepare("select name from users where id like '(forg%'").unwrap().query_map([], |row| row.get(0)).unwrap().flatten().collect();
    assert_eq!(names, ["", ""], "no hit brings a name back to the number");
}

#[test]
fn forgetting_goes_on_beside_traffic_and_readers_and_loses_no_hit() {
    let directory = tempfile::tempdir().unwrap();
    let analytics = Analytics::builder(directory.path()).batch_age(Duration::from_millis(10)).build().unwrap();
    prepare(&analytics);
    let (over, reports) = (AtomicBool::new(false), analytics.reports());
    let mut sent = 0;
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !over.load(Relaxed) {
                    reports.users(&Ask::all_time(), UserOrder::Actions, &Page::default()).unwrap();
                }
            });
        }
        let forgetting = scope.spawn(|| {
            let result = analytics.maintenance().forget_user(ID, |_, _| {});
            let held = holding(directory.path(), &ALL);
            over.store(true, Relaxed);
            (result, held)
        });
        while !over.load(Relaxed) {
            analytics.record(&hit(&format!("user {}", sent % 300), "/items/1"));
            sent += 1;
            thread::sleep(Duration::from_micros(200));
        }
        let (result, held) = forgetting.join().unwrap();
        assert_eq!(result.unwrap().ids, 2);
        assert_eq!(held, Vec::<PathBuf>::new());
    });
    analytics.flush().unwrap();
    let counters = analytics.counters();
    assert_eq!((counters.dropped(), counters.faults, analytics.state()), (0, 0, State::Recording), "{counters:?}");
    // 400 of others and 4 about the person.
    assert_eq!(analytics.reports().stats(&Ask::all_time()).unwrap().total_hits, 404 + sent);
    analytics.shutdown(Duration::from_secs(30)).unwrap();
    oracle::check(directory.path());
}

#[test]
fn who_reads_for_long_only_delays_it() {
    let directory = tempfile::tempdir().unwrap();
    let analytics = Analytics::open(directory.path()).unwrap();
    prepare(&analytics);
    let reader = Connection::open(directory.path().join("analytics.db")).unwrap();
    reader.execute_batch("begin").unwrap();
    let users =
        |reader: &Connection| reader.query_row("select count(*) from users where id = ?", [ID], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(users(&reader), 1);
    thread::scope(|scope| {
        let forgetting = scope.spawn(|| analytics.maintenance().forget_user(ID, |_, _| {}));
        until("it is erased for whoever asks now", || analytics.reports().user(&Ask::all_time(), ID).unwrap().is_none());
        assert_eq!(users(&reader), 1);
        analytics.record(&hit("user 1", "/items/1"));
        analytics.flush().unwrap();
        assert!(!forgetting.is_finished());
        reader.execute_batch("commit").unwrap();
        assert_eq!(forgetting.join().unwrap().unwrap().ids, 2);
    });
    assert_eq!(holding(directory.path(), &ALL), Vec::<PathBuf>::new());
}

#[test]
fn a_short_id_or_a_word_leaves_alone_what_others_use() {
    let directory = tempfile::tempdir().unwrap();
    let analytics = Analytics::open(directory.path()).unwrap();
    for (user, route, device) in [("orders", "/orders/1", "1"), ("1", "/orders/1", "1"), ("1", "/only/1", "Nokia 1")] {
        let mut hit = hit(user, route);
        hit.set_client("Web", "1", device, "");
        hit.set_error("orders", "order 1 is gone");
        analytics.record(&hit);
    }
    analytics.flush().unwrap();
    for user in ["orders", "1"] {
        analytics.maintenance().forget_user(user, |_, _| {}).unwrap();
    }
    let mut routes: Vec<_> =
        analytics.reports().endpoints(&Ask::all_time()).unwrap().into_inner().into_iter().map(|row| row.endpoint).collect();
    routes.sort();
    assert_eq!(routes, ["GET /only/(forgotten 3)", "GET /orders/1"]);
    let main = Connection::open(directory.path().join("analytics.db")).unwrap();
    let texts = |sql: &str| main.prepare(sql).unwrap().query_map([], |row| row.get(0)).unwrap().flatten().collect::<Vec<String>>();
    assert_eq!(texts("select distinct kind || ': ' || sample from errors where number > 1"), ["orders: order (forgotten 3) is gone"]);
    assert_eq!(texts("select name from devices where name <> '' order by 1"), ["1", "Nokia (forgotten 3)"]);
    assert_eq!(texts("select distinct value from daily_metrics where dimension = 4 order by 1"), ["1", "Nokia (forgotten 3)"]);
}

/// `kill -9` at a moment that is later each time, from the first commit of the job to after its last.
#[test]
fn a_kill_in_the_middle_leaves_the_rest_to_the_next_start() {
    let test = "a_kill_in_the_middle_leaves_the_rest_to_the_next_start";
    if let Some(directory) = as_child() {
        let analytics = Analytics::open(&directory).unwrap();
        prepare(&analytics);
        println!("ready");
        drop(analytics.maintenance().forget_user(ID, |_, _| {}));
        println!("forgotten");
        return thread::sleep(Duration::from_secs(60));
    }
    let mut unfinished = 0;
    for round in 0..12 {
        let directory = tempfile::tempdir().unwrap();
        let mut command = child(&["env"], &std::env::current_exe().unwrap(), test, directory.path());
        let mut process = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
        let out = std::io::BufReader::new(process.stdout.take().unwrap());
        let mut lines = std::io::BufRead::lines(out).map(Result::unwrap);
        assert!(lines.any(|line| line.contains("ready")));
        thread::sleep(Duration::from_millis(round * 4));
        process.kill().unwrap();
        process.wait().unwrap();
        unfinished += u64::from(!lines.any(|line| line.contains("forgotten")));

        let analytics = Analytics::open(directory.path()).unwrap();
        analytics.flush().unwrap();
        let asked = |state: &str| {
            let main = Connection::open(directory.path().join("analytics.db")).unwrap();
            let sql = format!("select count(*) from jobs where kind = 'forget' and state {state}");
            main.query_row(&sql, [], |row| row.get::<_, i64>(0)).unwrap()
        };
        if asked("is not null") == 0 {
            // Killed before it was asked for: all is as it was.
            assert!(analytics.reports().user(&Ask::all_time(), ID).unwrap().is_some());
            continue;
        }
        until("the job is over", || asked("in ('waiting', 'running')") == 0);
        assert_eq!(asked("= 'done'"), 1, "round {round}");
        assert!(analytics.reports().check().unwrap().is_sound());
        assert_eq!(holding(directory.path(), &ALL), Vec::<PathBuf>::new(), "round {round}");
        assert_eq!(analytics.reports().stats(&Ask::all_time()).unwrap().total_hits, 404);
        analytics.shutdown(Duration::from_secs(30)).unwrap();
        oracle::check(directory.path());
    }
    assert!(unfinished > 0, "no kill came in time");
}

/// A reader keeps it from its end for as long as the test likes, and the process is killed each time.
#[test]
fn an_erasure_is_never_given_up_and_a_service_that_dies_of_it_comes_up_and_records() {
    let test = "an_erasure_is_never_given_up_and_a_service_that_dies_of_it_comes_up_and_records";
    if let Some(directory) = as_child() {
        let analytics = Analytics::open(&directory).unwrap();
        if analytics.reports().stats(&Ask::all_time()).unwrap().total_hits == 0 {
            prepare(&analytics);
            println!("ready");
            drop(analytics.maintenance().forget_user(ID, |_, _| {}));
        }
        return thread::sleep(Duration::from_secs(60));
    }
    let directory = tempfile::tempdir().unwrap();
    let open = || Connection::open(directory.path().join("analytics.db")).unwrap();
    let job = || {
        let sql = "select state || ' ' || interrupted || ' ' || message from jobs where kind = 'forget'";
        open().query_row(sql, [], |row| row.get::<_, String>(0)).unwrap_or_default()
    };
    let mut reader = None;
    for life in 0..3 {
        let mut command = child(&["env"], &std::env::current_exe().unwrap(), test, directory.path());
        let mut process = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
        if life == 0 {
            let out = std::io::BufReader::new(process.stdout.take().unwrap());
            assert!(std::io::BufRead::lines(out).map(Result::unwrap).any(|line| line.contains("ready")));
            let held = open();
            held.execute_batch("begin; select count(*) from users").unwrap();
            reader = Some(held);
        }
        until("it is begun", || job().starts_with(&format!("running {life}")));
        process.kill().unwrap();
        process.wait().unwrap();
    }
    let analytics = Analytics::open(directory.path()).unwrap();
    analytics.record(&hit("user 1", "/items/1"));
    // What others ask for is done meanwhile.
    analytics.maintenance().merge_users("user 2", "user 1").unwrap();
    assert!(job().starts_with("waiting 3 it was interrupted 3 times"), "{}", job());
    assert_eq!(analytics.reports().stats(&Ask::all_time()).unwrap().total_hits, 405);
    drop(reader);
    open().execute("update jobs set changed = changed - 60 where kind = 'forget'", []).unwrap();
    until("it is done", || analytics.flush().is_ok() && job() == "done 3 ");
    assert_eq!(holding(directory.path(), &ALL), Vec::<PathBuf>::new());
    analytics.shutdown(Duration::from_secs(30)).unwrap();
    oracle::check(directory.path());
}

#[test]
fn an_id_of_nobody_is_no_error_and_an_empty_one_is() {
    let (analytics, _clock) = Analytics::testing();
    analytics.record(&Hit::new("GET", "/items"));
    let forget = |id: &str| -> Result<u64, Error> { analytics.maintenance().forget_user(id, |_, _| {}).map(|forgotten| forgotten.ids) };
    assert_eq!(forget("nobody").unwrap(), 0);
    assert!(forget("").unwrap_err().to_string().contains("at least one letter"));
}

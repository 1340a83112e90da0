//! `kill -9` of a real server under load, again and again in one directory.

mod common;

use std::{
    collections::{HashMap, HashSet},
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, SystemTime},
};

use common::{axum_app, oracle};
use rusqlite::Connection;
use tower_analytics::{Analytics, Ask, Reports};

#[test]
fn nothing_that_was_answered_before_the_last_write_began_is_lost_and_nothing_is_there_twice() {
    rounds(12);
}

#[test]
#[ignore = "takes minutes"]
fn sixty_kills_lose_nothing_and_double_nothing() {
    rounds(60);
}

/// How long the writer lets hits wait for others.
const BATCH_AGE: Duration = Duration::from_millis(200);

fn rounds(rounds: u64) {
    let directory = tempfile::tempdir().unwrap();
    let mut answered: HashMap<String, SystemTime> = HashMap::new();
    let mut lives = Vec::new();
    let (load, mut checked) = (Arc::new(AtomicU64::new(0)), 0);
    for round in 0..rounds {
        let (mut server, address) = start(directory.path());
        let writes = writes_of(&mut server);
        let over = Arc::new(AtomicBool::new(false));
        let loading = {
            let (over, load) = (Arc::clone(&over), Arc::clone(&load));
            thread::spawn(move || load_until(address, &over, &load))
        };
        // Spread over the batch interval, so that the kill finds the writer at every kind of work.
        let life = Duration::from_millis(400 + round * 137 % 900);
        let (start, first) = (SystemTime::now(), answered.len());
        let mut client = connect(address);
        while start.elapsed().unwrap() < life {
            let user = format!("r{round}-{}", answered.len() - first);
            assert!(ask(&mut client, &user), "the server hung up");
            answered.insert(user, SystemTime::now());
            // A thousand new users a second are many; the load beside them keeps the writer busy.
            thread::sleep(Duration::from_millis(1));
        }
        // Read from this process while that one writes, roll-ups and raw hits agree.
        checked += u64::from(Reports::open(directory.path()).and_then(|reports| reports.check()).unwrap().is_sound());
        server.kill().unwrap();
        let killed = SystemTime::now();
        over.store(true, Relaxed);
        server.wait().unwrap();
        loading.join().unwrap();
        lives.push(Life { killed, writes: writes.join().unwrap() });
    }
    let analytics = Analytics::open(directory.path()).unwrap();
    analytics.flush().unwrap();
    let stats = analytics.reports().stats(&Ask::all_time()).unwrap();
    analytics.shutdown(Duration::from_secs(10)).unwrap();
    let (stored, loaded) = check(directory.path());
    assert_eq!(checked, rounds);
    assert_eq!(oracle::check(directory.path()) as u64, stats.total_hits);
    assert_eq!(stats.total_hits, stored.len() as u64 + loaded);
    assert!(loaded <= load.load(Relaxed), "{loaded} of the load is stored, more than was sent");

    let mut late = Vec::new();
    for (user, at) in &answered {
        let life = &lives[user[1..].split('-').next().unwrap().parse::<usize>().unwrap()];
        let kept = stored.contains(user);
        if let Some(last) = life.writes.last() {
            assert!(kept || *at >= last.began, "{user}, answered before the last write began, is lost");
        }
        if !kept {
            late.push(life.killed.duration_since(*at).unwrap());
        }
    }
    let longest = lives.iter().flat_map(|life| &life.writes).map(|write| write.took).max().unwrap();
    println!(
        "{} of {} marked hits and {loaded} others stored over {rounds} kills; the oldest lost one was answered {:?} before its kill, \
         the longest write took {longest:?}",
        stored.len(),
        answered.len(),
        late.iter().max().unwrap_or(&Duration::ZERO)
    );
    assert!(lives.iter().filter(|life| !life.writes.is_empty()).count() as u64 > rounds / 2, "the writer hardly ever wrote");
    // One kill may meet a disk that stands still; half of them do not.
    late.sort_unstable();
    let usual = late.get(late.len() / 2).copied().unwrap_or_default();
    assert!(usual <= BATCH_AGE + longest, "{usual:?}");
}

struct Life {
    killed: SystemTime,
    writes: Vec<WriteOut>,
}

/// One turn of the writer, as its log tells it.
struct WriteOut {
    began: SystemTime,
    took: Duration,
}

/// Reads the server's log to its end: when it took what was in the queue, and how long it was until that was stored.
fn writes_of(server: &mut Child) -> thread::JoinHandle<Vec<WriteOut>> {
    let log = BufReader::new(server.stderr.take().unwrap());
    thread::spawn(move || {
        let written = |line: String| {
            let number = |name: &str| -> Option<u64> { line.split(name).nth(1)?.split_whitespace().next()?.parse().ok() };
            let (began, took) = (number("began_ms=")?, number("duration_us=")?);
            Some(WriteOut { began: SystemTime::UNIX_EPOCH + Duration::from_millis(began), took: Duration::from_micros(took) })
        };
        log.lines().map_while(Result::ok).filter_map(written).collect()
    })
}

/// Looks at the files as they are; gives the marked users, each of whom sent one request, and how many other hits there are.
fn check(directory: &Path) -> (HashSet<String>, u64) {
    let main = Connection::open(directory.join("analytics.db")).unwrap();
    let months: Vec<i64> =
        main.prepare("select month from parts").unwrap().query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_sound(&main);
    let (mut users, mut others) = (HashSet::new(), 0);
    for month in months {
        let part = directory.join(format!("analytics-{month}.db"));
        assert_sound(&Connection::open(&part).unwrap());
        main.execute("attach ? as part", [part.to_str().unwrap()]).unwrap();
        let sql = format!("select u.id from part.session_actions_{month} a left join users u on u.number = a.user order by a.id");
        for user in main.prepare(&sql).unwrap().query_map([], |row| row.get::<_, String>(0)).unwrap() {
            let user = user.expect("every user number has its row");
            if user.starts_with("load") {
                others += 1;
            } else {
                assert!(users.insert(user.clone()), "{user} is there twice");
            }
        }
        let homeless = format!(
            "select count(*) from (select distinct session from part.session_actions_{month}) a
             where (select count(*) from part.sessions_{month} s where s.number = a.session)
                 + (select count(*) from active_sessions o where o.month = {month} and o.number = a.session) <> 1"
        );
        assert_eq!(main.query_row(&homeless, [], |row| row.get::<_, i64>(0)).unwrap(), 0, "each session stands in one place");
        main.execute("detach part", []).unwrap();
    }
    (users, others)
}

fn assert_sound(connection: &Connection) {
    let verdict: String = connection.query_row("pragma integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
}

fn start(directory: &Path) -> (Child, SocketAddr) {
    let mut server = Command::new(axum_app())
        .args(["--port", "0", "--data"])
        .arg(directory)
        .env("RUST_LOG", "tower_analytics=debug")
        .env("NO_COLOR", "1")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the example is built");
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.strip_prefix("http://").and_then(|line| line.split('/').next()).and_then(|address| address.parse().ok());
    (server, address.unwrap_or_else(|| panic!("it says where it listens, not {line:?}")))
}

fn connect(address: SocketAddr) -> TcpStream {
    let client = TcpStream::connect(address).unwrap();
    client.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    client
}

/// As fast as one connection goes, until the server is gone.
fn load_until(address: SocketAddr, over: &AtomicBool, sent: &AtomicU64) {
    let mut client = connect(address);
    while !over.load(Relaxed) {
        let number = sent.fetch_add(1, Relaxed);
        if !ask(&mut client, &format!("load-{}", number % 500)) {
            return;
        }
    }
}

/// One request on a connection that stays; whether its answer came.
fn ask(client: &mut TcpStream, user: &str) -> bool {
    let request = format!("GET /items/7 HTTP/1.1\r\nhost: localhost\r\nx-user-id: {user}\r\n\r\n");
    let mut answer = Vec::new();
    let mut piece = [0; 1024];
    if client.write_all(request.as_bytes()).is_err() {
        return false;
    }
    while !answer.ends_with(b"item 7\n") {
        match client.read(&mut piece) {
            Ok(read) if read > 0 => answer.extend_from_slice(&piece[..read]),
            _ => return false,
        }
    }
    true
}

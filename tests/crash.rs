//! `kill -9` of a real server, again and again in one directory.

use std::{
    collections::{HashMap, HashSet},
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rusqlite::Connection;
use tower_analytics::{Analytics, Ask};

/// The batch interval, and more than the longest commit a slow disk is expected to take.
const LATEST: Duration = Duration::from_millis(200 + 800);

#[test]
fn nothing_that_was_answered_a_second_before_a_kill_is_lost_and_nothing_is_there_twice() {
    rounds(12);
}

#[test]
#[ignore = "takes minutes"]
fn sixty_kills_lose_nothing_and_double_nothing() {
    rounds(60);
}

fn rounds(rounds: u64) {
    let directory = tempfile::tempdir().unwrap();
    let mut answered: HashMap<String, Instant> = HashMap::new();
    let mut killed_at = Vec::new();
    for round in 0..rounds {
        let (mut server, address) = start(directory.path());
        // Spread over the batch interval, so that the kill finds the writer at every kind of work.
        let life = Duration::from_millis(400 + round * 137 % 900);
        let (start, first) = (Instant::now(), answered.len());
        let mut client = TcpStream::connect(address).unwrap();
        client.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        while start.elapsed() < life {
            let user = format!("r{round}-{}", answered.len() - first);
            ask(&mut client, &user);
            answered.insert(user, Instant::now());
        }
        server.kill().unwrap();
        killed_at.push(Instant::now());
        server.wait().unwrap();
    }
    let analytics = Analytics::open(directory.path()).unwrap();
    analytics.flush().unwrap();
    let stats = analytics.reports().stats(&Ask::all_time()).unwrap();
    analytics.shutdown(Duration::from_secs(10)).unwrap();
    let stored = check(directory.path());
    assert_eq!(stats.total_hits, stored.len() as u64);
    assert_eq!(stats.total_users, stored.len() as u64);

    let mut latest = Duration::ZERO;
    for (user, at) in &answered {
        let round: usize = user[1..].split('-').next().unwrap().parse().unwrap();
        let before_kill = killed_at[round].duration_since(*at);
        if !stored.contains(user) {
            latest = latest.max(before_kill);
        }
    }
    println!(
        "{} of {} hits stored over {rounds} kills; the oldest lost one was answered {latest:?} before its kill",
        stored.len(),
        answered.len()
    );
    assert!(stored.len() > answered.len() / 4);
    assert!(latest <= LATEST, "a hit answered {latest:?} before the kill is lost");
}

/// Looks at the files as they are; gives the users, each of whom sent one request.
fn check(directory: &Path) -> HashSet<String> {
    let main = Connection::open(directory.join("analytics.db")).unwrap();
    let months: Vec<i64> =
        main.prepare("select month from parts").unwrap().query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_sound(&main);
    let mut users = HashSet::new();
    for month in months {
        let part = directory.join(format!("analytics-{month}.db"));
        assert_sound(&Connection::open(&part).unwrap());
        main.execute("attach ? as part", [part.to_str().unwrap()]).unwrap();
        let sql = format!("select u.id from part.session_actions_{month} a left join users u on u.number = a.user order by a.id");
        for user in main.prepare(&sql).unwrap().query_map([], |row| row.get::<_, String>(0)).unwrap() {
            let user = user.expect("every user number has its row");
            assert!(users.insert(user.clone()), "{user} is there twice");
        }
        let homeless = format!(
            "select count(*) from (select distinct session from part.session_actions_{month}) a
             where (select count(*) from part.sessions_{month} s where s.number = a.session)
                 + (select count(*) from active_sessions o where o.month = {month} and o.number = a.session) <> 1"
        );
        assert_eq!(main.query_row(&homeless, [], |row| row.get::<_, i64>(0)).unwrap(), 0, "each session stands in one place");
        main.execute("detach part", []).unwrap();
    }
    users
}

fn assert_sound(connection: &Connection) {
    let verdict: String = connection.query_row("pragma integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
}

fn start(directory: &Path) -> (Child, SocketAddr) {
    let mut server = Command::new(axum_app())
        .args(["--port", "0", "--data"])
        .arg(directory)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the example is built");
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.strip_prefix("http://").and_then(|line| line.split('/').next()).and_then(|address| address.parse().ok());
    (server, address.unwrap_or_else(|| panic!("it says where it listens, not {line:?}")))
}

fn axum_app() -> PathBuf {
    let mut place = std::env::current_exe().unwrap();
    place.pop();
    place.pop();
    place = place.join("examples").join("axum_app");
    // `cargo test` builds the examples; `cargo test --test crash` does not.
    if !place.exists() {
        assert!(Command::new(env!("CARGO")).args(["build", "--example", "axum_app"]).status().unwrap().success());
    }
    place
}

/// One request on a connection that stays; its answer awaited.
fn ask(client: &mut TcpStream, user: &str) {
    let request = format!("GET /items/7 HTTP/1.1\r\nhost: localhost\r\nx-user-id: {user}\r\n\r\n");
    client.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let mut piece = [0; 1024];
    while !answer.ends_with(b"item 7\n") {
        let read = client.read(&mut piece).unwrap();
        assert!(read > 0, "the server hung up");
        answer.extend_from_slice(&piece[..read]);
    }
}

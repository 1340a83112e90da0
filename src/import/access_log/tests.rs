//! Lines against a writer of lines, sessions against a slow count of gaps, and files that are broken.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use proptest::prelude::*;

use super::{AccessLog, LogPart, day::Days, line::Line, unescape::unescape};
use crate::{
    clock::Millis,
    error::Error,
    hit::{Hit, Outcome},
    import::{
        content::Lines,
        found::{Found, Noted},
        source::{Content, Imported, Progress, Rules, Source},
    },
    pattern::Routes,
    recorder::{DEFAULT_NOISE, Noise},
};

const RULES: Rules = Rules { timeout: 30 * 60_000, longest: 86_400_000 };

fn routes() -> Routes {
    let mut routes = Routes::default();
    for template in ["/", "/items/{id}", "/files/{*rest}", "/health"] {
        routes.insert(template).unwrap();
    }
    routes
}

fn open(parts: &[LogPart]) -> Result<AccessLog, Error> {
    AccessLog::open(parts, routes(), Noise::new(DEFAULT_NOISE).unwrap(), RULES, &Progress::default())
}

fn all(mut log: AccessLog) -> Result<(Vec<Hit>, Found), Error> {
    let (mut next, mut hits, mut open) = (Imported::default(), Vec::new(), BTreeSet::new());
    while log.next(&mut next)? {
        let session = next.hit.session().unwrap();
        assert_eq!(open.insert(session), next.hit.opens_session(), "only its first hit opens a session, and none comes after its end");
        assert!(!next.spread && next.source.is_none());
        assert_eq!(next.timed, !next.hit.head_time().is_zero());
        hits.push(next.hit.clone());
        log.take_ended().iter().for_each(|session| assert!(open.remove(session)));
    }
    log.take_ended().iter().for_each(|session| assert!(open.remove(session)));
    assert!(open.is_empty(), "every session ends");
    Ok((hits, log.found().clone()))
}

fn written(directory: &Path, name: &str, text: impl AsRef<[u8]>) -> LogPart {
    let path = directory.join(name);
    fs::write(&path, text).unwrap();
    LogPart::all(path)
}

fn read(text: impl AsRef<[u8]>) -> Result<(Vec<Hit>, Found), Error> {
    let dir = tempfile::tempdir().unwrap();
    all(open(&[written(dir.path(), "access.log", text)])?)
}

/// `26/Nov/2026:03:22:47 +0000`
fn time(at: Millis) -> String {
    let time = jiff::tz::Offset::UTC.to_datetime(jiff::Timestamp::from_millisecond(at).unwrap());
    let month = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][time.month() as usize - 1];
    format!("{:02}/{month}/{}:{:02}:{:02}:{:02} +0000", time.day(), time.year(), time.hour(), time.minute(), time.second())
}

fn at(text: &str) -> Millis {
    text.parse::<jiff::Timestamp>().unwrap().as_millisecond()
}

#[test]
fn lines_of_every_kind_become_hits() {
    let lines = br#"198.51.100.7 - ann [26/Nov/2026:03:22:47 +0200] "GET /items/7?secret=1 HTTP/2.0" 200 612 "https://shop.example/" "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0" 0.123
2001:db8::7 - - [26/Nov/2026:03:22:48 +0000] "POST /items/7 HTTP/1.1" 499 0
198.51.100.7 - - [26/Nov/2026:03:22:49 +0000] "GET /nowhere HTTP/1.1" 404 10 "-" "curl/8.5.0"
198.51.100.7 - a\x22n [b] n [26/Nov/2026:03:22:50 +0000] "GET /items/\xC3\xA9 HTTP/1.1" 503 - "-" "say \"hi\" Googlebot/2.1" "203.0.113.9, 10.0.0.1" rt=1.5 uct="0.1"
shop.example:443 198.51.100.9 - - [26/Nov/2026:03:22:51 +0000] "BREW /items/7 HTTP/1.1" 418 5 "" ""
198.51.100.7 - - [26/Nov/2026:03:22:52 +0000] "\x16\x03\x01\x02\x00\x01\x00" 400 157 "-" "-"
198.51.100.7 - - [26/Nov/2026:03:22:53 +0000] "-" 408 0 "-" "-" 60.001
198.51.100.7 - - [26/Nov/2026:03:22:54 +0000] "GET /health HTTP/1.1" 200 2 "-" "kube-probe/1.31"

a line that is none
198.51.100.7 - - [26/Nov/2026:03:22:55 +0000] "GET / HTTP/1.1" 200 2 "-" "cut off
"#;
    let (hits, found) = read(lines).unwrap();
    let shown: Vec<_> = hits
        .iter()
        .map(|hit| {
            (
                hit.method(),
                hit.route(),
                hit.status(),
                hit.bytes_out(),
                hit.user().unwrap_or("-"),
                hit.head_time().as_micros(),
                hit.is_action(),
            )
        })
        .collect();
    let expected = [
        ("GET", "/items/{id}", 200, 612, "ann", 123_000, true),
        ("POST", "/items/{id}", 499, 0, "-", 0, true),
        ("GET", "(unmatched)", 404, 10, "-", 0, false),
        ("GET", "/items/{id}", 503, 0, "a\"n [b] n", 1_500_000, true),
        ("BREW", "/items/{id}", 418, 5, "-", 0, true),
        ("GET", "/health", 200, 2, "-", 0, false),
        ("GET", "/", 200, 2, "-", 0, true),
    ];
    assert_eq!(shown, expected);
    assert_eq!(hits[0].facts.at, Some(at("2026-11-26T01:22:47Z")));
    assert_eq!(hits.iter().map(Hit::outcome).filter(|outcome| *outcome == Outcome::Aborted).count(), 1);
    let devices: Vec<_> = hits.iter().map(|hit| hit.device().unwrap()).collect();
    assert_eq!((devices[0].name(), devices[2].platform()), ("Firefox on Linux", "API client"));
    assert_eq!(devices[3].bot().unwrap().class(), "search");
    assert!(hits[4].facts.made_up && !hits[0].facts.made_up);
    let counts = [Noted::BrokenLine, Noted::NotHttp, Noted::Unmatched].map(|noted| found.count(noted));
    assert_eq!((counts, found.records, found.hits, found.actions), ([1, 2, 1], 10, 7, 5));
    assert_eq!(found.unmatched.iter().map(|(segment, count)| (&**segment, *count)).collect::<Vec<_>>(), [("/nowhere", 1)]);
    let text = String::from_utf8_lossy(lines);
    let end = text.find("a line that is none\n").unwrap() + 20;
    let [example] = &found.examples[..] else { panic!("{:?}", found.examples) };
    assert!(example.ends_with(&format!("access.log: line 10 (ends at byte {end}): \"a aaaa aaaa aa aaaa\"")), "{example}");
}

#[test]
fn of_what_no_template_covers_only_plain_words_are_told() {
    let mut found = Found::default();
    for path in [
        "/shop/item",
        "/shop",
        "/wp-login.php",
        "/8f14e45fceea167a5a36dedd4bea2543/x",
        "/Ann",
        "/caf\u{e9}",
        "",
        "/",
        "/averyveryverylongwordthatnobodyuses",
    ] {
        found.unmatched(path.as_bytes());
    }
    found.unmatched(b"/\xff");
    let told: BTreeMap<_, _> = found.unmatched.iter().map(|(segment, count)| (segment.as_str(), *count)).collect();
    assert_eq!(told, BTreeMap::from([("/shop", 2), ("/wp-login.php", 1), ("/", 1), ("(other)", 6)]));
    assert_eq!(found.count(Noted::Unmatched), 10);
}

#[test]
fn another_format_is_an_error_that_shows_a_line_and_the_format() {
    let good = format!("198.51.100.7 - - [{}] \"GET / HTTP/1.1\" 200 2\n", time(at("2026-11-26T03:22:47Z")));
    for text in [
        r#"{"time":"2026-11-26","status":200}"#.to_owned() + "\n",
        format!("{good}{}", "2026-11-26 03:22:47 GET /\n".repeat(2)),
        "x\n".repeat(1_000_000),
    ] {
        let error = read(text).unwrap_err().to_string();
        assert!(
            error.starts_with("the format is not known: ") && error.contains("access.log: line ") && error.contains("combined"),
            "{error}"
        );
    }
    let (hits, found) = read(format!("{good}broken\n")).unwrap();
    assert_eq!((hits.len(), found.count(Noted::BrokenLine)), (1, 1), "half may be broken");
    assert_eq!(read("").unwrap().0.len(), 0);
    assert_eq!(read("\n\n").unwrap().0.len(), 0);
}

#[test]
fn a_line_without_an_end_is_left_out_and_never_held() {
    let good = format!("198.51.100.7 - - [{}] \"GET / HTTP/1.1\" 200 2\r\n", time(at("2026-11-26T03:22:47Z")));
    let (hits, found) = read(format!("{good}{}\n{good}", "x".repeat(10 << 20))).unwrap();
    assert_eq!((hits.len(), found.count(Noted::BrokenLine), found.records), (2, 1, 3));
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(&[written(dir.path(), "access.log", format!("{good}{}{good}", "y".repeat(10 << 20)))]).unwrap();
    let mut next = Imported::default();
    while log.next(&mut next).unwrap() {}
    assert_eq!(log.found().count(Noted::BrokenLine), 1);
}

#[test]
fn rotated_and_packed_files_are_read_as_one_in_order_of_time_in_whatever_order_they_are_named() {
    let start = at("2026-11-26T03:00:00Z");
    let line = |second: i64| format!("198.51.100.7 - u{second} [{}] \"GET / HTTP/1.1\" 200 2\n", time(start + second * 1000));
    let [old, new, other]: [String; 3] = [0..100, 100..200, 50..150].map(|seconds| seconds.map(line).collect());
    let dir = tempfile::tempdir().unwrap();
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(old.as_bytes()).unwrap();
    let parts = [
        written(dir.path(), "access.log", new),
        written(dir.path(), "other.log", other),
        written(dir.path(), "access.log.1.gz", packer.finish().unwrap()),
    ];
    let (hits, _) = all(open(&parts).unwrap()).unwrap();
    let times: Vec<_> = hits.iter().map(|hit| hit.facts.at.unwrap()).collect();
    assert!(times.is_sorted() && times.len() == 300);
    assert_eq!(hits.iter().filter(|hit| hit.user() == Some("u75")).count(), 2);
}

#[test]
fn of_a_log_that_has_grown_only_what_is_new_is_read() {
    let line = |n: i64| format!("198.51.100.7 - u{n} [{}] \"GET / HTTP/1.1\" 200 2\n", time(at("2026-11-26T03:00:00Z") + n * 1000));
    let text = |lines: std::ops::Range<i64>| lines.map(line).collect::<String>();
    let dir = tempfile::tempdir().unwrap();
    let content = |part: &LogPart, known: &[Content]| {
        let lines = Lines::of(&part.path, known, &Progress::default()).unwrap();
        (lines.ended, lines.begins_with)
    };
    let part = written(dir.path(), "access.log", text(0..10));
    let (before, _) = content(&part, &[]);
    let part = written(dir.path(), "access.log", text(0..15));
    let (now, known) = content(&part, &[before]);
    assert_eq!(known, Some(before));
    fs::OpenOptions::new().append(true).open(&part.path).unwrap().write_all(text(15..20).as_bytes()).unwrap();
    let (hits, _) = all(open(&[LogPart { from: before.bytes, to: now.bytes, ..part }]).unwrap()).unwrap();
    let users: Vec<_> = hits.iter().map(|hit| hit.user().unwrap().to_owned()).collect();
    assert_eq!(users, ["u10", "u11", "u12", "u13", "u14"], "nor is what was added meanwhile");
}

#[test]
fn a_log_that_is_not_there_or_no_longer_whole_says_so() {
    let error = open(&[LogPart::all(PathBuf::from("gone.log"))]).map(drop).unwrap_err();
    assert!(error.to_string().contains("cannot read gone.log: look at how the path is spelt"), "{error}");
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let line = format!("198.51.100.7 - - [{}] \"GET / HTTP/1.1\" 200 2\n", time(at("2026-11-26T03:22:47Z")));
    packer.write_all(line.repeat(1000).as_bytes()).unwrap();
    let packed = packer.finish().unwrap();
    let error = read(&packed[..packed.len() - 10]).unwrap_err();
    assert!(error.to_string().contains("access.log: see that the disk and the file are whole"), "{error}");
}

/// Who made a request, when, of a log that somebody made up.
#[derive(Clone, Debug)]
struct Made {
    at: Millis,
    user: Option<u8>,
    /// Network and agent.
    visitor: (u8, u8),
}

/// Sessions by a slow look at all hits before: `(month, number)` of each.
fn sessions_of(made: &[Made]) -> Vec<(String, u32)> {
    struct Open {
        who: String,
        start: Millis,
        last: Millis,
        id: (String, u32),
    }
    let (mut open, mut numbers, mut ids) = (Vec::<Open>::new(), BTreeMap::<String, u32>::new(), Vec::new());
    for one in made {
        // Agents and networks of one visitor stay the same over midnight, for whom comes within half an hour.
        let who = one.user.map_or_else(|| format!("{:?}", one.visitor), |user| user.to_string());
        let month = jiff::Timestamp::from_millisecond(one.at).unwrap().to_string()[..7].replace('-', "");
        let found = open.iter_mut().rev().find(|open| {
            open.who == who && open.id.0 == month && one.at - open.last <= RULES.timeout && one.at - open.start < RULES.longest
        });
        let id = match found {
            Some(open) => {
                open.last = one.at;
                open.id.clone()
            }
            None => {
                let number = numbers.entry(month.clone()).or_default();
                *number += 1;
                let id = (month, *number);
                open.push(Open { who, start: one.at, last: one.at, id: id.clone() });
                id
            }
        };
        ids.push(id);
    }
    ids
}

fn made() -> impl Strategy<Value = Vec<Made>> {
    let gap = prop_oneof![8 => 0..120_i64, 4 => 1000..2000_i64, 1 => 1799..1802_i64, 1 => 3000..50_000_i64];
    let one = (gap, proptest::option::weighted(0.6, 0..4_u8), (0..3_u8, 0..2_u8));
    proptest::collection::vec(one, 1..120).prop_map(|list| {
        let mut at = at("2026-11-29T22:00:00Z");
        let made = |(gap, user, visitor)| {
            at += gap * 1000;
            Made { at, user, visitor }
        };
        list.into_iter().map(made).collect()
    })
}

/// A field as NGINX writes it.
fn escaped(plain: &str) -> String {
    plain.bytes().fold(String::new(), |mut text, byte| {
        match byte {
            b'"' | b'\\' | 0..0x20 | 0x7f.. => text.push_str(&format!("\\x{byte:02X}")),
            byte => text.push(char::from(byte)),
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn sessions_are_those_of_a_slow_count(made in made()) {
        let lines: String = made.iter().map(|one| {
            let user = one.user.map_or("-".to_owned(), |user| format!("u{user}"));
            format!("198.51.{}.7 - {user} [{}] \"GET /items/7 HTTP/1.1\" 200 2 \"-\" \"agent{}\"\n", one.visitor.0, time(one.at), one.visitor.1)
        }).collect();
        let (hits, found) = read(lines).unwrap();
        let came: Vec<_> = hits.iter().map(|hit| { let id = hit.session().unwrap(); (id.month.to_string(), id.number) }).collect();
        let expected = sessions_of(&made);
        prop_assert_eq!(found.sessions as usize, expected.iter().collect::<BTreeSet<_>>().len());
        prop_assert_eq!(came, expected);
    }

    #[test]
    fn what_a_server_writes_is_read_as_it_was(
        address in "[0-9a-f.:]{3,20}", user in "[^ ]{1,20}|[a-z\\[ ]{0,10}[a-z]", seconds in 0..250_000_000_000_i64, target in "/\\PC{0,30}",
        status in 100..600_u16, bytes in any::<u32>(), referer in "\\PC{0,20}", agent in proptest::option::of("\\PC{1,40}"), took in proptest::option::of(0..100_000_000_u64),
    ) {
        prop_assume!(user != "-" && agent.as_deref() != Some("-"));
        let request = format!("GET {target} HTTP/1.1");
        let mut line = format!("{address} - {} [{}] \"{}\" {status} {bytes}", escaped(&user), time(seconds * 1000), escaped(&request));
        if let Some(agent) = &agent {
            line.push_str(&format!(" \"{}\" \"{}\"", escaped(&referer), escaped(agent)));
        }
        if let Some(took) = took {
            line.push_str(&format!(" {}.{:06}", took / 1_000_000, took % 1_000_000));
        }
        let mut days = Days::default();
        let read = Line::parse(line.as_bytes(), &mut days, None).unwrap();
        prop_assert_eq!(read.address, address.as_bytes());
        prop_assert_eq!(&*unescape(read.user), user.as_bytes());
        prop_assert_eq!(&*unescape(read.request), request.as_bytes());
        prop_assert_eq!(&*unescape(read.agent), agent.as_deref().unwrap_or_default().as_bytes());
        prop_assert_eq!((read.at, read.status, read.bytes, read.took_us), (seconds * 1000, status, u64::from(bytes), took));
    }

    #[test]
    fn a_line_that_was_tampered_with_is_read_or_left_out_and_never_more(
        place in 0..140_usize, with in proptest::collection::vec(any::<u8>(), 0..6), cut in 0..150_usize,
    ) {
        let mut line = br#"198.51.100.7 - ann [26/Nov/2026:03:22:47 +0200] "GET /items/7?a=1 HTTP/2.0" 200 612 "https://shop.example/" "Mozilla/5.0 \x22 Firefox/140.0" 0.123"#.to_vec();
        let place = place.min(line.len());
        line.splice(place..(place + with.len()).min(line.len()), with);
        line.truncate(cut);
        let mut days = Days::default();
        if let Some(read) = Line::parse(&line, &mut days, None) {
            prop_assert!(read.status <= 999 && crate::clock::Month::of(read.at).is_some());
        }
        line.push(b'\n');
        let good = "198.51.100.7 - - [26/Nov/2026:03:22:47 +0000] \"GET / HTTP/1.1\" 200 2\n".repeat(5);
        let (hits, found) = read([&line[..], good.as_bytes()].concat()).unwrap();
        let lines = line.split(|byte| *byte == b'\n').filter(|line| line.iter().any(|byte| *byte != b'\r')).count() as u64;
        prop_assert_eq!(found.records, lines + 5);
        prop_assert_eq!(hits.len() as u64 + found.count(Noted::BrokenLine) + found.count(Noted::NotHttp), lines + 5);
    }
}

/// `cargo test --release --lib import::access_log -- --ignored --nocapture`
#[test]
#[cfg(not(debug_assertions))]
#[ignore = "a measurement"]
fn a_million_lines_are_read_in_a_second_or_two() {
    let dir = tempfile::tempdir().unwrap();
    let part = LogPart::all(dir.path().join("access.log"));
    let mut log = std::io::BufWriter::new(fs::File::create(&part.path).unwrap());
    let start = at("2026-11-01T00:00:00Z");
    for n in 0..1_000_000_u64 {
        let who = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        let user = if who % 3 == 0 { format!("u{}", who % 5000) } else { "-".to_owned() };
        let path = ["/", "/items/4711", "/files/a/b/c.js", "/nowhere"][who as usize % 4];
        writeln!(
            log,
            "198.51.{}.{} - {user} [{}] \"GET {path}?page={who} HTTP/1.1\" 200 {} \"https://shop.example/items/{who}\" \"Mozilla/5.0 (Windows NT 10.0; Win64; x64) \
             AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36\" 0.0{}",
            who % 250, who % 199, time(start + n as i64 * 86), who % 100_000, 100 + who % 60, who % 99
        )
        .unwrap();
    }
    log.flush().unwrap();
    drop(log);
    let (bytes, start) = (fs::metadata(&part.path).unwrap().len(), std::time::Instant::now());
    Content::of(&part.path, &Progress::default()).unwrap();
    let hashed = start.elapsed();
    let start = std::time::Instant::now();
    let mut log = open(&[part]).unwrap();
    let mut next = Imported::default();
    while log.next(&mut next).unwrap() {
        log.take_ended();
    }
    let (took, found) = (start.elapsed(), log.found());
    println!("{} lines of {} MB, {} sessions: hashed in {hashed:?}, read in {took:?}", found.hits, bytes >> 20, found.sessions);
    assert_eq!(found.hits, 1_000_000);
    assert!(took < std::time::Duration::from_secs(3), "{took:?}");
}

//! Brute force over raw rows: what every cell of every roll-up must be. Shares no code with the crate.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::Path,
};

use jiff::{Timestamp, civil::date, tz::TimeZone};
use rusqlite::{Connection, Row, types::Value};

const FIRST_VISITOR: i64 = 1 << 31;

/// One raw row, with what its dictionaries say.
#[derive(Clone, Debug)]
pub(crate) struct Raw {
    pub(crate) id: i64,
    pub(crate) at: i64,
    pub(crate) session: i64,
    pub(crate) user: i64,
    pub(crate) endpoint: i64,
    pub(crate) device: i64,
    pub(crate) status: i64,
    pub(crate) outcome: i64,
    pub(crate) grpc: i64,
    pub(crate) is_action: bool,
    pub(crate) opens: bool,
    pub(crate) head_us: i64,
    pub(crate) body_us: i64,
    pub(crate) bytes_in: i64,
    pub(crate) bytes_out: i64,
    pub(crate) error: i64,
}

#[derive(Clone, Debug)]
struct Device {
    platform: String,
    version: String,
    name: String,
    bot: String,
}

/// A cell, laid open: sums, latencies by bucket, users, visitors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) sums: [i64; 9],
    pub(crate) latency: BTreeMap<(i64, i64), i64>,
    pub(crate) users: BTreeSet<i64>,
    pub(crate) visitors: BTreeSet<i64>,
    pub(crate) rows: Option<(i64, i64)>,
}

pub(crate) type Key = (i64, String, i64, String);

/// Sums, latencies by bucket, users, number of visitors.
pub(crate) type Total = ([i64; 9], BTreeMap<(i64, i64), i64>, BTreeSet<i64>, i64);

/// Everything that follows from the raw rows of a directory.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct World {
    pub(crate) cells: BTreeMap<Key, Cell>,
    pub(crate) totals: BTreeMap<(i64, String, String), Total>,
    /// part, user: hits, sessions, actions, errors, time, first seen, last seen, last device
    pub(crate) users: BTreeMap<(i64, i64), [i64; 8]>,
}

/// Compares a directory's roll-ups with its raw rows; gives how many hits there are.
pub(crate) fn check(directory: &Path) -> usize {
    let main = Connection::open(directory.join("analytics.db")).unwrap();
    let zone: String = main.query_row("select value from meta where key = 'zone'", [], |row| row.get(0)).unwrap();
    let (mut hits, mut expected) = (0, World::default());
    for (part, month, state) in parts(&main) {
        let rows = raw(directory, month);
        hits += rows.len();
        numbers_are_given_once(&rows);
        add_part(&mut expected, &main, part, state == "sealed", &zone, &rows);
    }
    compare(&stored(&main), &expected);
    hits
}

pub(crate) fn parts(main: &Connection) -> Vec<(i64, i64, String)> {
    let mut statement = main.prepare("select number, month, state from parts order by number").unwrap();
    statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap().map(Result::unwrap).collect()
}

pub(crate) fn raw(directory: &Path, month: i64) -> Vec<Raw> {
    let start = {
        let first = date((month / 100) as i16, (month % 100) as i8, 1).at(0, 0, 0, 0);
        TimeZone::UTC.to_timestamp(first).unwrap().as_millisecond()
    };
    let file = directory.join(format!("analytics-{month}.db"));
    if !file.exists() {
        return Vec::new();
    }
    let part = Connection::open(file).unwrap();
    let mut statement = part.prepare(&format!("select * from session_actions_{month} order by id")).unwrap();
    let read = |row: &Row<'_>| {
        let packed: i64 = row.get("outcome")?;
        Ok(Raw {
            id: row.get("id")?,
            at: start + row.get::<_, i64>("at")?,
            session: row.get("session")?,
            user: row.get("user")?,
            endpoint: row.get("endpoint")?,
            device: row.get("device")?,
            status: packed % 1024,
            outcome: packed / 1024 % 4,
            is_action: packed / 4096 % 2 == 1,
            opens: packed / 8192 % 2 == 1,
            grpc: packed / 32_768 % 32,
            head_us: row.get("head_us")?,
            body_us: row.get("body_us")?,
            bytes_in: row.get("bytes_in")?,
            bytes_out: row.get("bytes_out")?,
            error: row.get("error")?,
        })
    };
    statement.query_map([], read).unwrap().map(Result::unwrap).collect()
}

/// Of a session the first row opens it, and no other.
fn numbers_are_given_once(rows: &[Raw]) {
    let mut sessions: HashMap<i64, i64> = HashMap::new();
    for row in rows {
        let user = *sessions.entry(row.session).or_insert_with(|| {
            assert!(row.opens, "session {} begins with a row that does not open it", row.session);
            row.user
        });
        // A visitor's number changes at midnight.
        assert!(user == row.user || user >= FIRST_VISITOR, "session {} is of two users", row.session);
    }
    let opens = rows.iter().filter(|row| row.opens).count();
    assert_eq!(opens, sessions.len(), "a session number was given twice");
}

fn add_part(world: &mut World, main: &Connection, part: i64, sealed: bool, zone: &str, rows: &[Raw]) {
    let devices = devices(main);
    let zone = TimeZone::get(zone).unwrap();
    let mut sessions: HashMap<i64, (i64, i64, i64)> = HashMap::new();
    let mut days = HashMap::new();
    let mut day_of = |at: i64| *days.entry(at).or_insert_with(|| day(&zone, at));
    for row in rows {
        let (opened, device, acted) = *sessions.entry(row.session).or_insert((row.at, row.device, row.at));
        let gap = if row.is_action { (row.at - acted).max(0) } else { 0 };
        sessions.insert(row.session, (opened, device, acted + gap));
        let audience = |device: &i64| i64::from(!devices[device].bot.is_empty());
        let here = audience(&row.device);
        let mut count = |table: String, when: i64, value: String, sessions: bool| {
            let cell = world.cells.entry((part, format!("{table}/{here}"), when, value)).or_default();
            cell.count(row, sessions);
        };
        count("slot".to_owned(), row.at.div_euclid(900_000), String::new(), row.opens);
        let day = day_of(row.at);
        for (dimension, value) in named(&devices[&row.device]) {
            count(dimension.to_owned(), day, value, row.opens);
        }
        count("1".to_owned(), day, row.endpoint.to_string(), false);
        if row.status >= 400 || row.outcome != 0 || row.grpc > 1 {
            let value = row.endpoint * (1 << 17) + row.grpc * (1 << 12) + row.outcome * 1024 + row.status;
            count("6".to_owned(), day, value.to_string(), false);
        }
        if row.error != 0 {
            count("7".to_owned(), day, row.error.to_string(), false);
        }
        if gap > 0 {
            let there = audience(&device);
            let mut add = |table: &str, when: i64, value: String| {
                world.cells.entry((part, format!("{table}/{there}"), when, value)).or_default().sums[3] += gap;
            };
            add("slot", opened.div_euclid(900_000), String::new());
            let day = day_of(opened);
            named(&devices[&device]).into_iter().for_each(|(dimension, value)| add(dimension, day, value));
        }
        if row.user > 0 && row.user < FIRST_VISITOR {
            let user = world.users.entry((part, row.user)).or_insert([0, 0, 0, 0, 0, i64::MAX, i64::MIN, 0]);
            let sums = [1, i64::from(row.opens), i64::from(row.is_action), i64::from(row.is_error()), gap];
            sums.iter().zip(&mut *user).for_each(|(more, sum)| *sum += more);
            user[5] = user[5].min(row.at);
            if row.at >= user[6] {
                (user[6], user[7]) = (row.at, row.device);
            }
        }
    }
    for ((_, table, _, value), cell) in
        world.cells.iter().filter(|((of, table, ..), _)| sealed && *of == part && !table.starts_with("slot"))
    {
        let total = world.totals.entry((part, table.clone(), value.clone())).or_default();
        cell.sums.iter().zip(&mut total.0).for_each(|(more, sum)| *sum += more);
        cell.latency.iter().for_each(|(bucket, count)| *total.1.entry(*bucket).or_default() += count);
        total.2.extend(&cell.users);
    }
    let days = world.cells.iter().filter(|((of, ..), _)| *of == part);
    let mut visitors: BTreeMap<_, BTreeSet<i64>> = BTreeMap::new();
    for ((_, table, _, value), cell) in days {
        visitors.entry((table.clone(), value.clone())).or_default().extend(&cell.visitors);
    }
    for ((_, table, value), total) in world.totals.iter_mut().filter(|((of, ..), _)| *of == part) {
        total.3 = visitors[&(table.clone(), value.clone())].len() as i64;
    }
}

impl Raw {
    pub(crate) fn is_error(&self) -> bool {
        self.outcome == 1 || self.outcome == 0 && (self.status >= 500 || self.grpc > 1)
    }
}

impl Cell {
    fn count(&mut self, row: &Raw, sessions: bool) {
        let is = i64::from;
        let client_error = (400..500).contains(&row.status) && row.outcome != 2;
        let more = [
            1,
            is(row.is_action),
            is(sessions && row.opens),
            0,
            is(row.is_error()),
            is(client_error),
            is(row.outcome == 2),
            row.bytes_in,
            row.bytes_out,
        ];
        more.iter().zip(&mut self.sums).for_each(|(more, sum)| *sum += more);
        *self.latency.entry(bucket_of(row.head_us)).or_default() += 1;
        if row.user >= FIRST_VISITOR {
            let day_of_month = i64::from(TimeZone::UTC.to_datetime(Timestamp::from_millisecond(row.at).unwrap()).day()) - 1;
            self.visitors.insert(day_of_month * (1 << 24) + row.user - FIRST_VISITOR);
        } else if row.user > 0 {
            self.users.insert(row.user);
        }
        self.rows = Some(self.rows.map_or((row.id, row.id), |(a, b)| (a.min(row.id), b.max(row.id))));
    }
}

/// The bounds of the bucket that a duration falls into: exact up to 31 µs, from there 16 to an octave.
fn bucket_of(micros: i64) -> (i64, i64) {
    let mut width = 1;
    while micros / width >= 32 {
        width *= 2;
    }
    (micros / width * width, width)
}

/// The newest date that a clock in the zone had shown by then: clocks that go back over midnight end no day twice.
fn day(zone: &TimeZone, at: i64) -> i64 {
    let date_at = |at: i64| zone.to_datetime(Timestamp::from_millisecond(at).unwrap()).date();
    // Every change of a clock falls on a whole minute.
    let minute = at.div_euclid(60_000) * 60_000;
    let newest = (0..180).map(|minutes| date_at(minute - minutes * 60_000)).max().unwrap().max(date_at(at));
    newest.duration_since(date(1970, 1, 1)).as_hours() / 24
}

fn named(device: &Device) -> Vec<(&'static str, String)> {
    let mut named = vec![
        ("0", "0".to_owned()),
        ("3", device.platform.clone()),
        ("2", format!("{}\u{1f}{}", device.platform, device.version)),
        ("4", device.name.clone()),
    ];
    if !device.bot.is_empty() {
        named.push(("5", device.bot.clone()));
    }
    named
}

fn devices(main: &Connection) -> HashMap<i64, Device> {
    let mut statement = main.prepare("select number, platform, app_version, name, bot from devices").unwrap();
    let device =
        |row: &Row<'_>| Ok((row.get(0)?, Device { platform: row.get(1)?, version: row.get(2)?, name: row.get(3)?, bot: row.get(4)? }));
    statement.query_map([], device).unwrap().map(Result::unwrap).collect()
}

fn stored(main: &Connection) -> World {
    let mut world = World::default();
    let text = |value: Value| match value {
        Value::Integer(number) => number.to_string(),
        Value::Text(text) => text,
        other => panic!("{other:?} is no value of a dimension"),
    };
    let mut statement = main.prepare("select * from aggregated_metrics").unwrap();
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let key = (row.get(1).unwrap(), format!("slot/{}", row.get::<_, i64>(2).unwrap()), row.get(3).unwrap(), String::new());
        let rows = row.get::<_, Option<i64>>(16).unwrap().zip(row.get(17).unwrap());
        world.cells.insert(key, Cell { rows, ..cell(row, 4) });
    }
    let mut statement = main.prepare("select part, audience, dimension, day, value, * from daily_metrics").unwrap();
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let table = format!("{}/{}", row.get::<_, i64>(2).unwrap(), row.get::<_, i64>(1).unwrap());
        world.cells.insert((row.get(0).unwrap(), table, row.get(3).unwrap(), text(row.get(4).unwrap())), cell(row, 11));
    }
    let mut statement = main.prepare("select part, audience, dimension, value, * from part_totals").unwrap();
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let table = format!("{}/{}", row.get::<_, i64>(2).unwrap(), row.get::<_, i64>(1).unwrap());
        let (latency, users) = (latency(&row.get::<_, Vec<u8>>(18).unwrap()), set(&row.get::<_, Vec<u8>>(19).unwrap()));
        let sums = std::array::from_fn(|n| row.get(9 + n).unwrap());
        world.totals.insert((row.get(0).unwrap(), table, text(row.get(3).unwrap())), (sums, latency, users, row.get(20).unwrap()));
    }
    let mut statement = main.prepare("select * from user_totals").unwrap();
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        world.users.insert((row.get(0).unwrap(), row.get(1).unwrap()), std::array::from_fn(|n| row.get(2 + n).unwrap()));
    }
    world
}

fn cell(row: &Row<'_>, first: usize) -> Cell {
    let blob = |column: usize| row.get::<_, Vec<u8>>(first + 9 + column).unwrap();
    Cell {
        sums: std::array::from_fn(|n| row.get(first + n).unwrap()),
        latency: latency(&blob(0)),
        users: set(&blob(1)),
        visitors: set(&blob(2)),
        rows: None,
    }
}

fn varints(bytes: &[u8]) -> Vec<u64> {
    let mut numbers = vec![];
    let mut pending = vec![];
    for byte in bytes {
        pending.push(byte % 128);
        if *byte < 128 {
            numbers.push(pending.drain(..).rev().fold(0, |number, byte| number * 128 + u64::from(byte)));
        }
    }
    numbers
}

fn latency(blob: &[u8]) -> BTreeMap<(i64, i64), i64> {
    assert_eq!(blob[0], 1);
    let mut place = 0;
    let bounds = |place: i64| if place < 32 { (place, 1) } else { ((place % 16 + 16) << (place / 16 - 1), 1 << (place / 16 - 1)) };
    let pairs = varints(&blob[1..]);
    let bucket = |pair: &[u64]| {
        place += pair[0] as i64;
        (bounds(place), pair[1] as i64)
    };
    pairs.chunks(2).map(bucket).collect()
}

fn set(blob: &[u8]) -> BTreeSet<i64> {
    match blob.first() {
        None => BTreeSet::new(),
        Some(1) => varints(&blob[1..])
            .iter()
            .scan(0, |sum, step| {
                *sum += *step as i64;
                Some(*sum)
            })
            .collect(),
        _ => roaring::RoaringBitmap::deserialize_from(&blob[1..]).unwrap().iter().map(i64::from).collect(),
    }
}

fn compare(found: &World, expected: &World) {
    for (key, cell) in &expected.cells {
        let expected = Cell { rows: cell.rows.filter(|_| key.1.starts_with("slot")), ..cell.clone() };
        assert_eq!(found.cells.get(key), Some(&expected), "{key:?}");
    }
    let more: Vec<_> = found.cells.keys().filter(|key| !expected.cells.contains_key(*key)).collect();
    assert!(more.is_empty(), "rows that nothing has made: {more:?}");
    let differs = expected.totals.iter().find(|(key, total)| found.totals.get(*key) != Some(total));
    assert!(differs.is_none(), "{differs:?}, found {:?}", found.totals.get(differs.unwrap().0));
    assert_eq!(found.totals.len(), expected.totals.len());
    assert_eq!(found.users, expected.users);
}

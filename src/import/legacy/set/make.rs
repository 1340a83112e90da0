use std::{fs, path::Path};

use serde_json::{Map, Value, json};

/// The files of a set.
pub struct Set {
    pub app_analytics: Value,
    /// `2025-11.json` and what it holds.
    pub archive: Vec<(String, Value)>,
    pub errors: Value,
    pub usage: Value,
}

/// Numbers that are the same for the same seed.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % end
    }

    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn pick<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len() as u64) as usize]
    }
}

const MINUTE: i64 = 60_000_000;
const DAY: i64 = 24 * 60 * MINUTE;
/// 2025-10-20, in microseconds.
const BEGIN: i64 = 1_760_918_400_000_000;
const ENDPOINTS: [&str; 9] = [
    "user.get_gaming_members",
    "tickets.get_tickets",
    "tickets.close",
    "user.profile",
    "admin.ban_user",
    "stats.daily",
    "music.queue",
    "r\u{f6}les.list",
    "log\u{1f600}.tail",
];

/// A set of about so many records over a hundred days.
pub fn set(records: usize, seed: u64) -> Set {
    let mut dice = Dice::new(seed);
    let dice = &mut dice;
    let users = 20 + records as u64 / 100;
    let mut list = Vec::new();
    while list.len() < records {
        let at = BEGIN + (dice.below(100 * 24 * 60) as i64) * MINUTE + dice.below(60_000_000) as i64;
        // Around the ends of months, more often than chance would have it.
        let at = if dice.one_in(50) { 1_764_547_200_000_000 - dice.below(40 * 60_000_000) as i64 } else { at };
        let session = session_id(dice, at);
        let user = user(dice, users);
        let (address, device) = (format!("198.51.{}.{}", dice.below(3), dice.below(200)), device(dice));
        list.push(record(dice, &session, &user, at, &address, device));
        // The server forgot it: the same id again, close by, far off, or on another day.
        while dice.one_in(8) {
            let later = at + dice.below(4) as i64 * 25 * MINUTE + if dice.one_in(4) { DAY } else { 0 } + dice.below(1_000_000) as i64 + 1;
            list.push(record(dice, &session, &user, later, &address, device));
        }
    }
    // Nearly in order, as the panel appended them.
    list.sort_by_key(|(at, _)| at / (10 * MINUTE));
    let november: Vec<_> = list.iter().filter(|(at, _)| (1_761_955_200_000_000..1_764_547_200_000_000).contains(at)).cloned().collect();
    let main: Vec<_> = list.iter().filter(|(at, _)| !(1_761_955_200_000_000..1_764_547_200_000_000).contains(at)).cloned().collect();
    // Some were left in the main file when they were archived, and went on there.
    let left: Vec<_> = november.iter().filter(|_| dice.one_in(40)).cloned().collect();
    let left = left.into_iter().map(|(at, record)| (at, if dice.one_in(2) { grown(record) } else { record }));
    let main: Vec<Value> = left.chain(main).map(|(_, record)| record).collect();
    let november: Vec<Value> = november.into_iter().map(|(_, record)| record).collect();
    let errors = errors(dice, &list, users);
    let usage = (0..users).map(|n| (id(n), json!(zoned(BEGIN + dice.below(200 * 24 * 60) as i64 * MINUTE)))).collect::<Map<_, _>>();
    Set {
        app_analytics: json!({
            "sessions": main,
            "daily_stats": {"2025-12-01": {"unique_users": [id(1), "legacy_user"], "total_sessions": 2, "total_actions": 5,
                "total_duration_minutes": 8.5, "avg_session_duration": 4.25, "session_ids_processed": ["x"]}},
            "user_stats": {},
        }),
        archive: vec![("2025-11.json".to_owned(), json!({"sessions": november, "daily_stats": {}, "user_stats": {}}))],
        errors,
        usage: Value::Object(usage),
    }
}

impl Set {
    /// Puts the files where the panel had them.
    pub fn write(&self, directory: &Path) {
        fs::create_dir_all(directory.join("analytics_archive")).unwrap();
        fs::write(directory.join("app_analytics.json"), escaped(&self.app_analytics)).unwrap();
        for (name, month) in &self.archive {
            fs::write(directory.join("analytics_archive").join(name), escaped(month)).unwrap();
        }
        fs::write(directory.join("error_analytics.json"), escaped(&self.errors)).unwrap();
        fs::write(directory.join("app_usage.json"), escaped(&self.usage)).unwrap();
    }
}

/// As Python writes JSON: nothing but ASCII.
pub fn escaped(value: &Value) -> String {
    let mut text = String::new();
    for c in value.to_string().chars() {
        match c {
            c if c.is_ascii() => text.push(c),
            c => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| text.push_str(&format!("\\u{unit:04x}"))),
        }
    }
    text
}

fn id(number: u64) -> String {
    format!("{}", 100_000_000_000_000_001 + number)
}

fn user(dice: &mut Dice, users: u64) -> Value {
    match dice.below(20) {
        0 => json!("legacy_user"),
        1 => json!("unknown"),
        2 => json!("monitoring_service"),
        3 => json!(100_000_000_000_000_001 + dice.below(users)),
        4 if dice.one_in(3) => Value::Null,
        _ => json!(id(dice.below(users))),
    }
}

fn session_id(dice: &mut Dice, at: i64) -> Value {
    match dice.below(12) {
        0 => json!(format!("{:016x}{:016x}", dice.below(1 << 31), at)),
        1 if dice.one_in(4) => Value::Null,
        _ => json!(format!("{}_{}", at / 1000, 100_000 + dice.below(900_000))),
    }
}

fn device(dice: &mut Dice) -> [&'static str; 3] {
    [
        dice.pick(&["Google Pixel 9 Pro XL", "iPhone 17", "Unknown", "Fairphone 6 \u{fc}"]),
        dice.pick(&["Android", "iOS", "Web", "Unknown"]),
        dice.pick(&["2025.12.01+123", "2025.11.20+98", "Unknown"]),
    ]
}

fn record(dice: &mut Dice, session: &Value, user: &Value, at: i64, address: &str, [name, platform, version]: [&str; 3]) -> (i64, Value) {
    // The fraction is absent when it is zero.
    let at = if dice.one_in(10) { at / 1_000_000 * 1_000_000 } else { at };
    let span = match dice.below(40) {
        0..8 => 0,
        8 => -(dice.below(5_000_000) as i64),
        9 => DAY + dice.below(4_000) as i64 * MINUTE,
        10 => dice.below(600) as i64 * MINUTE,
        _ => dice.below(45 * 60_000_000) as i64,
    };
    let mut endpoints = Map::new();
    for _ in 0..dice.below(4) {
        endpoints.insert(dice.pick(&ENDPOINTS).to_owned(), json!(dice.below(6)));
    }
    let sum: u64 = endpoints.values().filter_map(Value::as_u64).sum();
    let count = match dice.below(10) {
        0 => sum + dice.below(5),
        1 => sum.saturating_sub(dice.below(3)),
        _ => sum,
    };
    let mut record = json!({
        "session_id": session, "discord_id": user, "username": "ann \"\u{e4}\"", "device_info": name, "platform": platform, "app_version": version,
        "started_at": time(at), "ended_at": time(at + span), "duration_minutes": span as f64 / 60e6, "ip_address": address,
        "screens_visited": [], "actions_count": count, "endpoints_used": endpoints,
    });
    let fields = record.as_object_mut().unwrap();
    match dice.below(30) {
        0 => drop(fields.insert("ended_at".to_owned(), Value::Null)),
        1 => drop(fields.remove("ended_at")),
        2 => drop(fields.remove("actions_count")),
        3 => drop(fields.insert("endpoints_used".to_owned(), Value::Null)),
        4 => drop(fields.remove("username")),
        5 => drop(fields.insert("theme".to_owned(), json!({"dark": [true, {"deep": []}]}))),
        6 => drop(fields.insert("screens_visited".to_owned(), json!(["home", "sett\u{ed}ngs"]))),
        7 => ["device_info", "platform", "app_version", "ip_address", "screens_visited"]
            .into_iter()
            .for_each(|name| drop(fields.remove(name))),
        8 if dice.one_in(3) => ["started_at", "ended_at"].into_iter().for_each(|name| drop(fields.remove(name))),
        9 => drop(fields.remove("started_at")),
        10 => drop(fields.insert("session_ids_processed".to_owned(), json!(["a", "b"]))),
        _ => {}
    }
    (at, record)
}

/// The same record some minutes later.
fn grown(mut record: Value) -> Value {
    let Some(started) = record["started_at"].as_str() else { return record };
    record["ended_at"] = json!(format!("{}T23:59:59", &started[..10]));
    record["endpoints_used"] = json!({"tickets.close": 70});
    record["actions_count"] = json!(70);
    record
}

fn errors(dice: &mut Dice, list: &[(i64, Value)], users: u64) -> Value {
    let mut errors = Vec::new();
    for n in 0..list.len() / 20 {
        let (at, record) = &list[dice.below(list.len() as u64) as usize];
        let (at, user) = match dice.below(4) {
            0 => (BEGIN + dice.below(100 * 24 * 60) as i64 * MINUTE, json!(id(dice.below(users)))),
            1 => (*at, Value::Null),
            _ => (at + dice.below(10) as i64 * MINUTE, record["discord_id"].clone()),
        };
        let user = if user.is_string() { user } else { Value::Null };
        errors.push(json!({"timestamp": time(at + n as i64), "error_type": "ValueError", "message": format!("bad id '{n}'"), "endpoint": dice.pick(&ENDPOINTS),
            "user_id": user, "username": null, "stacktrace": "Traceback\n  line 1", "request_data": {"a": [1]}, "signature": "s1"}));
    }
    json!({"errors": errors, "error_groups": {"s1": {"error_type": "ValueError", "message": "bad id", "endpoint": "x", "first_seen": time(BEGIN),
        "last_seen": time(BEGIN), "count": 4321, "affected_users": [id(1)]}}, "daily_error_counts": {"2025-12-01": 3}, "last_updated": time(BEGIN)})
}

/// `YYYY-MM-DDTHH:MM:SS[.ffffff]`
pub fn time(micros: i64) -> String {
    let (days, rest) = (micros.div_euclid(DAY), micros.rem_euclid(DAY));
    let (mut year, mut left) = (1970, days);
    let leap = |year: i64| (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    while left >= 365 + i64::from(leap(year)) {
        left -= 365 + i64::from(leap(year));
        year += 1;
    }
    let mut month = 0;
    let lengths = [31, 28 + i64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    while left >= lengths[month] {
        left -= lengths[month];
        month += 1;
    }
    let seconds = rest / 1_000_000;
    let whole = format!("{year:04}-{:02}-{:02}T{:02}:{:02}:{:02}", month + 1, left + 1, seconds / 3600, seconds / 60 % 60, seconds % 60);
    if rest % 1_000_000 == 0 { whole } else { format!("{whole}.{:06}", rest % 1_000_000) }
}

fn zoned(micros: i64) -> String {
    format!("{}+00:00", time(micros))
}

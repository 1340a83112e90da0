//! Made-up traffic of a small shop, through the real recorder.

use std::{
    io::{IsTerminal, Write},
    time::{Duration, Instant, SystemTime},
};

use fastrand::Rng;

use crate::{
    analytics::Analytics,
    clock::DAY_MS,
    error::Error,
    hit::{Hit, Outcome},
    recorder::Recorder,
    report::Ask,
};

const DAYS: u64 = 90;
const USERS: u64 = 1200;
/// The same demo every time.
const SEED: u64 = 2026;
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Endpoint, how often, typical milliseconds, share of errors in a thousand, bytes.
const ENDPOINTS: [(&str, &str, u32, f64, u32, u64); 12] = [
    ("GET", "/items", 220, 14.0, 2, 9_000),
    ("GET", "/items/{id}", 300, 8.0, 2, 2_400),
    ("GET", "/search", 160, 45.0, 6, 7_000),
    ("GET", "/cart", 90, 9.0, 1, 1_800),
    ("POST", "/cart/items", 70, 18.0, 4, 300),
    ("POST", "/orders", 22, 120.0, 14, 700),
    ("GET", "/orders/{id}", 40, 16.0, 2, 1_500),
    ("GET", "/me", 60, 6.0, 1, 600),
    ("PUT", "/me", 6, 22.0, 5, 200),
    ("POST", "/uploads", 8, 350.0, 25, 120),
    ("GET", "/reports/{kind}", 14, 480.0, 12, 60_000),
    ("", "(unmatched)", 12, 0.2, 0, 0),
];

/// Share of people an hour of the day has, UTC.
const HOURS: [u32; 24] = [4, 3, 2, 2, 2, 3, 6, 12, 20, 26, 28, 30, 32, 30, 28, 27, 28, 32, 38, 44, 42, 32, 18, 9];
const PLATFORMS: [(&str, &str, u32); 4] = [
    ("Web", "Mozilla/5.0 (Windows NT 10.0) Chrome/142.0 Safari/537.36", 46),
    ("Android", "", 28),
    ("iOS", "", 22),
    ("API client", "shop-cli/1.4", 4),
];
const FIRST_NAMES: [&str; 16] =
    ["Ann", "Ben", "Chiara", "Deniz", "Emil", "Fatima", "Goran", "Hana", "Ivo", "June", "Kofi", "Lena", "Mei", "Noah", "Olga", "Paul"];

/// What happens when, before it becomes a hit.
struct Moment {
    at: i64,
    who: Who,
    endpoint: usize,
}

#[derive(Clone, Copy)]
enum Who {
    User(u64),
    Visitor(u64),
    Bot(u64),
}

/// Fills the directory, unless hits are there already.
pub(super) fn fill(analytics: &Analytics) -> Result<(), Error> {
    if analytics.reports().stats(&Ask::all_time())?.total_hits > 0 {
        println!("The directory holds hits already: nothing is made up but what comes live.");
        return Ok(());
    }
    let start = Instant::now();
    let recorder = analytics.recorder();
    let now = recorder.clock().millis();
    let mut rng = Rng::with_seed(SEED);
    let mut hit = Hit::default();
    let (mut sent, mut waiting) = (0_u64, Vec::new());
    for day in 0..=DAYS {
        let midnight = now - (DAYS - day) as i64 * DAY_MS - now.rem_euclid(DAY_MS);
        plan_day(&mut rng, day, midnight, &mut waiting);
        waiting.sort_by_key(|moment| moment.at);
        // Sessions that began today may end tomorrow.
        let until = now.min(midnight + DAY_MS);
        let ready = waiting.partition_point(|moment| moment.at < until);
        for moment in waiting.drain(..ready) {
            write(&mut rng, &mut hit, &moment, now);
            recorder.send(&hit, LONGEST_WAIT)?;
            sent += 1;
        }
        progress(day, sent);
    }
    analytics.flush()?;
    println!("\rMade up {sent} hits of {DAYS} days in {:.1} s.", start.elapsed().as_secs_f64());
    Ok(())
}

fn progress(day: u64, sent: u64) {
    if std::io::stdout().is_terminal() {
        print!("\rMaking up day {day} of {DAYS}: {sent} hits");
        drop(std::io::stdout().flush());
    }
}

fn plan_day(rng: &mut Rng, day: u64, midnight: i64, moments: &mut Vec<Moment>) {
    // More people every week, fewer on weekends.
    let weekday = (midnight / DAY_MS + 4).rem_euclid(7);
    let weekend = if weekday == 0 || weekday == 6 { 0.6 } else { 1.0 };
    let sessions = ((180.0 + 5.0 * day as f64) * weekend * (0.85 + 0.3 * rng.f64())) as u64;
    let known = (USERS * (day + 20) / (DAYS + 20)).max(40);
    for _ in 0..sessions {
        let who = match rng.u32(0..100) {
            // Old friends come more often than newcomers.
            0..78 => Who::User((rng.f64().powf(1.7) * known as f64) as u64),
            78..95 => Who::Visitor(rng.u64(..)),
            _ => Who::Bot(rng.u64(0..3)),
        };
        let mut at = midnight + hour(rng) * 3_600_000 + rng.i64(0..3_600_000);
        let hits = 1 + (-rng.f64().max(1e-9).ln() * 9.0) as u64;
        for _ in 0..hits {
            moments.push(Moment { at, who, endpoint: weighted(rng, ENDPOINTS.iter().map(|endpoint| endpoint.2)) });
            at += 800 + (-rng.f64().max(1e-9).ln() * 38_000.0) as i64;
        }
    }
}

/// Makes the hit of a moment. What a user runs is the same every time: it follows from the number.
fn write(rng: &mut Rng, hit: &mut Hit, moment: &Moment, now: i64) {
    let (method, route, _, typical, errors, bytes) = ENDPOINTS[moment.endpoint];
    hit.clear();
    *hit = Hit::new(method, route);
    hit.set_at(crate::clock::from_millis(moment.at));
    match moment.who {
        Who::User(number) => {
            let mut own = Rng::with_seed(number);
            let platform = PLATFORMS[weighted(&mut own, PLATFORMS.iter().map(|platform| platform.2))];
            hit.set_user(&format!("u-{:04}", number + 1));
            hit.set_user_name(&format!("{} {}.", FIRST_NAMES[own.usize(..FIRST_NAMES.len())], own.uppercase()));
            // A version a fortnight; some people wait with updates.
            let fortnights = (DAYS as i64 - (now - moment.at) / DAY_MS - own.i64(0..25)).max(0) / 14;
            hit.set_client(platform.0, &format!("3.{}.0", 4 + fortnights), "", platform.1);
        }
        Who::Visitor(number) => {
            hit.set_address(std::net::Ipv4Addr::from((number as u32) | 0x0b00_0000).into());
            hit.set_client("", "", "", PLATFORMS[0].1);
        }
        Who::Bot(number) => {
            let agents = ["Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "UptimeRobot/2.0", "GPTBot/1.2"];
            hit.set_client("", "", "", agents[number as usize]);
        }
    }
    let slow = if rng.u32(0..50) == 0 { 8.0 } else { 1.0 };
    let millis = typical * slow * (0.5 + -rng.f64().max(1e-9).ln());
    hit.set_times(Duration::from_secs_f64(millis / 1e3), Duration::from_micros(bytes / 40));
    hit.set_bytes(if method == "GET" { 0 } else { 400 }, bytes);
    let status = match (method, rng.u32(0..1000)) {
        ("", _) => 404,
        (_, chance) if chance < errors => 500,
        (_, chance) if chance > 985 => 401,
        ("POST", _) => 201,
        _ => 200,
    };
    hit.set_status(status);
    if status == 500 {
        hit.set_error("upstream", "the warehouse did not answer in time");
    }
    if rng.u32(0..400) == 0 {
        hit.set_outcome(Outcome::Aborted);
    }
}

fn hour(rng: &mut Rng) -> i64 {
    weighted(rng, HOURS) as i64
}

fn weighted(rng: &mut Rng, weights: impl IntoIterator<Item = u32> + Clone) -> usize {
    let mut left = rng.u32(0..weights.clone().into_iter().sum());
    weights
        .into_iter()
        .position(|weight| {
            let found = left < weight;
            left = left.saturating_sub(weight);
            found
        })
        .unwrap_or_default()
}

/// A few people at any time, until the server stops.
pub(super) async fn trickle(recorder: Recorder) {
    let mut rng = Rng::new();
    let mut hit = Hit::default();
    let mut here: Vec<Who> = (0..12).map(|_| Who::User(rng.u64(0..USERS))).collect();
    loop {
        tokio::time::sleep(Duration::from_millis(rng.u64(150..900))).await;
        let place = rng.usize(..here.len());
        if rng.u32(0..25) == 0 {
            here[place] = if rng.u32(0..5) == 0 { Who::Visitor(rng.u64(..)) } else { Who::User(rng.u64(0..USERS)) };
        }
        let now = crate::clock::to_millis(SystemTime::now());
        let moment = Moment { at: now, who: here[place], endpoint: weighted(&mut rng, ENDPOINTS.iter().map(|endpoint| endpoint.2)) };
        write(&mut rng, &mut hit, &moment, now);
        recorder.record(&hit);
    }
}

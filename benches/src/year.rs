//! A year of an app with 100 000 users, recorded once and kept: what questions are asked of.

use std::{
    net::Ipv4Addr,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use tower_analytics::{Analytics, Clock, Hit, Outcome};

const DAY: f64 = 86_400.0;
const DAYS: f64 = 365.0;
/// 2026-11-25T12:30:00Z: a month is open, and a day has not ended.
const NOW: Duration = Duration::from_secs(1_795_609_800);
const USERS: f64 = 100_000.0;
const PLATFORMS: [&str; 5] = ["web", "android", "ios", "windows", "macos"];
const VERSIONS: f64 = 20.0;
const BOTS: [&str; 3] = [
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
    "UptimeRobot/2.0; http://www.uptimerobot.com/",
];
const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36";

/// The clock stands where the year ends.
pub fn clock() -> Clock {
    Clock::manual(SystemTime::UNIX_EPOCH + NOW)
}

/// The directory with so many hits, made if it is not there.
pub fn directory(hits: u64) -> PathBuf {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"), PathBuf::from);
    let directory = target.join("bench-data").join(format!("year-{hits}"));
    if !directory.join("done").exists() {
        drop(std::fs::remove_dir_all(&directory));
        std::fs::create_dir_all(&directory).expect("a directory below target");
        record(&directory, hits);
        std::fs::write(directory.join("done"), "").expect("a file");
    }
    directory
}

/// One who is here now.
struct Guest {
    /// None is a visitor.
    user: Option<u64>,
    bot: Option<&'static str>,
    device: [String; 3],
    number: u64,
    left: u32,
}

struct Year {
    rng: fastrand::Rng,
    known: u64,
    guests: u64,
    endpoints: Vec<String>,
}

fn record(directory: &Path, hits: u64) {
    let start = NOW.as_secs_f64() - DAYS * DAY;
    let start = start - start % DAY;
    let clock = Clock::manual(SystemTime::UNIX_EPOCH + Duration::from_secs_f64(start));
    let analytics = Analytics::builder(directory).clock(clock.clone()).queue_bytes(4 << 20).build().expect("an empty directory");
    let endpoints = (0..200).map(|n| format!("/area{}/things{n}/{{id}}", n % 20)).collect();
    let mut year = Year { rng: fastrand::Rng::with_seed(7), known: 0, guests: 0, endpoints };
    let length = NOW.as_secs_f64() - start;
    let weights: f64 = minutes(start, length).map(|(_, weight)| weight).sum();
    let (mut here, mut flushed): (Vec<Guest>, f64) = (Vec::new(), 0.0);
    let began = std::time::Instant::now();
    let (mut minutes, mut now, mut passed) = (minutes(start, length), (0.0, 0.0), 0.0);
    for number in 0..hits {
        let wanted = (number as f64 + 0.5) / hits as f64 * weights;
        while passed + now.1 < wanted {
            passed += now.1;
            now = minutes.next().expect("a minute for each hit");
        }
        let at = now.0 + 60.0 * (wanted - passed) / now.1;
        clock.set(SystemTime::UNIX_EPOCH + Duration::from_secs_f64(start + at));
        // Three minutes lie between one's hits, whatever the hour.
        let wanted = (now.1 / weights * hits as f64 * 3.0) as usize + 1;
        while here.len() < wanted {
            here.push(year.guest(at / length));
        }
        let place = year.rng.usize(..here.len());
        let hit = year.hit(&here[place], clock.now());
        analytics.recorder().send(&hit, Duration::from_secs(60)).expect("the store takes everything");
        here[place].left -= 1;
        if here[place].left == 0 {
            here.swap_remove(place);
        }
        // Months are sealed when the clock says so, and nothing may come for them afterwards; the last hits are of now.
        if at - flushed > DAY / 2.0 || length - at < 3600.0 && at - flushed > 600.0 {
            flushed = at;
            analytics.flush().expect("the store takes everything");
        }
        if (number + 1) % (hits / 10) == 0 {
            eprintln!("{}: {} of {hits} hits after {:.0} s", directory.display(), number + 1, began.elapsed().as_secs_f64());
        }
    }
    clock.set(SystemTime::UNIX_EPOCH + NOW);
    analytics.flush().expect("the store takes everything");
    analytics.shutdown(Duration::from_secs(30)).expect("a clean stop");
}

/// Minutes by their beginning, each with how much comes in it: that follows the sun, and is less at weekends.
fn minutes(start: f64, length: f64) -> impl Iterator<Item = (f64, f64)> {
    (0..(length / 60.0) as u32).map(move |minute| {
        let at = f64::from(minute) * 60.0;
        let day = (start + at) / DAY;
        let weekend = if (day as u64 + 3) % 7 >= 5 { 0.75 } else { 1.0 };
        (at, weekend * (1.0 - 0.8 * (day.fract() * std::f64::consts::TAU).cos()))
    })
}

impl Year {
    /// Whoever comes at such a part of the year.
    fn guest(&mut self, time: f64) -> Guest {
        let left = self.rng.u32(1..14);
        self.guests += 1;
        let number = self.guests;
        let kind = self.rng.u32(..100);
        if kind < 12 {
            let bot = (kind < 3).then(|| BOTS[kind as usize]);
            return Guest { user: None, bot, device: Default::default(), number, left };
        }
        // Some were there before, the others come one after another; those who came lately come most, and some always.
        let wanted = ((0.15 + 0.85 * time) * USERS) as u64;
        let user = if time > 0.02 && self.known < wanted {
            self.known += 1;
            self.known
        } else if time <= 0.02 || self.rng.f64() < 0.3 {
            (self.rng.f64().powi(3) * 0.15 * USERS) as u64
        } else {
            self.known - (self.rng.f64().powi(2) * self.known as f64) as u64
        };
        self.known = self.known.max(user);
        let platform = (user % 5) as usize;
        // Everybody takes up a new version at a pace of their own.
        let lag = (user * 2_654_435_761 % 1000) as f64 / 1000.0;
        let version = ((time - lag * lag * 0.2) * VERSIONS).clamp(0.0, VERSIONS - 1.0) as u32;
        let device = [PLATFORMS[platform].to_owned(), format!("3.{version}.0"), format!("Device {}", user % 40)];
        Guest { user: Some(user), bot: None, device, number, left }
    }

    fn hit(&mut self, guest: &Guest, now: SystemTime) -> Hit {
        let skewed = self.rng.f64() * self.rng.f64();
        let mut hit = Hit::new("GET", &self.endpoints[(skewed * 200.0) as usize]);
        if let Some(user) = guest.user {
            hit.set_user(&format!("user-{user:07}"));
        }
        let [platform, version, name] = &guest.device;
        hit.set_client(platform, version, name, guest.bot.unwrap_or(BROWSER));
        hit.set_address(Ipv4Addr::from_bits(guest.number.wrapping_mul(2_654_435_761) as u32).into());
        hit.set_session_key(&format!("{:x}-4f9c2d1e-8a7b-4c3d", guest.number));
        match self.rng.u32(..1000) {
            kind @ 0..10 => {
                hit.set_status(500);
                if kind == 0 {
                    hit.set_error("database", ["timed out", "the pool is empty", "no such column"][self.rng.usize(..3)]);
                }
            }
            10..40 => hit.set_status(404),
            40..45 => hit.set_outcome(Outcome::Aborted),
            _ => hit.set_status(200),
        }
        let micros = 400 + (self.rng.f64().powi(6) * 200_000.0) as u64;
        hit.set_times(Duration::from_micros(micros), Duration::from_micros(30));
        hit.set_bytes(0, self.rng.u64(200..20_000));
        hit.set_at(now);
        hit
    }
}

//! Made-up hits of a service with 30 000 users and 200 endpoints, a million a day, ten or so to a session.

use std::time::{Duration, SystemTime};

use tower_analytics::{Clock, Hit};

/// 2026-11-02, a Monday.
const START: Duration = Duration::from_secs(1_793_577_600);

pub struct Traffic {
    rng: fastrand::Rng,
    pub users: u64,
    endpoints: Vec<String>,
    devices: Vec<[String; 4]>,
    /// Who is here now, with the hits that they have left.
    here: Vec<(u64, u32)>,
    hit: Hit,
    at: Duration,
    step: Duration,
}

impl Traffic {
    /// So many users, of whom so many are here at a time, and so many hits a day of the clock.
    pub fn new(users: u64, here: usize, a_day: u32) -> Self {
        let mut rng = fastrand::Rng::with_seed(4711);
        let endpoints = (0..200).map(|n| format!("/api/v1/things{n}/{{id}}")).collect();
        let agents =
            ["Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36", "okhttp/5.0"];
        let device = |n: usize| match n % 3 {
            0 => [String::new(), String::new(), String::new(), agents[0].to_owned()],
            1 => ["android".to_owned(), format!("3.{}.0", n / 3), format!("Pixel {}", n % 4 + 6), agents[1].to_owned()],
            _ => ["ios".to_owned(), format!("3.{}.1", n / 3), "iPhone".to_owned(), String::new()],
        };
        let here = (0..here).map(|_| (rng.u64(..users), rng.u32(1..20))).collect();
        let devices = (0..45).map(device).collect();
        Self { rng, users, endpoints, devices, here, hit: Hit::new("GET", "/"), at: START, step: Duration::from_secs(86_400) / a_day }
    }

    /// The clock that runs with the hits.
    pub fn clock() -> Clock {
        Clock::manual(SystemTime::UNIX_EPOCH + START)
    }

    /// The next hit; moves the clock there.
    pub fn next(&mut self, clock: &Clock) -> &Hit {
        self.at += self.step;
        clock.set(SystemTime::UNIX_EPOCH + self.at);
        let place = self.rng.usize(..self.here.len());
        let (user, left) = self.here[place];
        self.here[place] = if left == 0 { (self.rng.u64(..self.users), self.rng.u32(1..20)) } else { (user, left - 1) };
        // A few endpoints have most of the hits.
        let skewed = self.rng.f32() * self.rng.f32();
        self.hit = Hit::new("GET", &self.endpoints[(skewed * 200.0) as usize]);
        let hit = &mut self.hit;
        hit.set_user(&format!("user-{user:07}"));
        let [platform, version, name, agent] = &self.devices[(user % 45) as usize];
        hit.set_client(platform, version, name, agent);
        hit.set_session_key(&format!("{user:x}-4f9c2d1e-8a7b-4c3d"));
        hit.set_status(match self.rng.u8(..) {
            0 => 500,
            1..8 => 404,
            _ => 200,
        });
        let micros = 400 + (self.rng.f64().powi(6) * 200_000.0) as u64;
        hit.set_times(Duration::from_micros(micros), Duration::from_micros(30));
        hit.set_bytes(0, self.rng.u64(200..20_000));
        hit.set_at(clock.now());
        &self.hit
    }
}

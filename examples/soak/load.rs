//! Hits, and the time they take with them: users, visitors, bots, failures, and some that come months too late.

use std::{
    collections::VecDeque,
    net::{IpAddr, Ipv4Addr},
    sync::atomic::Ordering::Relaxed,
    thread,
    time::{Duration, Instant},
};

use axum::{Router, body::Body, extract::Request, routing::get};
use fastrand::Rng;
use http_body_util::BodyExt;
use tower::ServiceExt;
use tower_analytics::{Analytics, Clock, Head, Hit, User};

use crate::tally::Tally;

/// A month goes by in so many seconds.
const MONTH: u64 = 20;
const DAY: Duration = Duration::from_secs(86_400);
pub(crate) const USERS: u64 = 5000;
/// Few at once: the next hit of each must come before their session ends.
const PRESENT: u64 = 20;
const HITS_A_VISIT: u32 = 10;
/// One hit of so many comes through the layer, and one of so many too late.
const LAYERED: u64 = 8;
const LATE: u32 = 500;

const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36";
const BOT: &str = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";

/// Whose request it is, for the layer.
pub(crate) fn user(head: &Head<'_>) -> Option<User> {
    head.header("x-user-id").map(User::new)
}

pub(crate) fn run(analytics: &Analytics, clock: &Clock, rate: u64, tally: &Tally) {
    let runtime = match tokio::runtime::Builder::new_current_thread().build() {
        Ok(runtime) => runtime,
        Err(error) => return tally.failed(format!("no load: {error}")),
    };
    let app = Router::new().route("/items/{id}", get(|| async { "an item" })).layer(analytics.layer()).with_state(());
    let routes: Vec<String> = (0..40).map(|n| format!("/api/things{n}/{{id}}")).collect();
    let mut rng = Rng::with_seed(4711);
    let mut present: VecDeque<u64> = (0..PRESENT).map(|_| rng.u64(..USERS)).collect();
    let step = DAY * 365 / 12 / (MONTH * rate) as u32;
    let (start, mut sent) = (Instant::now(), 0);
    while !tally.is_over() {
        let due = start.elapsed().as_millis() as u64 * rate / 1000;
        while sent < due && !tally.is_over() {
            clock.advance(step);
            // Each of those who are here comes back in turn; now and then one leaves for another.
            let who = present.pop_front().unwrap_or_default();
            present.push_back(if rng.u32(..HITS_A_VISIT) == 0 { rng.u64(..USERS) } else { who });
            if sent % LAYERED == 0 {
                runtime.block_on(request(&app, who));
            } else {
                analytics.record(&hit(&mut rng, clock, &routes, who));
            }
            sent += 1;
            tally.sent.store(sent, Relaxed);
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// One request through the layer, to the end of its body: then it is recorded.
async fn request(app: &Router, who: u64) {
    let request = Request::get(format!("/items/{who}"))
        .header("user-agent", BROWSER)
        .header("x-platform", "web")
        .header("x-user-id", format!("user-{who}"))
        .body(Body::empty());
    let Ok(request) = request else { return };
    match app.clone().oneshot(request).await {
        Ok(response) => drop(response.into_body().collect().await),
        Err(never) => match never {},
    }
}

fn hit(rng: &mut Rng, clock: &Clock, routes: &[String], who: u64) -> Hit {
    let mut hit = Hit::new(if rng.u32(..4) == 0 { "POST" } else { "GET" }, &routes[(rng.f32() * rng.f32() * routes.len() as f32) as usize]);
    hit.set_times(Duration::from_micros(400 + rng.u64(..9000)), Duration::from_micros(30));
    hit.set_bytes(rng.u64(..200), rng.u64(..20_000));
    match who % 20 {
        // Bots and visitors have no name.
        0 => hit.set_client("", "", "", BOT),
        1..=5 => hit.set_client("web", "", "", BROWSER),
        _ => {
            hit.set_user(&format!("user-{who}"));
            hit.set_session_key(&format!("key-{who}"));
            hit.set_client("android", &format!("3.{}.0", who % 15), "Pixel 9", "okhttp/5.0");
        }
    }
    hit.set_address(IpAddr::V4(Ipv4Addr::new(10, (who >> 8) as u8, who as u8, 1)));
    match rng.u32(..100) {
        0 => {
            hit.set_status(500);
            hit.set_error("warehouse", &format!("shelf {} is empty", rng.u32(..50)));
        }
        1..=3 => hit.set_status(404),
        _ => {}
    }
    if rng.u32(..LATE) == 0 {
        hit.set_at(clock.now() - DAY * rng.u32(..150));
    }
    hit
}

//! Constant load by the real clock, and what it takes: a line a minute.
//!
//! `memory [MINUTES] [HITS_A_SECOND] [HERE] [USERS] [HITS_A_SESSION] [TIMEOUT_MINUTES]`; whoever leaves has an open session until
//! the timeout, so that after it some 100 000 are open.

use std::{
    collections::VecDeque,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant, SystemTime},
};

use tower_analytics::{Analytics, Ask, Clock, Hit, Reports};
use tower_analytics_benches::{memory, peak_memory};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if args.get(1).is_some_and(|arg| arg == "fill") {
        return fill(args[2].as_ref(), args[3].parse().expect("a number of users"));
    }
    if args.get(1).is_some_and(|arg| arg == "ask") {
        let reports = Reports::open(&args[2]).expect("a directory");
        return println!("{}", reports.stats(&Ask::last_days(1)).expect("an answer").active_sessions);
    }
    let mut args = std::env::args().skip(1).map(|arg| arg.parse::<u64>().expect("six numbers"));
    let mut next = |default| args.next().unwrap_or(default);
    let (minutes, rate, here, users) = (next(60), next(3000), next(10_000), next(1_000_000));
    let (hits_a_session, timeout) = (next(20) as u32, Duration::from_secs(60 * next(10)));
    let directory = tempfile::tempdir().expect("a directory");
    // In processes of their own, whose memory is not this one's: whoever was here before, and whoever asks.
    let other = |what: &str| {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.arg(what).arg(directory.path());
        command
    };
    assert!(other("fill").arg(users.to_string()).status().expect("it starts").success());
    let before = memory();
    let analytics = Analytics::builder(directory.path()).session_timeout(timeout).build().expect("the directory can be opened");
    let mut rng = fastrand::Rng::with_seed(4711);
    println!("{users} users were here before; {} MB", (memory() - before) >> 20);

    // Each of those who are here comes back in turn; now and then one leaves for another.
    let mut present: VecDeque<u64> = (0..here).map(|_| rng.u64(..users)).collect();
    let routes: Vec<String> = (0..200).map(|n| format!("/api/v1/things{n}/{{id}}")).collect();
    let (start, mut sent) = (Instant::now(), 0_u64);
    println!("minute        hits  dropped  sessions open  memory MB  file MB  writer busy %  slowest record ms");
    for minute in 1..=minutes {
        let (mut slowest, busy) = (Duration::ZERO, analytics.counters().busy_us);
        while start.elapsed() < Duration::from_secs(60 * minute) {
            let due = start.elapsed().as_millis() as u64 * rate / 1000;
            while sent < due {
                let user = present.pop_front().unwrap_or_default();
                present.push_back(if rng.u32(..hits_a_session) == 0 { rng.u64(..users) } else { user });
                let mut hit = Hit::new("GET", &routes[(rng.f32() * rng.f32() * 200.0) as usize]);
                hit.set_user(&format!("user-{user:07}"));
                hit.set_client("android", &format!("3.{}.0", user % 15), "Pixel 9", "okhttp/5.0");
                hit.set_times(Duration::from_micros(400 + rng.u64(..9000)), Duration::from_micros(30));
                let at = Instant::now();
                analytics.record(&hit);
                slowest = slowest.max(at.elapsed());
                sent += 1;
            }
            thread::sleep(Duration::from_millis(5));
        }
        let counters = analytics.counters();
        let busy = (counters.busy_us - busy) as f64 / 60e4;
        let active = other("ask").output().expect("it starts").stdout;
        let files = std::fs::read_dir(directory.path())
            .expect("the directory")
            .filter_map(|entry| entry.ok()?.metadata().ok())
            .map(|meta| meta.len());
        println!(
            "{minute:>6} {:>11} {:>8} {:>14} {:>10} {:>8} {busy:>14.1} {:>22.3}",
            counters.written,
            counters.dropped(),
            String::from_utf8_lossy(&active).trim(),
            (memory() - before) >> 20,
            files.sum::<u64>() >> 20,
            slowest.as_secs_f64() * 1e3
        );
    }
    analytics.shutdown(Duration::from_secs(30)).expect("a clean stop");
    println!("at most {} MB in all", peak_memory() >> 20);
}

/// Everybody was here once, two days ago.
fn fill(directory: &Path, users: u64) {
    let clock = Clock::manual(SystemTime::now() - Duration::from_secs(2 * 86_400));
    let analytics = Analytics::builder(directory).clock(clock.clone()).build().expect("an empty directory can be opened");
    for user in 0..users {
        let mut hit = Hit::new("GET", "/api/v1/hello");
        hit.set_user(&format!("user-{user:07}"));
        clock.advance(Duration::from_millis(20));
        analytics.recorder().send(&hit, Duration::from_secs(60)).expect("the store takes everything");
    }
    // All is recorded before their time is over: what comes later than that counts as hits of the past.
    analytics.flush().expect("the store takes everything");
    clock.advance(Duration::from_secs(3600));
    analytics.flush().expect("the store takes everything");
    analytics.shutdown(Duration::from_secs(60)).expect("a clean stop");
}

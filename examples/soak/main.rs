//! A long run under constant load: years pass in minutes, while months are archived, restored, reprocessed, imported and copied, people
//! are merged and forgotten, and others ask. In the end every hit must be accounted for, and memory and file handles flat.
//!
//! `cargo run --release --example soak -- --minutes 10`; the exit code is 1 if something is wrong. Linux: it reads `/proc`.

mod care;
mod copies;
mod gauge;
mod load;
mod readers;
mod tally;
mod verdict;

use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    thread,
    time::{Duration, Instant, UNIX_EPOCH},
};

use clap::Parser;
use tower_analytics::{Analytics, Clock};

use self::{
    gauge::{Gauge, Sample},
    tally::Tally,
};

#[derive(Parser)]
#[command(about = "Constant load, and all that can be done to what is stored, at once")]
struct Flags {
    /// How long; whether memory and handles stay flat can be said from 7 on
    #[arg(long, default_value_t = 7.0)]
    minutes: f64,
    /// An empty directory to record in, which is kept [default: a temporary one]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Hits a second
    #[arg(long, default_value_t = 4000, value_parser = clap::value_parser!(u64).range(1..=50_000))]
    rate: u64,
}

/// 2026-01-01.
const START: u64 = 1_767_225_600;
/// So long a line holds.
const LINE: Duration = Duration::from_secs(30);

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let flags = Flags::parse();
    let scratch = tempfile::tempdir()?;
    let data = flags.data.clone().unwrap_or_else(|| scratch.path().join("data"));
    if fs::read_dir(&data).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(format!("{} is not empty: name a directory that is, or none", data.display()).into());
    }
    let clock = Clock::manual(UNIX_EPOCH + Duration::from_secs(START));
    let analytics = Analytics::builder(&data).clock(clock.clone()).user(load::user).build()?;
    let tally = Tally::default();
    let samples = run(&flags, &analytics, &clock, &data, scratch.path(), &tally);

    let wrong = verdict::of(&analytics, &data, &tally, &samples)?;
    for what in &wrong {
        println!("WRONG: {what}");
    }
    println!("{}", if wrong.is_empty() { "All is well." } else { "Not all is well." });
    Ok(if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Everybody at once, until the time is over.
fn run(flags: &Flags, analytics: &Analytics, clock: &Clock, data: &Path, scratch: &Path, tally: &Tally) -> Vec<Sample> {
    let (start, mut gauge, mut lines) = (Instant::now(), Gauge::new(data), 1);
    thread::scope(|scope| {
        scope.spawn(|| load::run(analytics, clock, flags.rate, tally));
        scope.spawn(|| care::run(analytics, clock, scratch, tally));
        scope.spawn(|| copies::run(&analytics.reports(), scratch, tally));
        for reader in 0..3 {
            scope.spawn(move || readers::run(&analytics.reports(), reader, tally));
        }
        while start.elapsed().as_secs_f64() < flags.minutes * 60.0 {
            thread::sleep(Duration::from_secs(1));
            let sample = gauge.take();
            if start.elapsed() >= LINE * lines {
                lines += 1;
                println!("{}", tally.line(start.elapsed(), clock.now(), &analytics.counters(), sample, gauge.bytes()));
            }
        }
        tally.stop();
    });
    println!("{}", tally.line(start.elapsed(), clock.now(), &analytics.counters(), gauge.take(), gauge.bytes()));
    gauge.samples
}

//! How large the files are, how fast they were written, and how much memory that took: so many millions of hits.
//!
//! `size [MILLIONS] [USERS] [HERE] [HITS_A_DAY]`

use std::{
    path::Path,
    time::{Duration, Instant},
};

use tower_analytics::{Analytics, Ask};
use tower_analytics_benches::{memory, traffic::Traffic};

const MILLION: u64 = 1_000_000;

fn main() {
    let mut args = std::env::args().skip(1).map(|arg| arg.parse::<u64>().expect("numbers: MILLIONS, USERS, HERE, HITS_A_DAY"));
    let mut next = |default| args.next().unwrap_or(default);
    let (millions, users, here, a_day) = (next(1), next(30_000), next(300), next(MILLION));
    let directory = tempfile::tempdir().expect("a directory");
    let clock = Traffic::clock();
    let mut traffic = Traffic::new(users, here as usize, a_day as u32);
    let before = memory();
    let builder = Analytics::builder(directory.path()).clock(clock.clone()).queue_bytes(6 << 20);
    let analytics = builder.build().expect("an empty directory can be opened");
    let start = Instant::now();
    for million in 1..=millions {
        let at = Instant::now();
        for _ in 0..MILLION {
            analytics.recorder().send(traffic.next(&clock), Duration::from_secs(60)).expect("the store takes everything");
        }
        println!(
            "million {million}: {:.0} hits/s, {} MB more memory than before",
            MILLION as f64 / at.elapsed().as_secs_f64(),
            (memory() - before) >> 20
        );
    }
    analytics.flush().expect("the store takes everything");
    let counters = analytics.counters();
    let hits = counters.written as f64;
    println!(
        "{hits} hits in {:.1} s, {:.1} s of them the writer's, {} batches",
        start.elapsed().as_secs_f64(),
        counters.busy_us as f64 / 1e6,
        counters.batches
    );
    let at = Instant::now();
    let stats = analytics.reports().stats(&Ask::all_time()).expect("an answer");
    println!("{} users counted in {:.1} ms", stats.total_users, at.elapsed().as_secs_f64() * 1e3);
    println!(
        "memory: {} MB more than before, at most {} MB in all",
        (memory() - before) >> 20,
        tower_analytics_benches::peak_memory() >> 20
    );
    analytics.shutdown(Duration::from_secs(30)).expect("a clean stop");
    // The last one who reads takes the logs beside the files along.
    drop(analytics);
    sizes(directory.path(), hits);
}

fn sizes(directory: &Path, hits: f64) {
    let mut all = 0;
    for entry in std::fs::read_dir(directory).expect("the directory").map(|entry| entry.expect("a file")) {
        let bytes = entry.metadata().expect("a file").len();
        all += bytes;
        println!("{:<24} {:>12} {:>6.2} bytes a hit", entry.file_name().display(), bytes, bytes as f64 / hits);
    }
    println!("{:<24} {all:>12} {:>6.2} bytes a hit", "all", all as f64 / hits);
    let main = rusqlite::Connection::open(directory.join("analytics.db")).expect("analytics.db");
    let tables = "select name, sum(pgsize) from dbstat group by name order by 2 desc limit 16";
    let mut statement = main.prepare(tables).expect("dbstat is compiled in");
    let mut rows = statement.query([]).expect("rows");
    while let Some(row) = rows.next().expect("a row") {
        let (name, bytes): (String, i64) = (row.get(0).expect("a name"), row.get(1).expect("bytes"));
        println!("  {name:<40} {bytes:>12} {:>6.2}", bytes as f64 / hits);
    }
}

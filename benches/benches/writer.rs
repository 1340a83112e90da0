//! Hits a second on one writer: through recorder, dictionaries, sessions, folds and SQLite, and read again by a reprocess; beside a
//! loop that appends rows of the same columns with rusqlite and does nothing else.

use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rusqlite::{Connection, params};
use tower_analytics::Analytics;
use tower_analytics_benches::traffic::Traffic;

const HITS: u64 = 1_000_000;
const BATCH: u64 = 8192;

/// Less than a session's timeout of hits in the queue, by the clock that runs with them.
const QUEUE_BYTES: usize = 6 << 20;

fn writer(c: &mut Criterion) {
    let mut group = c.benchmark_group("writer");
    group.throughput(Throughput::Elements(HITS)).sample_size(10).measurement_time(Duration::from_secs(20));

    group.bench_function("bare rusqlite loop", |b| {
        let directory = tempfile::tempdir().expect("a directory");
        let mut bare = Bare::open(directory.path());
        b.iter_custom(|times| (0..times).map(|_| bare.append(HITS)).sum());
    });

    let directory = tempfile::tempdir().expect("a directory");
    let clock = Traffic::clock();
    let builder = Analytics::builder(directory.path()).clock(clock.clone()).queue_bytes(QUEUE_BYTES);
    let analytics = builder.build().expect("an empty directory can be opened");
    let mut traffic = Traffic::new(30_000, 300, 1_000_000);
    group.bench_function("recorder to SQLite", |b| {
        b.iter_custom(|times| {
            let before = analytics.counters().busy_us;
            for _ in 0..times * HITS {
                analytics.recorder().send(traffic.next(&clock), Duration::from_secs(60)).expect("the store takes everything");
            }
            analytics.flush().expect("the store takes everything");
            // The writer's own time: making up hits on the other core is not what is measured.
            Duration::from_micros(analytics.counters().busy_us - before)
        });
    });

    let stored = analytics.counters().written;
    group.throughput(Throughput::Elements(stored)).bench_function("reprocess", |b| {
        b.iter_custom(|times| {
            let start = Instant::now();
            (0..times).for_each(|_| analytics.maintenance().reprocess(|_, _| {}).expect("it can be read again"));
            start.elapsed()
        });
    });
    group.finish();
    analytics.shutdown(Duration::from_secs(30)).expect("a clean stop");
}

struct Bare {
    connection: Connection,
    next: i64,
}

impl Bare {
    fn open(directory: &std::path::Path) -> Self {
        let connection = Connection::open(directory.join("bare.db")).expect("a file");
        let pragmas =
            "pragma journal_mode = wal; pragma synchronous = normal; pragma wal_autocheckpoint = 4000; pragma cache_size = -8192;";
        connection.execute_batch(pragmas).expect("pragmas");
        let table = include_str!("../../src/store/part/part.sql").replace("NNNNNN", "202611");
        connection.execute_batch(&table).expect("a table");
        Self { connection, next: 1 }
    }

    fn append(&mut self, rows: u64) -> Duration {
        let start = Instant::now();
        for _ in 0..rows / BATCH {
            let tx = self.connection.transaction().expect("a transaction");
            {
                let insert = include_str!("../../src/store/raw_insert.sql").replace("NNNNNN", "202611");
                let mut statement = tx.prepare_cached(&insert).expect("a statement");
                for _ in 0..BATCH {
                    let n = self.next;
                    self.next += 1;
                    let row = params![
                        n,
                        n * 86,
                        n / 10,
                        n * 7 % 30_000,
                        n * 13 % 200,
                        n % 45,
                        4296,
                        400 + n * 31 % 9999,
                        30,
                        0,
                        200 + n * 17 % 20_000,
                        0
                    ];
                    statement.execute(row).expect("a row");
                }
            }
            tx.commit().expect("a commit");
        }
        // As if the rows had been a multiple of the batch.
        start.elapsed().mul_f64(rows as f64 / (rows / BATCH * BATCH) as f64)
    }
}

criterion_group!(benches, writer);
criterion_main!(benches);

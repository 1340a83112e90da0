//! Every question for 30 days and for all time, of a million hits of a year and of ten; beside it the same of raw rows in SQL.
//!
//! The year is made once, which takes some minutes, and is kept in `bench-data` below the target directory.

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use tower_analytics_benches::questions::{Asked, QUESTIONS, Year};

fn questions(c: &mut Criterion) {
    for (asked, name) in [(Asked::Days30, "30 days"), (Asked::AllTime, "all time")] {
        for year in Year::both() {
            let mut group = c.benchmark_group(format!("{name} of {}", year.name));
            group.sample_size(10).warm_up_time(Duration::from_millis(100)).measurement_time(Duration::from_millis(400));
            for question in QUESTIONS {
                group.bench_function(question.name, |b| b.iter(|| year.ask(question, asked)));
                // Seconds each, ten times: `--bin questions` asks them less often.
                let is_long = asked == Asked::AllTime && year.name == "10 M";
                if !is_long && question.is_plain() {
                    group.bench_function(format!("{} of raw rows", question.name), |b| b.iter(|| year.ask_raw(question, asked)));
                }
            }
            group.finish();
        }
    }
}

criterion_group!(benches, questions);
criterion_main!(benches);

//! What each layer adds to a request, in nanoseconds.
//!
//! The variants take turns, a thousand requests each, for many rounds: a machine that slows down or is shared slows them
//! all alike. Each round gives one difference to the bare app; the median of those is printed.

use axum::Router;
use tower_analytics_benches::{all, spent};

const REQUESTS: u64 = 1000;

fn main() {
    let rounds = std::env::args().nth(1).map_or(600, |text| text.parse().expect("a number of rounds"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let _inside = runtime.enter();
    let (apps, recorder) = all();
    let mut rows: Vec<(&str, Router, Vec<f64>)> = apps.map(|(name, app)| (name, app, Vec::new())).into();

    // A tenth of the rounds warms up: buffers grow, branches are learned.
    for round in 0..rounds + rounds / 10 {
        // Each takes every place in the turn, and follows each of the others: what one leaves behind is shared by all.
        let (turn, stride) = (round % rows.len(), 1 + round / rows.len() % (rows.len() - 1));
        for place in 0..rows.len() {
            let (_, app, times) = &mut rows[(turn + place * stride) % 5];
            recorder.flush().expect("the sink takes everything");
            // The wait for the writer has cooled the caches, longer for some than for others.
            spent(&runtime, app, REQUESTS / 10);
            let time = spent(&runtime, app, REQUESTS);
            if round >= rounds / 10 {
                times.push(time.as_nanos() as f64 / REQUESTS as f64);
            }
        }
    }

    let base = rows[0].2.clone();
    let bare_median = median(base.clone());
    println!("{:<12} {:>10} {:>10} {:>8}", "", "ns/request", "added ns", "ratio");
    for (name, _, times) in &rows {
        let added = median(times.iter().zip(&base).map(|(time, base)| time - base).collect());
        let ratio = (bare_median + added) / bare_median;
        println!("{name:<12} {:>10.0} {added:>10.0} {ratio:>8.2}", median(times.clone()));
    }
    println!("dropped: {} of {}", recorder.counters().dropped(), recorder.counters().written);
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

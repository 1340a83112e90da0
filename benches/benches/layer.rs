//! One request through the app: bare, and with each layer, timed as `overhead` does. That one says what each adds, as it lets
//! them take turns; here are the whole times.

use criterion::{Criterion, criterion_group, criterion_main};
use tower_analytics_benches::{all, spent};

const TURN: usize = 1000;

fn layer(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let _inside = runtime.enter();
    let (apps, recorder) = all();
    let mut group = c.benchmark_group("request");
    for (name, mut app) in apps {
        let mut turn = |requests| {
            // The writer is idle again before the next turn, as for all the other rows.
            recorder.flush().expect("the sink takes everything");
            spent(&runtime, &mut app, TURN as u64 / 10);
            spent(&runtime, &mut app, requests)
        };
        group.bench_function(name, |b| {
            b.iter_custom(|requests| (0..requests).step_by(TURN).map(|start| turn(TURN.min((requests - start) as usize) as u64)).sum());
        });
    }
    group.finish();
    println!("dropped: {}", recorder.counters().dropped());
}

criterion_group!(benches, layer);
criterion_main!(benches);

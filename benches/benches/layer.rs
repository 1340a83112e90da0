//! One request through the app: bare, and with each layer. `overhead` says what each adds; here are the whole times.

use axum::Router;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use tower_analytics_benches::{analytics, bare, drive, nothing, prometheus, request, trace};

fn layer(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let _inside = runtime.enter();
    let (ours, _, recorder) = analytics();
    let rows: [(&str, Router); 5] =
        [("bare", bare()), ("nothing", nothing()), ("analytics", ours), ("trace", trace()), ("prometheus", prometheus())];
    let mut group = c.benchmark_group("request");
    for (name, app) in rows {
        // A server does so too: else axum would build each route anew for every request.
        let mut app: Router = app.with_state(());
        let mut number = 0;
        group.bench_function(name, |b| {
            b.iter_batched(
                || {
                    number += 1;
                    request(number)
                },
                |request| runtime.block_on(drive(&mut app, request)),
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
    println!("dropped: {}", recorder.counters().dropped());
}

criterion_group!(benches, layer);
criterion_main!(benches);

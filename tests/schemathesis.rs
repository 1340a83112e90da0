//! The description of the API, and a program that takes it at its word.

use std::{process::Command, time::Duration};

use axum::Router;
use tower_analytics::{Analytics, Clock, Head, Hit, Role};

#[test]
#[ignore = "needs schemathesis: pip install schemathesis"]
fn schemathesis_finds_no_answer_that_is_not_described() {
    let (analytics, clock) = Analytics::testing();
    fill(&analytics, &clock);
    let guard = |head: &Head<'_>| (head.header("authorization") == Some("Bearer of good news")).then_some(Role::Mod);
    let app: Router = Router::new().merge(analytics.dashboard(guard));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(axum::serve(listener, app).into_future());
    let program = std::env::var("SCHEMATHESIS").unwrap_or_else(|_| "schemathesis".to_owned());
    let ran = Command::new(program)
        .args(["run", &format!("http://{address}/analytics/api/openapi.json")])
        .args(["--header", "Authorization: Bearer of good news"])
        // That `days` and `from` do not go together cannot be described.
        .args(["--checks", "all", "--exclude-checks", "positive_data_acceptance"])
        .args(["--phases", "examples,coverage,fuzzing", "--max-examples", "15", "--seed", "1", "--no-color"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{}", &said[said.len().saturating_sub(6000)..]);
}

fn fill(analytics: &Analytics, clock: &Clock) {
    for n in 0..2000_u64 {
        let mut hit = Hit::new("GET", &format!("/things/{}", n % 7));
        hit.set_user(&format!("user {}", n % 50));
        hit.set_client(["ios", "android"][n as usize % 2], &format!("3.{}", n % 12), "", "");
        hit.set_status(if n % 40 == 0 { 503 } else { 200 });
        analytics.record(&hit);
        clock.advance(Duration::from_secs(1700));
    }
    analytics.flush().unwrap();
}

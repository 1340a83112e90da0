//! `stats`.

use serde_json::{Value, json};
use tower_analytics::Bots;

use super::{
    World,
    group::joined,
    question::{Question, Span},
};

pub(crate) fn stats(world: &World, question: &Question) -> Value {
    let span = question.span(world);
    let previous = span.before(world, question).map(|before| numbers(world, question, &before));
    let active = world.sessions.values().filter(|session| session.device.bot.is_empty() && world.is_active(session)).count();
    let rest = json!({
        "active_sessions": active,
        "bot_hits": world.pick(&question.with_bots(Bots::Only), &span).len(),
        "previous": previous,
    });
    joined(numbers(world, question, &span), rest)
}

fn numbers(world: &World, question: &Question, span: &Span) -> Value {
    let hits = world.pick(question, span);
    let sessions = hits.sessions().len() as i64;
    let active = |days: i32| {
        let last = Span { from: world.zone.start(span.days.end - days), ..span.clone() };
        world.pick(question, &last).users().len()
    };
    let [p50, p95, p99] = hits.p50_p95_p99();
    json!({
        "total_users": hits.users().len(),
        "new_users": hits.users().intersection(&world.newcomers(span.from, span.to)).count(),
        "visitors": hits.visitors(),
        "active_users_7d": active(7),
        "active_users_30d": active(30),
        "total_sessions": sessions,
        "avg_session_duration": (hits.time() / sessions.max(1)) as f64 / 1e3,
        "total_actions": hits.actions(),
        "total_hits": hits.len(),
        "error_hits": hits.errors(),
        "client_error_hits": hits.client_errors(),
        "aborted_hits": hits.aborted(),
        "latency_ms": {"p50": p50, "p95": p95, "p99": p99},
        "bytes_out": hits.bytes_out(),
    })
}

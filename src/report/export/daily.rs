use serde::Serialize;

use super::Out;
use crate::{
    error::Error,
    report::{
        Bots, Latency,
        base::{
            buckets::date_text,
            group::group,
            grouping::{Bucket, Counted, Grouping},
            metric::Metric,
            span::Span,
            view::View,
        },
        errors::outcome_text,
    },
    store::{Context, Dimension, Value, failure_parts},
    zone::Day,
};

/// A day's hits of one kind.
#[derive(Serialize)]
struct Row<'a> {
    day: &'a str,
    /// `people` or `bots`.
    audience: &'static str,
    dimension: &'static str,
    /// Of endpoints, failures and errors.
    endpoint: String,
    /// A platform, a device, a class of bots, the kind of an error.
    value: String,
    /// An app's version, an error's message.
    detail: String,
    status: Option<u16>,
    outcome: &'static str,
    grpc_status: Option<u8>,
    hits: u64,
    actions: u64,
    /// Where sessions are counted: they are of a device, and of no endpoint.
    sessions: Option<u64>,
    /// Seconds.
    session_time: Option<f64>,
    errors: u64,
    client_errors: u64,
    aborted: u64,
    bytes_in: u64,
    bytes_out: u64,
    users: u64,
    visitors: u64,
    p50_ms: f64,
    p95_ms: f64,
    p99_ms: f64,
}

/// With their names for people, and whether sessions are counted by them.
const DIMENSIONS: [(Dimension, &str, bool); 8] = [
    (Dimension::All, "all", true),
    (Dimension::Endpoint, "endpoint", false),
    (Dimension::Version, "version", true),
    (Dimension::Platform, "platform", true),
    (Dimension::Device, "device", true),
    (Dimension::Bot, "bot", true),
    (Dimension::Failure, "failure", false),
    (Dimension::Error, "error", false),
];

/// A day after the other, so that no more than one of them is in memory.
pub(super) fn write(view: &mut View<'_, '_>, out: &mut Out<'_>) -> Result<(), Error> {
    let audiences: &[(Bots, &str)] = match view.filter.bots {
        Bots::Exclude => &[(Bots::Exclude, "people")],
        Bots::Only => &[(Bots::Only, "bots")],
        Bots::Include => &[(Bots::Exclude, "people"), (Bots::Only, "bots")],
    };
    let (known, span) = (view.all_days(), view.span.clone());
    // Nothing is known of days before and after.
    for day in span.touched.start.max(known.start)..span.touched.end.min(known.end) {
        let whole = view.zone.span_of(day);
        let at = whole.start.max(span.at.start)..whole.end.min(span.at.end);
        let span = Span::of(&view.zone, at);
        for (bots, audience) in audiences {
            view.filter.bots = *bots;
            for (by, dimension, sessions) in DIMENSIONS {
                of_day(view, &span, (day, audience), (by, dimension, sessions), out)?;
            }
        }
    }
    Ok(())
}

fn of_day(
    view: &mut View<'_, '_>,
    span: &Span,
    (day, audience): (Day, &'static str),
    (by, dimension, sessions): (Dimension, &'static str, bool),
    out: &mut Out<'_>,
) -> Result<(), Error> {
    let counted = if sessions { Counted::All } else { Counted::Single };
    let grouping = Grouping { by, bucket: Bucket::One, counted, latency: true, users: true, visitors: true, recent: None };
    let groups = group(view, span, &grouping)?;
    let mut groups: Vec<(Value, Metric)> = groups.into_iter().map(|((_, value), metric)| (value, metric)).collect();
    groups.retain(|(_, metric)| metric.hits() > 0 || metric.sessions() > 0);
    groups.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    let day = date_text(day);
    for (value, metric) in &groups {
        let named = named(view, by, value)?;
        let (sums, Latency { p50, p95, p99 }) = (metric.sums, metric.latency());
        let millis = |time: std::time::Duration| time.as_micros() as f64 / 1e3;
        out.row(&Row {
            day: &day,
            audience,
            dimension,
            endpoint: named.endpoint,
            value: named.value,
            detail: named.detail,
            status: named.status,
            outcome: named.outcome,
            grpc_status: named.grpc_status,
            hits: metric.hits(),
            actions: sums.actions.unsigned_abs(),
            sessions: sessions.then_some(metric.sessions()),
            session_time: sessions.then_some(sums.time as f64 / 1e3),
            errors: metric.errors(),
            client_errors: sums.client_errors.unsigned_abs(),
            aborted: sums.aborted.unsigned_abs(),
            bytes_in: sums.bytes_in.unsigned_abs(),
            bytes_out: sums.bytes_out.unsigned_abs(),
            users: metric.count_users(view),
            visitors: metric.visitors,
            p50_ms: millis(p50),
            p95_ms: millis(p95),
            p99_ms: millis(p99),
        })?;
    }
    Ok(())
}

#[derive(Default)]
struct Named {
    endpoint: String,
    value: String,
    detail: String,
    status: Option<u16>,
    outcome: &'static str,
    grpc_status: Option<u8>,
}

fn named(view: &View<'_, '_>, by: Dimension, value: &Value) -> Result<Named, Error> {
    let plain = |value: String| Named { value, ..Named::default() };
    Ok(match (by, value) {
        (Dimension::All, _) => Named::default(),
        (Dimension::Endpoint, Value::Number(number)) => Named { endpoint: view.names()?.text(*number), ..Named::default() },
        (Dimension::Failure, Value::Number(number)) => {
            let (endpoint, outcome) = failure_parts(*number);
            Named {
                endpoint: view.names()?.text(endpoint.into()),
                status: Some(outcome.status()),
                outcome: outcome_text(outcome.outcome()),
                grpc_status: outcome.grpc_status(),
                ..Named::default()
            }
        }
        (Dimension::Error, Value::Number(number)) => {
            let look_up = || {
                let mut statement = view.main().prepare_cached(include_str!("../errors.sql"))?;
                rusqlite::OptionalExtension::optional(
                    statement.query_row([number], |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, i64>(2)?))),
                )
            };
            let (value, detail, endpoint) = look_up().context("read errors")?.unwrap_or_default();
            Named { endpoint: view.names()?.text(endpoint), value, detail, ..Named::default() }
        }
        (_, Value::Name(name)) => match name.split_once('\u{1f}') {
            Some((platform, version)) => Named { value: platform.to_owned(), detail: version.to_owned(), ..Named::default() },
            None => plain(name.to_string()),
        },
        (_, Value::Number(number)) => plain(number.to_string()),
    })
}

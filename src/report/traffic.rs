use std::time::{Duration, SystemTime};

use serde::Serialize;

use super::base::{
    buckets::{DayBuckets, Interval, MomentBuckets},
    group,
    grouping::{Asked, Bucket, Counted},
    json,
    metric::Metric,
    view::View,
};
use crate::{clock::from_millis, error::Error};

/// Hits over time.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Traffic {
    /// `15min`, `hour`, `day`, `week` (from Monday) or `month`.
    pub interval: String,
    /// Every step of the range, those without hits too; the last one may still go on.
    pub buckets: Vec<TrafficBucket>,
}

/// The hits of one step.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct TrafficBucket {
    /// Its first moment.
    #[serde(serialize_with = "json::time")]
    #[cfg_attr(feature = "dashboard", schemars(with = "String"))]
    pub start: SystemTime,
    /// Hits.
    pub hits: u64,
    /// Hits that are actions.
    pub actions: u64,
    /// Sessions that began.
    pub sessions: u64,
    /// The time between the actions of those sessions, in seconds.
    #[serde(serialize_with = "json::seconds")]
    #[cfg_attr(feature = "dashboard", schemars(with = "f64"))]
    pub session_time: Duration,
    /// Users, each counted once.
    pub users: u64,
    /// Hits that failed or answered 500 or more, or with a gRPC status that is not OK.
    pub errors: u64,
    /// Hits that answered 400 to 499.
    pub client_errors: u64,
    /// Hits the client gave up.
    pub aborted: u64,
    /// Bytes of response bodies.
    pub bytes_out: u64,
    /// The median of the time to the head of the response, in milliseconds.
    #[serde(rename = "p50_ms", serialize_with = "json::millis")]
    #[cfg_attr(feature = "dashboard", schemars(with = "f64"))]
    pub p50: Duration,
    /// Nineteen of twenty took at most so long.
    #[serde(rename = "p95_ms", serialize_with = "json::millis")]
    #[cfg_attr(feature = "dashboard", schemars(with = "f64"))]
    pub p95: Duration,
    /// All but one of a hundred took at most so long.
    #[serde(rename = "p99_ms", serialize_with = "json::millis")]
    #[cfg_attr(feature = "dashboard", schemars(with = "f64"))]
    pub p99: Duration,
}

pub(super) fn ask(view: &mut View<'_, '_>, interval: Option<Interval>) -> Result<Traffic, Error> {
    let span = view.span.clone();
    let interval = interval.unwrap_or_else(|| Interval::usual(&span));
    let asked = Asked { counted: Counted::All, latency: true, visitors: false };
    let (starts, metrics) = if interval >= Interval::Day {
        let buckets = DayBuckets::new(&span.touched, interval)?;
        let metrics = group::series(view, &span, Bucket::Days(&|day| buckets.place(day)), buckets.len(), asked)?;
        (buckets.starts.iter().map(|day| view.zone.start_of(*day)).collect(), metrics)
    } else {
        let buckets = MomentBuckets::new(&span, &view.hours_zone()?, interval)?;
        let metrics = group::series(view, &span, Bucket::Moments(&|at| buckets.place(at)), buckets.starts().len(), asked)?;
        (buckets.starts().to_vec(), metrics)
    };
    let bucket = |(start, metric): (i64, Metric)| {
        let (sums, latency) = (metric.sums, metric.latency());
        TrafficBucket {
            start: from_millis(start),
            hits: metric.hits(),
            actions: sums.actions.unsigned_abs(),
            sessions: metric.sessions(),
            session_time: Duration::from_millis(sums.time.unsigned_abs()),
            users: metric.count_users(view),
            errors: metric.errors(),
            client_errors: sums.client_errors.unsigned_abs(),
            aborted: sums.aborted.unsigned_abs(),
            bytes_out: sums.bytes_out.unsigned_abs(),
            p50: latency.p50,
            p95: latency.p95,
            p99: latency.p99,
        }
    };
    let buckets = starts.into_iter().zip(metrics).map(bucket).collect();
    Ok(Traffic { interval: interval.name().to_owned(), buckets })
}

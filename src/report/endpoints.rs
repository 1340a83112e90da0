use std::time::Duration;

use serde::Serialize;

use super::base::{group, json, metric::Metric, names::EndpointName, view::View};
use crate::{
    error::Error,
    store::{Dimension, Value},
};

/// One endpoint's people and how they fared.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct EndpointRow {
    /// Method and route template, as in `GET /items/{id}`; `(unmatched)` and `(other)` have no method.
    pub endpoint: String,
    /// What people call it.
    pub name: String,
    /// The key of the feature it belongs to.
    pub feature: String,
    /// Hits.
    pub hits: u64,
    /// Users, each counted once.
    pub users: u64,
    /// Hits that failed or answered 500 or more, or with a gRPC status that is not OK.
    pub errors: u64,
    /// Hits that answered 400 to 499.
    pub client_errors: u64,
    /// Hits the client gave up.
    pub aborted: u64,
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

/// Endpoints by hits, most first.
pub(super) fn ask(view: &mut View<'_, '_>) -> Result<Vec<EndpointRow>, Error> {
    let span = view.span.clone();
    let metrics = group::by_value(view, &span, Dimension::Endpoint)?;
    let names = view.names()?;
    let row = |(number, metric): (Value, Metric)| match number {
        Value::Number(number) => Some(row(view, names.endpoint(number)?, &metric)),
        Value::Name(_) => None,
    };
    let mut rows: Vec<_> = metrics.into_iter().filter_map(row).collect();
    rows.sort_by(|a, b| b.hits.cmp(&a.hits).then_with(|| a.endpoint.cmp(&b.endpoint)));
    Ok(rows)
}

fn row(view: &View<'_, '_>, name: &EndpointName, metric: &Metric) -> EndpointRow {
    let latency = metric.latency();
    EndpointRow {
        endpoint: name.endpoint.clone(),
        name: name.name.clone(),
        feature: name.feature.clone(),
        hits: metric.hits(),
        users: metric.count_users(view),
        errors: metric.errors(),
        client_errors: metric.sums.client_errors.unsigned_abs(),
        aborted: metric.sums.aborted.unsigned_abs(),
        p50: latency.p50,
        p95: latency.p95,
        p99: latency.p99,
    }
}

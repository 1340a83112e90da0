use std::collections::BTreeMap;

use super::{
    Ask, Latency,
    metrics::{self, Metric},
};
use crate::{
    clock::Millis,
    error::Error,
    store::{Aliases, Audience, Context, Dimension, Snapshot, Value},
};

/// One endpoint's people and how they fared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EndpointRow {
    /// The method; empty for `(unmatched)` and `(other)`.
    pub method: String,
    /// The route template.
    pub route: String,
    /// Hits.
    pub hits: u64,
    /// Users, each counted once.
    pub users: u64,
    /// Hits that failed or answered 500 or more, or with a gRPC status that is not OK.
    pub errors: u64,
    /// How long it took to the head of the response.
    pub latency: Latency,
}

pub(super) fn ask(snapshot: &Snapshot<'_>, ask: &Ask, now: Millis) -> Result<Vec<EndpointRow>, Error> {
    let days = ask.days(&snapshot.zone()?, now);
    let metrics = metrics::by_value(snapshot, Dimension::Endpoint, Audience::People, days.as_ref())?;
    let mut rows = rows(snapshot, metrics).context("read endpoints")?;
    rows.sort_by(|a, b| b.hits.cmp(&a.hits).then_with(|| (&a.route, &a.method).cmp(&(&b.route, &b.method))));
    Ok(rows)
}

fn rows(snapshot: &Snapshot<'_>, metrics: BTreeMap<Value, Metric>) -> rusqlite::Result<Vec<EndpointRow>> {
    let aliases = Aliases::load(snapshot.main())?;
    let mut name = snapshot.main().prepare_cached("select method, route from endpoints where number = ?")?;
    let row = |(number, metric): (Value, Metric)| {
        let (method, route) = name.query_row([number], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let count = i64::unsigned_abs;
        let (hits, errors) = (count(metric.sums.hits), count(metric.sums.errors));
        Ok(EndpointRow { method, route, hits, users: metric.count_users(&aliases), errors, latency: metric.latency() })
    };
    metrics.into_iter().map(row).collect()
}

use std::{hash::Hasher, time::SystemTime};

use hashbrown::HashMap;
use serde::Serialize;
use siphasher::sip::SipHasher13;

use super::base::{
    buckets::{DayBuckets, Interval, date_text},
    by_day, group, json,
    metric::Metric,
    scan::without_ok,
    view::View,
};
use crate::{
    clock::from_millis,
    error::Error,
    hit::Outcome,
    store::{Context, Dimension, Value, failure_parts},
};

/// What went wrong, and for whom.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Errors {
    /// The first day of each step of the trends.
    pub starts: Vec<String>,
    /// Endpoint by status, most hits first: statuses of 400 or more, what failed, and what clients gave up.
    pub failures: Vec<FailureRow>,
    /// The errors that the app attached, most hits first.
    pub errors: Vec<ErrorRow>,
}

/// An endpoint's hits of one status.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct FailureRow {
    /// Method and route template.
    pub endpoint: String,
    /// What people call it.
    pub name: String,
    /// The status.
    pub status: u16,
    /// `completed`, `failed` (the service or its body failed) or `aborted` (the client left).
    pub outcome: String,
    /// The gRPC status, if it is one that is not OK.
    pub grpc_status: Option<u8>,
    /// Hits.
    pub count: u64,
    /// Users affected.
    pub users: u64,
    /// The first day of the range on which it was seen.
    pub first_seen: String,
    /// The last day.
    pub last_seen: String,
    /// Hits of each step.
    pub trend: Vec<u64>,
}

/// Hits to which the app attached an error of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ErrorRow {
    /// Tells this error from others, in 16 hexadecimal digits; follows from kind, message and endpoint.
    pub fingerprint: String,
    /// As the app said.
    pub kind: String,
    /// The message, digits and quoted parts masked.
    pub message: String,
    /// One message as it came, cut at 1 KB.
    pub sample: String,
    /// Method and route template.
    pub endpoint: String,
    /// Hits.
    pub count: u64,
    /// Users affected.
    pub users: u64,
    /// When it was first recorded, in the range or before it.
    #[serde(serialize_with = "json::time")]
    #[cfg_attr(feature = "dashboard", schemars(with = "String"))]
    pub first_seen: SystemTime,
    /// The last day of the range on which it was seen.
    pub last_seen: String,
    /// Hits of each step.
    pub trend: Vec<u64>,
}

impl FailureRow {
    fn key(&self) -> (&str, u16, &str, Option<u8>) {
        (&self.endpoint, self.status, &self.outcome, self.grpc_status)
    }
}

/// Hits by day, as steps of a trend.
#[derive(Default)]
struct Trend {
    all: Metric,
    first: Option<i32>,
    last: Option<i32>,
    steps: Vec<u64>,
}

pub(super) fn ask(view: &mut View<'_, '_>) -> Result<Errors, Error> {
    let span = view.span.clone();
    let buckets = DayBuckets::new(&span.touched, Interval::usual_days(&span))?;
    let failures = trends(view, &buckets, Dimension::Failure)?;
    let errors = trends(view, &buckets, Dimension::Error)?;
    let names = view.names()?;
    let day = |day: Option<i32>| day.map(date_text).unwrap_or_default();
    let failure = |(number, trend): (i64, Trend)| {
        let (endpoint, outcome) = failure_parts(number);
        let name = names.endpoint(i64::from(endpoint));
        FailureRow {
            endpoint: names.text(i64::from(endpoint)),
            name: name.map(|name| name.name.clone()).unwrap_or_default(),
            status: outcome.status(),
            outcome: outcome_text(outcome.outcome()).to_owned(),
            grpc_status: outcome.grpc_status(),
            count: trend.all.hits(),
            users: trend.all.count_users(view),
            first_seen: day(trend.first),
            last_seen: day(trend.last),
            trend: trend.steps,
        }
    };
    let mut failures: Vec<_> = failures.into_iter().map(failure).collect();
    failures.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.key().cmp(&b.key())));
    let mut statement = view.main().prepare_cached(include_str!("errors.sql")).context("read errors")?;
    let error = |(number, trend): (i64, Trend)| {
        statement.query_row([number], |row| {
            let (kind, message): (String, String) = (row.get(0)?, row.get(1)?);
            let endpoint = names.text(row.get(2)?);
            Ok(ErrorRow {
                fingerprint: fingerprint(&kind, &message, &endpoint),
                kind,
                message,
                sample: row.get(3)?,
                endpoint,
                count: trend.all.hits(),
                users: trend.all.count_users(view),
                first_seen: from_millis(row.get(4)?),
                last_seen: day(trend.last),
                trend: trend.steps,
            })
        })
    };
    let mut errors = errors.into_iter().map(error).collect::<rusqlite::Result<Vec<_>>>().context("read errors")?;
    errors.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.fingerprint.cmp(&b.fingerprint)));
    Ok(Errors { starts: buckets.starts.iter().map(|day| date_text(*day)).collect(), failures, errors })
}

fn trends(view: &mut View<'_, '_>, buckets: &DayBuckets, by: Dimension) -> Result<HashMap<i64, Trend>, Error> {
    let span = view.span.clone();
    let mut trends: HashMap<i64, Trend> = HashMap::new();
    for (value, all) in group::counts_by_value(view, &span, by)? {
        let Value::Number(number) = value else { continue };
        let number = counted_as(by, number);
        let trend = trends.entry(number).or_insert_with(|| Trend { steps: vec![0; buckets.len()], ..Trend::default() });
        trend.all.join(&all);
    }
    by_day::hits(view, &span, by, |number, day, hits| {
        let Some(trend) = trends.get_mut(&counted_as(by, number)) else { return };
        trend.first = Some(trend.first.map_or(day, |first| first.min(day)));
        trend.last = trend.last.max(Some(day));
        if let Some(step) = trend.steps.get_mut(buckets.place(day)) {
            *step += hits;
        }
    })?;
    Ok(trends)
}

/// A gRPC status that is OK is none, whichever roll-up or hit says it.
fn counted_as(by: Dimension, number: i64) -> i64 {
    if by == Dimension::Failure { without_ok(number) } else { number }
}

pub(super) fn outcome_text(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Completed => "completed",
        Outcome::Failed => "failed",
        Outcome::Aborted => "aborted",
    }
}

fn fingerprint(kind: &str, message: &str, endpoint: &str) -> String {
    let mut hasher = SipHasher13::new();
    for text in [kind, message, endpoint] {
        hasher.write(text.as_bytes());
        hasher.write_u8(0);
    }
    format!("{:016x}", hasher.finish())
}

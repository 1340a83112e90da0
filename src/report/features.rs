use std::{collections::HashMap, time::Duration};

use serde::Serialize;

use super::base::{group, json, metric::Metric, names::EndpointName, view::View};
use crate::{
    error::Error,
    store::{Dimension, Value},
};

/// What is used, by how many, and how that has changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Features {
    /// Users of the range: adoption is a share of these.
    pub active_users: u64,
    /// Features, most users first.
    pub features: Vec<FeatureRow>,
    /// Endpoints, most hits first.
    pub endpoints: Vec<FeatureRow>,
}

/// A feature, or an endpoint.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct FeatureRow {
    /// The feature's key.
    pub feature: String,
    /// Method and route template; empty for a feature.
    pub endpoint: String,
    /// What people call it.
    pub name: String,
    /// Hits.
    pub hits: u64,
    /// Users, each counted once.
    pub users: u64,
    /// Its users as a share of all users of the range, 0 to 1.
    pub adoption: f64,
    /// Hits of users and visitors, for each user.
    pub hits_per_user: f64,
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
    /// Hits of the period before; none for all time.
    pub previous_hits: Option<u64>,
    /// Users of the period before.
    pub previous_users: Option<u64>,
    /// How many more hits than before, as a share of those: 0.5 is half as many again. None if there were none.
    pub change: Option<f64>,
}

/// An endpoint in the range and, if there is one, in the period before.
struct Used<'a> {
    name: &'a EndpointName,
    now: &'a Metric,
    before: Option<&'a Metric>,
}

/// Without the users of the period before, if nobody wants to know them, half as much is to be read.
pub(super) fn ask(view: &mut View<'_, '_>, previous_users: bool) -> Result<Features, Error> {
    let span = view.span.clone();
    let now = group::by_value(view, &span, Dimension::Endpoint)?;
    let of_before = if previous_users { group::counts_by_value } else { group::hits_by_value };
    let before = view.before().map(|before| of_before(view, &before, Dimension::Endpoint)).transpose()?;
    let filter = view.filter.clone();
    // Adoption is a share of whoever was there, whatever they used.
    view.filter.endpoints = None;
    view.filter.status = None;
    let active_users = group::users(view, &span)?.count_users(view);
    view.filter = filter;
    let names = view.names()?;
    let none = Metric::default();
    let mut of_feature: HashMap<&str, Vec<Used<'_>>> = HashMap::new();
    let all = now.keys().chain(before.iter().flatten().map(|(number, _)| number));
    let mut seen = std::collections::HashSet::new();
    for number in all.filter(|number| seen.insert(*number)) {
        let Value::Number(key) = number else { continue };
        let Some(name) = names.endpoint(*key) else { continue };
        let now = now.get(number).unwrap_or(&none);
        let before = before.as_ref().map(|before| before.get(number).unwrap_or(&none));
        of_feature.entry(&name.feature).or_default().push(Used { name, now, before });
    }
    let (mut features, mut endpoints) = (Vec::new(), Vec::new());
    for (key, used) in of_feature {
        let (users, all_users) = Metric::count_each(used.iter().map(|used| used.now), view);
        let (users_before, all_before) = Metric::count_each(used.iter().filter_map(|used| used.before), view);
        let (mut now, mut before) = (Metric::default(), used.iter().any(|used| used.before.is_some()).then(Metric::default));
        for (place, used) in used.iter().enumerate() {
            now.join_sums(used.now);
            before.iter_mut().zip(used.before).for_each(|(all, before)| all.join_sums(before));
            if used.now.hits() > 0 {
                let users_before = users_before.get(place).copied().filter(|_| previous_users);
                let row = row(used.now, used.before, users[place], users_before, active_users);
                let EndpointName { feature, endpoint, name, .. } = used.name;
                endpoints.push(FeatureRow { feature: feature.clone(), endpoint: endpoint.clone(), name: name.clone(), ..row });
            }
        }
        let users_before = before.as_ref().map(|_| all_before).filter(|_| previous_users);
        let row = row(&now, before.as_ref(), all_users, users_before, active_users);
        features.push(FeatureRow { feature: key.to_owned(), name: names.feature_name(key), ..row });
    }
    endpoints.sort_by(|a, b| b.hits.cmp(&a.hits).then_with(|| a.endpoint.cmp(&b.endpoint)));
    features.sort_by(|a, b| (b.users, b.hits).cmp(&(a.users, a.hits)).then_with(|| a.feature.cmp(&b.feature)));
    Ok(Features { active_users, features, endpoints })
}

fn row(now: &Metric, before: Option<&Metric>, users: u64, previous_users: Option<u64>, active_users: u64) -> FeatureRow {
    let latency = now.latency();
    let previous_hits = before.map(Metric::hits);
    FeatureRow {
        hits: now.hits(),
        users,
        adoption: ratio(users, active_users).unwrap_or_default(),
        hits_per_user: ratio(now.hits(), users).unwrap_or_default(),
        errors: now.errors(),
        client_errors: now.sums.client_errors.unsigned_abs(),
        aborted: now.sums.aborted.unsigned_abs(),
        p50: latency.p50,
        p95: latency.p95,
        p99: latency.p99,
        previous_hits,
        previous_users,
        change: previous_hits.and_then(|before| ratio(now.hits(), before)).map(|ratio| ratio - 1.0),
        ..FeatureRow::default()
    }
}

pub(super) fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

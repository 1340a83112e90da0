use std::collections::{BTreeMap, HashMap};

use roaring::RoaringBitmap;
use serde::Serialize;

use super::base::{
    ask::Ask,
    group,
    grouping::{Bucket, Counted, Grouping},
    span::Span,
    view::View,
};
use crate::{
    error::Error,
    store::{Dimension, Value},
    zone::Day,
};

/// Features in two periods, per day, so that periods of unlike length can be compared.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Comparison {
    /// Length of the period, in days.
    pub days: f64,
    /// Length of the one it is compared with.
    pub other_days: f64,
    /// Features, most hits a day first.
    pub features: Vec<ComparedFeature>,
}

/// A feature in two periods.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ComparedFeature {
    /// The feature's key.
    pub feature: String,
    /// What people call it.
    pub name: String,
    /// Hits a day.
    pub hits_per_day: f64,
    /// Hits a day of the other period.
    pub other_hits_per_day: f64,
    /// How much more that is, as a share: 0.5 is half as many again. None if there were none.
    pub hits_change: Option<f64>,
    /// Users a day: those of each day, added up, for each day.
    pub users_per_day: f64,
    /// The same of the other period.
    pub other_users_per_day: f64,
    /// How much more that is, as a share.
    pub users_change: Option<f64>,
    /// Users of the whole period, each counted once.
    pub users: u64,
    /// The same of the other period.
    pub other_users: u64,
}

#[derive(Clone, Default)]
struct Used {
    hits: u64,
    days: BTreeMap<usize, RoaringBitmap>,
}

const MONTH: usize = 30;
const DAY: f64 = 86_400_000.0;

/// Without another period it is the one before, up to the same time of day.
pub(super) fn ask(view: &mut View<'_, '_>, other: Option<&Ask>) -> Result<Comparison, Error> {
    let span = view.span.clone();
    let other = match other {
        Some(ask) => Span::asked(ask, &view.zone, view.now, view.all_days()),
        None => view.before().unwrap_or_else(|| Span::of_days(&view.zone, span.days.start..span.days.start)),
    };
    let (days, other_days) = (length(view, &span), length(view, &other));
    let (now, before) = (used(view, &span)?, used(view, &other)?);
    let mut keys: Vec<&String> = now.keys().chain(before.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    let names = view.names()?;
    let feature = |key: &String| {
        let none = Used::default();
        let (now, before) = (now.get(key).unwrap_or(&none), before.get(key).unwrap_or(&none));
        let per_day = |count: u64, days: f64| if days > 0.0 { count as f64 / days } else { 0.0 };
        let daily = |used: &Used| used.days.values().map(RoaringBitmap::len).sum::<u64>();
        let all = |used: &Used| {
            let mut all = RoaringBitmap::new();
            used.days.values().for_each(|users| all |= users);
            all.len()
        };
        let change = |now: f64, before: f64| (before > 0.0).then(|| now / before - 1.0);
        let (hits_per_day, other_hits_per_day) = (per_day(now.hits, days), per_day(before.hits, other_days));
        let (users_per_day, other_users_per_day) = (per_day(daily(now), days), per_day(daily(before), other_days));
        ComparedFeature {
            feature: key.clone(),
            name: names.feature_name(key),
            hits_per_day,
            other_hits_per_day,
            hits_change: change(hits_per_day, other_hits_per_day),
            users_per_day,
            other_users_per_day,
            users_change: change(users_per_day, other_users_per_day),
            users: all(now),
            other_users: all(before),
        }
    };
    let mut features: Vec<_> = keys.into_iter().map(feature).collect();
    features.sort_by(|a, b| b.hits_per_day.total_cmp(&a.hits_per_day).then_with(|| a.feature.cmp(&b.feature)));
    Ok(Comparison { days, other_days, features })
}

/// In days; what has not been yet does not count.
fn length(view: &View<'_, '_>, span: &Span) -> f64 {
    let length = span.at.end.min(view.now) - span.at.start;
    length.max(0) as f64 / DAY
}

fn used(view: &mut View<'_, '_>, span: &Span) -> Result<HashMap<String, Used>, Error> {
    let first = span.touched.start;
    let place = |day| usize::try_from(day - first).unwrap_or(usize::MAX);
    let grouping = Grouping {
        by: Dimension::Endpoint,
        bucket: Bucket::Days(&place),
        counted: Counted::Hits,
        latency: false,
        users: true,
        visitors: false,
        recent: None,
    };
    // Each endpoint of each day is much to hold at once: a month at a time.
    let mut spans = vec![span.clone()];
    if span.days == span.touched {
        let starts = span.days.clone().step_by(MONTH);
        spans = starts.map(|start| Span::of_days(&view.zone, start..(start + MONTH as Day).min(span.days.end))).collect();
    }
    let mut used: HashMap<String, Used> = HashMap::new();
    for span in &spans {
        let groups = group::group(view, span, &grouping)?;
        let names = view.names()?;
        for ((place, value), metric) in groups {
            let Value::Number(number) = value else { continue };
            let Some(endpoint) = names.endpoint(number) else { continue };
            let feature = match used.get_mut(&endpoint.feature) {
                Some(feature) => feature,
                None => used.entry(endpoint.feature.clone()).or_default(),
            };
            feature.hits += metric.hits();
            *feature.days.entry(place).or_default() |= metric.persons(view);
        }
    }
    Ok(used)
}

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::{
    base::{
        buckets::{DayBuckets, Interval, date_text},
        group,
        grouping::{Bucket, Counted, Grouping},
        metric::Metric,
        version,
        view::View,
    },
    features::ratio,
};
use crate::{
    error::Error,
    store::{Dimension, Value},
};

/// How versions take over, platform by platform.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Versions {
    /// `day`, `week` (from Monday) or `month`.
    pub interval: String,
    /// The first day of each step, those without users too.
    pub starts: Vec<String>,
    /// Platforms, most users first.
    pub platforms: Vec<PlatformVersions>,
}

/// A platform's versions over time.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct PlatformVersions {
    /// Its name; empty if it is not known.
    pub platform: String,
    /// Users of the range.
    pub users: u64,
    /// The oldest version that was seen in the last step in which any was.
    pub oldest: Option<String>,
    /// Its versions, newest first.
    pub versions: Vec<VersionSteps>,
}

/// A version over time.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct VersionSteps {
    /// The version; empty if it is not known.
    pub version: String,
    /// Users of the range.
    pub users: u64,
    /// Users of each step.
    pub steps: Vec<u64>,
    /// Those as a share of the platform's users of each step, 0 to 1. Who used two versions in a step counts for both.
    pub share: Vec<f64>,
}

pub(super) fn ask(view: &mut View<'_, '_>, interval: Option<Interval>) -> Result<Versions, Error> {
    let span = view.span.clone();
    let interval = interval.unwrap_or_else(|| Interval::usual_days(&span)).max(Interval::Day);
    let buckets = DayBuckets::new(&span.touched, interval)?;
    let place = |day| buckets.place(day);
    let grouping = Grouping {
        by: Dimension::Version,
        bucket: Bucket::Days(&place),
        counted: Counted::Hits,
        latency: false,
        users: true,
        visitors: false,
        recent: None,
    };
    let groups = group::group(view, &span, &grouping)?;
    let mut platforms: BTreeMap<String, HashMap<String, Vec<Metric>>> = BTreeMap::new();
    for ((place, value), metric) in groups {
        let Value::Name(name) = value else { continue };
        let (platform, version) = name.split_once('\u{1f}').unwrap_or((&name, ""));
        let steps = platforms.entry(platform.to_owned()).or_default().entry(version.to_owned());
        if let Some(step) = steps.or_insert_with(|| vec![Metric::default(); buckets.len()]).get_mut(place) {
            *step = metric;
        }
    }
    let mut platforms: Vec<_> = platforms.into_iter().map(|(name, versions)| platform(view, name, versions, buckets.len())).collect();
    platforms.sort_by(|a, b| b.users.cmp(&a.users).then_with(|| a.platform.cmp(&b.platform)));
    let starts = buckets.starts.iter().map(|day| date_text(*day)).collect();
    Ok(Versions { interval: interval.name().to_owned(), starts, platforms })
}

fn platform(view: &View<'_, '_>, platform: String, versions: HashMap<String, Vec<Metric>>, steps: usize) -> PlatformVersions {
    let (mut all, mut of_step) = (Metric::default(), vec![Metric::default(); steps]);
    for (place, metric) in versions.values().flat_map(|steps| steps.iter().enumerate()) {
        all.join(metric);
        of_step[place].join(metric);
    }
    let of_step: Vec<u64> = of_step.iter().map(|metric| metric.count_users(view)).collect();
    let version = |(version, metrics): (String, Vec<Metric>)| {
        let mut all = Metric::default();
        metrics.iter().for_each(|metric| all.join(metric));
        let steps: Vec<u64> = metrics.iter().map(|metric| metric.count_users(view)).collect();
        let share = steps.iter().zip(&of_step).map(|(users, all)| ratio(*users, *all).unwrap_or_default()).collect();
        VersionSteps { version, users: all.count_users(view), steps, share }
    };
    let mut versions: Vec<_> = versions.into_iter().map(version).collect();
    versions.sort_by(|a, b| version::compare(&b.version, &a.version));
    let last = of_step.iter().rposition(|users| *users > 0);
    let still_seen = |version: &&VersionSteps| last.is_some_and(|last| version.steps[last] > 0) && !version.version.is_empty();
    let oldest = versions.iter().rev().find(still_seen).map(|version| version.version.clone());
    PlatformVersions { platform, users: all.count_users(view), oldest, versions }
}

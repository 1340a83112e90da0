use std::{cmp::Reverse, collections::BTreeMap};

use serde::Serialize;

use super::base::{group, metric::Metric, version, view::View};
use crate::{
    error::Error,
    store::{Dimension, Value},
};

/// What people use, and which bots come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Devices {
    /// Platforms, most users first.
    pub platforms: Vec<PlatformRow>,
    /// Devices, most hits first.
    pub devices: Vec<DeviceRow>,
    /// Bots by class, most hits first; whether or not other numbers count them.
    pub bots: Vec<BotRow>,
}

/// A platform and its versions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct PlatformRow {
    /// Its name; empty if it is not known.
    pub platform: String,
    /// Users, each counted once.
    pub users: u64,
    /// Sessions that began on it.
    pub sessions: u64,
    /// Hits.
    pub hits: u64,
    /// Its versions, newest first: 3.10 comes after 3.9.
    pub versions: Vec<VersionRow>,
}

/// A version of an app on a platform.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct VersionRow {
    /// The version; empty if it is not known.
    pub version: String,
    /// Users, each counted once.
    pub users: u64,
    /// Sessions that began with it.
    pub sessions: u64,
    /// Hits.
    pub hits: u64,
}

/// A device, or browser and system.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct DeviceRow {
    /// Its name; empty if it is not known.
    pub device: String,
    /// Users, each counted once.
    pub users: u64,
    /// Sessions that began on it.
    pub sessions: u64,
    /// Hits.
    pub hits: u64,
}

/// A class of bots.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct BotRow {
    /// `search`, `ai`, `preview`, `monitor`, `feed`, `seo`, `headless`, `scanner`, or `other`.
    pub class: String,
    /// What gave them away, all that were ever seen of the class.
    pub reasons: Vec<String>,
    /// Hits.
    pub hits: u64,
    /// Sessions.
    pub sessions: u64,
    /// Signed-in users among them.
    pub users: u64,
}

pub(super) fn ask(view: &mut View<'_, '_>) -> Result<Devices, Error> {
    let span = view.span.clone();
    let platforms = group::counts_by_value(view, &span, Dimension::Platform)?;
    let versions = group::counts_by_value(view, &span, Dimension::Version)?;
    let devices = group::counts_by_value(view, &span, Dimension::Device)?;
    let filter = view.filter.clone();
    view.filter.bots = super::Bots::Only;
    let bots = group::counts_by_value(view, &span, Dimension::Bot)?;
    view.filter = filter;
    let mut of_platform: BTreeMap<String, Vec<VersionRow>> = BTreeMap::new();
    for (value, metric) in versions {
        let Value::Name(name) = value else { continue };
        let (platform, version) = name.split_once('\u{1f}').unwrap_or((&name, ""));
        let (users, sessions, hits) = counts(view, &metric);
        of_platform.entry(platform.to_owned()).or_default().push(VersionRow { version: version.to_owned(), users, sessions, hits });
    }
    let platform = |(platform, metric): (String, Metric)| {
        let mut versions = of_platform.remove(&platform).unwrap_or_default();
        versions.sort_by(|a, b| version::compare(&b.version, &a.version));
        let (users, sessions, hits) = counts(view, &metric);
        PlatformRow { platform, users, sessions, hits, versions }
    };
    let mut platforms: Vec<_> = named(platforms).map(platform).collect();
    platforms.sort_by(|a, b| (b.users, b.hits).cmp(&(a.users, a.hits)).then_with(|| a.platform.cmp(&b.platform)));
    let mut devices: Vec<_> = named(devices)
        .map(|(device, metric)| {
            let (users, sessions, hits) = counts(view, &metric);
            DeviceRow { device, users, sessions, hits }
        })
        .collect();
    devices.sort_by(|a, b| b.hits.cmp(&a.hits).then_with(|| a.device.cmp(&b.device)));
    let known = view.devices()?;
    let mut bots: Vec<_> = named(bots)
        .map(|(class, metric)| {
            let (users, sessions, hits) = counts(view, &metric);
            let mut reasons: Vec<String> =
                known.iter().filter(|device| device.bot == class).map(|device| device.bot_reason.clone()).collect();
            reasons.sort_unstable();
            reasons.dedup();
            BotRow { class, reasons, hits, sessions, users }
        })
        .collect();
    bots.sort_by_key(|row| (Reverse(row.hits), row.class.clone()));
    Ok(Devices { platforms, devices, bots })
}

fn counts(view: &View<'_, '_>, metric: &Metric) -> (u64, u64, u64) {
    (metric.count_users(view), metric.sessions(), metric.hits())
}

fn named(metrics: impl IntoIterator<Item = (Value, Metric)>) -> impl Iterator<Item = (String, Metric)> {
    metrics.into_iter().filter_map(|(value, metric)| match value {
        Value::Name(name) => Some((name.into(), metric)),
        Value::Number(_) => None,
    })
}

use std::{collections::BTreeMap, time::SystemTime};

use roaring::RoaringBitmap;
use serde::Serialize;

use super::{
    base::{buckets::date_text, json, scan, user_sums, version, view::View},
    users::{UserRow, rows},
};
use crate::{
    clock::{Millis, from_millis},
    error::Error,
    store::Context,
    zone::Day,
};

/// Everything about one person in the range.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct UserDetail {
    /// Who it is, and the sums of the range.
    pub user: UserRow,
    /// Other ids that count as this person.
    pub aliases: Vec<String>,
    /// Platforms and versions, by hits.
    pub platforms: Vec<UserPlatform>,
    /// Features used, by hits.
    pub features: Vec<UserFeature>,
    /// Days on which the person was here, oldest first.
    pub days: Vec<UserDay>,
    /// Whether raw hits of some months are archived, so that `platforms`, `features` and `days` are of the other months alone.
    pub incomplete: bool,
}

/// A platform and version that a person used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct UserPlatform {
    /// The platform, or empty.
    pub platform: String,
    /// The version, or empty.
    pub app_version: String,
    /// Hits.
    pub hits: u64,
    /// The last of them.
    #[serde(serialize_with = "json::time")]
    #[cfg_attr(feature = "dashboard", schemars(with = "String"))]
    pub last_seen: SystemTime,
}

/// A feature that a person used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct UserFeature {
    /// The feature's key.
    pub feature: String,
    /// What people call it.
    pub name: String,
    /// Hits.
    pub hits: u64,
    /// The last of them.
    #[serde(serialize_with = "json::time")]
    #[cfg_attr(feature = "dashboard", schemars(with = "String"))]
    pub last_seen: SystemTime,
}

/// A day of a person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct UserDay {
    /// The reporting day.
    pub date: String,
    /// Hits.
    pub hits: u64,
    /// Hits that are actions.
    pub actions: u64,
    /// Sessions that began.
    pub sessions: u64,
    /// Hits that failed or answered 500 or more, or with a gRPC status that is not OK.
    pub errors: u64,
}

#[derive(Clone, Copy, Default)]
struct Used {
    hits: u64,
    last: Millis,
}

impl Used {
    fn count(&mut self, at: Millis) {
        self.hits += 1;
        self.last = self.last.max(at);
    }
}

pub(super) fn ask(view: &mut View<'_, '_>, id: &str) -> Result<Option<UserDetail>, Error> {
    let members = view.aliases.members_of(view.main(), id).context("look up a user")?;
    let Some(first) = members.min() else { return Ok(None) };
    let person = view.aliases.of(first);
    view.filter.users = Some(members.clone());
    // Everything, also what bots did, unless a filter says which.
    if !view.filter.tells_hits() {
        view.filter.bots = super::Bots::Include;
    }
    let at = view.span.at.clone();
    let only: RoaringBitmap = [person].into_iter().collect();
    let sum = user_sums::of(view, &at, Some(&only))?.remove(&person).unwrap_or_default();
    let user = rows(view, vec![(person, sum)])?.remove(0);
    let mut aliases = Vec::new();
    for member in members.iter().filter(|member| *member != person) {
        aliases.extend(super::base::sessions::user_of(view.main(), member).context("look up a user")?.map(|(id, _)| id));
    }
    let (mut platforms, mut endpoints): (BTreeMap<u32, Used>, BTreeMap<u32, Used>) = Default::default();
    let (mut days, mut incomplete): (BTreeMap<Day, UserDay>, bool) = Default::default();
    let (zone, filter) = (view.zone.clone(), view.filter.clone());
    let devices: Vec<bool> =
        view.devices()?.iter().map(|device| filter.covers_device(&device.platform, &device.version, device.is_bot())).collect();
    for part in view.snapshot.parts().to_vec() {
        let touched = part.least.is_some_and(|least| least < at.end) && part.greatest.is_some_and(|greatest| greatest >= at.start);
        if !touched || !part.state.has_raw() {
            incomplete |= touched;
            continue;
        }
        scan::each(view, &part, &at, &[], |row, moment| {
            if !filter.covers(row) || !devices.get(row.device as usize).copied().unwrap_or(true) {
                return;
            }
            platforms.entry(row.device).or_default().count(moment);
            endpoints.entry(row.endpoint).or_default().count(moment);
            let day = days.entry(zone.day_of(moment)).or_default();
            day.hits += 1;
            day.actions += u64::from(row.outcome.is_action());
            day.sessions += u64::from(row.outcome.opens());
            day.errors += u64::from(row.outcome.is_error());
        })?;
    }
    let days = days.into_iter().map(|(day, counts)| UserDay { date: date_text(day), ..counts }).collect();
    Ok(Some(UserDetail {
        user,
        aliases,
        platforms: by_platform(view, platforms)?,
        features: by_feature(view, endpoints)?,
        days,
        incomplete,
    }))
}

fn by_platform(view: &View<'_, '_>, used: BTreeMap<u32, Used>) -> Result<Vec<UserPlatform>, Error> {
    let mut platforms: BTreeMap<(String, String), Used> = BTreeMap::new();
    for (device, used) in used {
        let device = view.devices()?.get(device);
        let sum = platforms.entry((device.platform.clone(), device.version.clone())).or_default();
        (sum.hits, sum.last) = (sum.hits + used.hits, sum.last.max(used.last));
    }
    let row = |((platform, app_version), used): ((String, String), Used)| UserPlatform {
        platform,
        app_version,
        hits: used.hits,
        last_seen: from_millis(used.last),
    };
    let mut rows: Vec<_> = platforms.into_iter().map(row).collect();
    rows.sort_by(|a, b| b.hits.cmp(&a.hits).then_with(|| version::compare(&b.app_version, &a.app_version)));
    Ok(rows)
}

fn by_feature(view: &View<'_, '_>, used: BTreeMap<u32, Used>) -> Result<Vec<UserFeature>, Error> {
    let names = view.names()?;
    let mut features: BTreeMap<&str, Used> = BTreeMap::new();
    for (endpoint, used) in used {
        let key = names.endpoint(i64::from(endpoint)).map_or("", |endpoint| &endpoint.feature);
        let sum = features.entry(key).or_default();
        (sum.hits, sum.last) = (sum.hits + used.hits, sum.last.max(used.last));
    }
    let row = |(feature, used): (&str, Used)| UserFeature {
        feature: feature.to_owned(),
        name: names.feature_name(feature),
        hits: used.hits,
        last_seen: from_millis(used.last),
    };
    let mut rows: Vec<_> = features.into_iter().map(row).collect();
    rows.sort_by(|a, b| b.hits.cmp(&a.hits).then_with(|| a.feature.cmp(&b.feature)));
    Ok(rows)
}

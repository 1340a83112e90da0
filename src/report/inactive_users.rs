use std::{cmp::Ordering, collections::BTreeMap};

use serde::Serialize;

use super::{
    base::{group, last_devices, page::Page, seen_elsewhere, span::Span, user_sums, version, view::View},
    users::{UserRow, cut, rows},
};
use crate::{error::Error, store::Context};

/// People who have not been here for a while.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct InactiveUsers {
    /// For so many reporting days, today among them.
    pub idle_days: u32,
    /// How many there are.
    pub total: u64,
    /// Which versions they used last, most users first.
    pub versions: Vec<LastVersion>,
    /// A page of them, those seen last first; numbers are of all time.
    pub users: Vec<UserRow>,
    /// For the next page, if there is one.
    pub next_cursor: Option<String>,
}

/// Users by what they used last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct LastVersion {
    /// The platform, or empty.
    pub platform: String,
    /// The version, or empty.
    pub app_version: String,
    /// Users.
    pub users: u64,
}

pub(super) fn ask(view: &mut View<'_, '_>, idle_days: u32, page: &Page) -> Result<InactiveUsers, Error> {
    let idle_days = idle_days.clamp(1, 100_000);
    let today = view.zone.day_of(view.now);
    let idle = Span::of_days(&view.zone, (today + 1).saturating_sub_unsigned(idle_days)..today + 1);
    // Whoever was here in whatever way is not away; platform and version are those used last.
    let filter = std::mem::take(&mut view.filter);
    view.filter.bots = super::Bots::Include;
    let here = group::users(view, &idle)?.persons(view);
    view.filter.users = filter.users.clone();
    let all = view.zone.start_of(i32::MIN / 2)..idle.at.start;
    let mut sums = user_sums::of(view, &all, None)?;
    sums.retain(|person, _| !here.contains(*person));
    last_devices::look_up(view, sums.values_mut())?;
    let elsewhere = seen_elsewhere::of(view).context("read users")?;
    sums.retain(|person, sum| {
        let seen = elsewhere.get(person).copied();
        sum.last = sum.last.max(seen);
        seen.is_none_or(|seen| seen < idle.at.start)
    });
    let devices = view.devices()?;
    sums.retain(|_, sum| {
        let device = devices.get(sum.device);
        filter.platform.as_deref().is_none_or(|platform| platform == device.platform) && filter.covers_version(&device.version)
    });
    let mut versions: BTreeMap<(String, String), u64> = BTreeMap::new();
    for sum in sums.values() {
        let device = devices.get(sum.device);
        *versions.entry((device.platform.clone(), device.version.clone())).or_default() += 1;
    }
    let mut versions: Vec<_> =
        versions.into_iter().map(|((platform, app_version), users)| LastVersion { platform, app_version, users }).collect();
    versions.sort_by(|a, b| {
        let by_name = || a.platform.cmp(&b.platform).then_with(|| version::compare(&b.app_version, &a.app_version));
        match b.users.cmp(&a.users) {
            Ordering::Equal => by_name(),
            order => order,
        }
    });
    let total = sums.len() as u64;
    let (shown, next_cursor) = cut(view, page, sums, |sum| sum.last.unwrap_or(i64::MIN));
    Ok(InactiveUsers { idle_days, total, versions, users: rows(view, shown)?, next_cursor })
}

use std::collections::HashMap;

use roaring::RoaringBitmap;
use serde::Serialize;

use super::{
    base::{
        group,
        page::Page,
        user_sums::{self, UserSum},
        view::View,
    },
    users::{UserRow, rows},
};
use crate::{
    error::Error,
    store::{Dimension, Value},
};

/// Those who do most.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct PowerUsers {
    /// `actions` or `features`.
    pub by: String,
    /// A page of them, greatest first.
    pub users: Vec<PowerUser>,
    /// For the next page, if there is one.
    pub next_cursor: Option<String>,
}

/// A person who does much.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct PowerUser {
    /// Who it is, and the sums of the range.
    #[serde(flatten)]
    pub user: UserRow,
    /// How many features were used in the range.
    pub features_used: u64,
}

/// What makes a power user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Power {
    /// Many actions.
    #[default]
    Actions,
    /// Many features.
    Features,
}

impl Power {
    /// `actions` or `features`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Actions => "actions",
            Self::Features => "features",
        }
    }
}

pub(super) fn ask(view: &mut View<'_, '_>, by: Power, page: &Page) -> Result<PowerUsers, Error> {
    let span = view.span.clone();
    let sums = user_sums::of_people(view, &span)?;
    let used = match by {
        Power::Actions => Vec::new(),
        Power::Features => features(view)?,
    };
    let mut counts: HashMap<u32, u64> = HashMap::new();
    for feature in &used {
        feature.iter().for_each(|person| *counts.entry(person).or_default() += 1);
    }
    let key = |person: u32, sum: &UserSum| match by {
        Power::Actions => sum.actions,
        Power::Features => counts.get(&person).copied().unwrap_or_default() as i64,
    };
    let (shown, next_cursor) = page.cut(view.now, sums.into_iter().collect(), |(person, sum)| (key(*person, sum), i64::from(*person)));
    let used = if by == Power::Actions { features(view)? } else { used };
    let users = rows(view, shown.clone())?;
    let user = |((person, _), user): (&(u32, UserSum), UserRow)| {
        let features_used = used.iter().filter(|feature| feature.contains(*person)).count() as u64;
        PowerUser { user, features_used }
    };
    Ok(PowerUsers { by: by.name().to_owned(), users: shown.iter().zip(users).map(user).collect(), next_cursor })
}

/// People of each feature.
fn features(view: &mut View<'_, '_>) -> Result<Vec<RoaringBitmap>, Error> {
    let (span, bots) = (view.span.clone(), view.filter.bots);
    // As their other numbers: whatever they used, unless a filter says which.
    if !view.filter.tells_hits() {
        view.filter.bots = super::Bots::Include;
    }
    let metrics = group::counts_by_value(view, &span, Dimension::Endpoint)?;
    view.filter.bots = bots;
    let names = view.names()?;
    let mut features: HashMap<&str, RoaringBitmap> = HashMap::new();
    for (number, metric) in metrics {
        let Value::Number(number) = number else { continue };
        let Some(endpoint) = names.endpoint(number) else { continue };
        *features.entry(&endpoint.feature).or_default() |= metric.persons(view);
    }
    Ok(features.into_values().collect())
}

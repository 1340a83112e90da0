use std::time::{Duration, SystemTime};

use roaring::RoaringBitmap;
use rusqlite::{Connection, OptionalExtension};
use serde::Serialize;

use super::base::{
    ask::Edge,
    group, json, last_devices, newcomers,
    page::Page,
    user_sums::{self, UserSum, UserSums},
    view::View,
};
use crate::{
    clock::{Millis, from_millis},
    error::Error,
    store::Context,
};

/// Users of the range.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Users {
    /// How many there are in all.
    pub total: u64,
    /// A page of them.
    pub users: Vec<UserRow>,
    /// For the next page, if there is one.
    pub next_cursor: Option<String>,
}

/// A person, and what that one did in the range.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct UserRow {
    /// The app's own id.
    pub user_id: String,
    /// What people call the user, or empty.
    pub user_name: String,
    /// When first seen, ever.
    #[serde(serialize_with = "json::some_time")]
    #[cfg_attr(feature = "dashboard", schemars(with = "Option<String>"))]
    pub first_seen: Option<SystemTime>,
    /// When last seen in the range.
    #[serde(serialize_with = "json::some_time")]
    #[cfg_attr(feature = "dashboard", schemars(with = "Option<String>"))]
    pub last_seen: Option<SystemTime>,
    /// The platform used last, or empty.
    pub platform: String,
    /// The app's version used last, or empty.
    pub app_version: String,
    /// Sessions that began in the range.
    pub sessions: u64,
    /// The time of those sessions, in seconds.
    #[serde(serialize_with = "json::seconds")]
    #[cfg_attr(feature = "dashboard", schemars(with = "f64"))]
    pub time: Duration,
    /// Hits.
    pub hits: u64,
    /// Hits that are actions.
    pub actions: u64,
    /// Hits that failed or answered 500 or more, or with a gRPC status that is not OK.
    pub errors: u64,
}

/// What a list of users is ordered by, greatest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UserOrder {
    /// When they were first recorded; it never changes.
    #[default]
    FirstSeen,
    /// When they were last seen in the range.
    LastSeen,
    /// Their actions in the range.
    Actions,
    /// Their sessions in the range.
    Sessions,
}

/// Whoever has a hit that the ask covers is in the list, in every order of it. Numbers are of all hits of a user, also of those
/// that bots made, unless a filter says which or bots alone are asked for.
pub(super) fn ask(view: &mut View<'_, '_>, order: UserOrder, page: &Page) -> Result<Users, Error> {
    let span = view.span.clone();
    let only = first_seen(view)?;
    if order == UserOrder::FirstSeen {
        let mut persons = group::users(view, &span)?.persons(view);
        if let Some(only) = &only {
            persons &= only;
        }
        let below = page.after.map_or(i64::MAX, |after| after.id);
        let mut shown: Vec<u32> = persons.iter().rev().skip_while(|person| i64::from(*person) >= below).take(page.limit + 1).collect();
        let more = shown.len() > page.limit;
        shown.truncate(page.limit);
        let next_cursor = shown.last().filter(|_| more).map(|last| page.cursor(view.now, (0, i64::from(*last))));
        let only: RoaringBitmap = shown.iter().copied().collect();
        let sums = user_sums::of(view, &span.at, Some(&only))?;
        let users = rows(view, shown.iter().map(|person| (*person, sums.get(person).copied().unwrap_or_default())).collect())?;
        return Ok(Users { total: persons.len(), users, next_cursor });
    }
    let mut sums = user_sums::of_people(view, &span)?;
    sums.retain(|person, _| only.as_ref().is_none_or(|only| only.contains(*person)));
    let total = sums.len() as u64;
    let key = |sum: &UserSum| match order {
        UserOrder::FirstSeen => 0,
        UserOrder::LastSeen => sum.last.unwrap_or(Millis::MIN),
        UserOrder::Actions => sum.actions,
        UserOrder::Sessions => sum.sessions,
    };
    let (shown, next_cursor) = cut(view, page, sums, key);
    Ok(Users { total, users: rows(view, shown)?, next_cursor })
}

/// The only ones that are asked for, if not all are: those who were first seen in some time.
pub(super) fn first_seen(view: &View<'_, '_>) -> Result<Option<RoaringBitmap>, Error> {
    let Some((from, to)) = view.ask.first_seen else { return Ok(None) };
    let at = |edge| match edge {
        Edge::Day(day) => view.zone.start_of(day),
        Edge::At(at) => at,
    };
    let newcomers = newcomers::of(view, &(at(from)..at(to)))?;
    Ok(Some(newcomers.into_iter().map(|(person, _)| person).collect()))
}

pub(super) fn cut(
    view: &View<'_, '_>,
    page: &Page,
    sums: UserSums,
    key: impl Fn(&UserSum) -> i64,
) -> (Vec<(u32, UserSum)>, Option<String>) {
    page.cut(view.now, sums.into_iter().collect(), |(person, sum)| (key(sum), i64::from(*person)))
}

pub(super) fn rows(view: &mut View<'_, '_>, mut users: Vec<(u32, UserSum)>) -> Result<Vec<UserRow>, Error> {
    last_devices::look_up(view, users.iter_mut().map(|(_, sum)| sum))?;
    let view = &*view;
    let devices = view.devices()?;
    let row = |(person, sum): (u32, UserSum)| -> rusqlite::Result<UserRow> {
        let Identity { id: user_id, name: user_name, first_seen, seen_elsewhere } = identity(view, person)?;
        let seen_elsewhere = seen_elsewhere.filter(|at| view.span.at.contains(at));
        // Whoever was not there used nothing.
        let (platform, app_version) =
            sum.last.map(|_| devices.get(sum.device)).map(|device| (&*device.platform, &*device.version)).unwrap_or_default();
        Ok(UserRow {
            user_id,
            user_name,
            first_seen: first_seen.map(from_millis),
            last_seen: sum.last.max(seen_elsewhere).map(from_millis),
            platform: platform.to_owned(),
            app_version: app_version.to_owned(),
            sessions: sum.sessions.unsigned_abs(),
            time: Duration::from_millis(sum.time.unsigned_abs()),
            hits: sum.hits.unsigned_abs(),
            actions: sum.actions.unsigned_abs(),
            errors: sum.errors.unsigned_abs(),
        })
    };
    users.into_iter().map(row).collect::<rusqlite::Result<_>>().context("read users")
}

/// What the dictionary says of a person.
#[derive(Default)]
pub(super) struct Identity {
    pub(super) id: String,
    pub(super) name: String,
    /// When any number of the person was first seen.
    pub(super) first_seen: Option<Millis>,
    /// When any of them was last seen by what is no hit.
    seen_elsewhere: Option<Millis>,
}

pub(super) fn identity(view: &View<'_, '_>, person: u32) -> rusqlite::Result<Identity> {
    let mut identity = one(view.main(), person)?.unwrap_or_default();
    for member in view.aliases.members(person).iter().filter(|member| *member != person) {
        let other = one(view.main(), member)?.unwrap_or_default();
        identity.first_seen = other.first_seen.into_iter().chain(identity.first_seen).min();
        identity.seen_elsewhere = identity.seen_elsewhere.max(other.seen_elsewhere);
    }
    Ok(identity)
}

fn one(main: &Connection, number: u32) -> rusqlite::Result<Option<Identity>> {
    let mut statement = main.prepare_cached(include_str!("users.sql"))?;
    let read =
        |row: &rusqlite::Row<'_>| Ok(Identity { id: row.get(0)?, name: row.get(1)?, first_seen: row.get(2)?, seen_elsewhere: row.get(3)? });
    statement.query_row([number], read).optional()
}

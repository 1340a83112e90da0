use rusqlite::{
    ToSql,
    types::{FromSql, FromSqlResult, ToSqlOutput, ValueRef},
};

use crate::{
    clock::Millis,
    device::Device,
    hit::Outcome,
    store::{outcome::Packed, raw::Row},
    zone::Day,
};

/// Whose hits a row counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Audience {
    People = 0,
    Bots = 1,
}

/// What a row of `daily_metrics` is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Dimension {
    All = 0,
    /// The endpoint's number.
    Endpoint = 1,
    /// Platform and app version, see [`version`].
    Version = 2,
    Platform = 3,
    /// The device's name.
    Device = 4,
    /// The bot's class.
    Bot = 5,
    /// Endpoint, outcome and status, see [`failure`].
    Failure = 6,
    /// The error's number.
    Error = 7,
}

/// Which of a dimension: a number of a dictionary, or a name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Value {
    Number(i64),
    Name(Box<str>),
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Self::Number(number) => Ok((*number).into()),
            Self::Name(name) => name.to_sql(),
        }
    }
}

impl FromSql for Value {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(Self::Number).or_else(|_| value.as_str().map(|name| Self::Name(name.into())))
    }
}

/// A quarter of an hour of UTC, as their number since 1970.
pub(crate) type Slot = i32;

pub(crate) const SLOT_MS: Millis = 900_000;

pub(super) fn slot_of(at: Millis) -> Slot {
    at.div_euclid(SLOT_MS) as Slot
}

/// What a hit counts under, before devices are taken apart into what they say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) group: Group,
    pub(super) audience: Audience,
    /// A slot's number, else a day.
    pub(super) when: i32,
    pub(super) value: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Group {
    Slot,
    Endpoint,
    /// The device's number. All, platform, version, name and bot class follow from it.
    Device,
    Failure,
    Error,
}

impl Key {
    pub(super) fn slot(audience: Audience, at: Millis) -> Self {
        Self { group: Group::Slot, audience, when: slot_of(at), value: 0 }
    }

    pub(super) fn day(group: Group, audience: Audience, day: Day, value: impl Into<i64>) -> Self {
        Self { group, audience, when: day, value: value.into() }
    }
}

/// Everything that a device counts under.
pub(super) fn of_device(device: &Device) -> impl Iterator<Item = (Dimension, Value)> {
    let name = |text: &str| Value::Name(text.into());
    let bot = device.bot().map(|bot| (Dimension::Bot, name(bot.class())));
    [
        (Dimension::All, Value::Number(0)),
        (Dimension::Platform, name(device.platform())),
        (Dimension::Version, version(device.platform(), device.app_version())),
        (Dimension::Device, name(device.name())),
    ]
    .into_iter()
    .chain(bot)
}

/// A version means something on its platform alone; between them stands ASCII's own separator of units.
pub(crate) fn version(platform: &str, app_version: &str) -> Value {
    Value::Name(format!("{platform}\u{1f}{app_version}").into())
}

/// What went wrong, if anything did: a status of 400 or more, failed, aborted, or a gRPC status that is not OK.
/// Bits 0-9 status, 10-11 outcome, 12-16 gRPC status + 1, from 17 the endpoint.
pub(crate) fn failure(row: &Row) -> Option<i64> {
    let Row { outcome, endpoint, .. } = row;
    let grpc = outcome.grpc_status().filter(|status| *status != 0);
    let wrong = outcome.status() >= 400 || outcome.outcome() != Outcome::Completed || grpc.is_some();
    let status_and_outcome = outcome.0 & (Packed::STATUS | 3 << 10);
    let grpc = outcome.grpc_status().map_or(0, |status| i64::from(status) + 1);
    wrong.then(|| i64::from(*endpoint) << 17 | grpc << 12 | status_and_outcome)
}

/// Endpoint and outcome of a [`failure`]'s number.
pub(crate) fn failure_parts(number: i64) -> (u32, Packed) {
    let grpc = number >> 12 & 0x1f;
    (u32::try_from(number >> 17).unwrap_or_default(), Packed(number & 0xfff | grpc << 15))
}

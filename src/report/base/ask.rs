use std::time::SystemTime;

use crate::{
    clock::{Millis, to_millis},
    error::{Error, ErrorKind},
    zone::{Day, Zone, parse_day},
};

/// What a question is about: a range of time, and whose hits.
///
/// Without filters a question is answered from roll-ups. Filters that cross dimensions (a platform *and* an endpoint), and one
/// user's or one status's hits, are answered from raw hits.
///
/// ```
/// use tower_analytics::{Analytics, Ask};
///
/// # fn main() -> Result<(), tower_analytics::Error> {
/// let (analytics, _clock) = Analytics::testing();
/// assert_eq!(analytics.reports().stats(&Ask::all_time())?.total_hits, 0);
/// assert_eq!(analytics.reports().stats(&Ask::last_days(30))?.total_users, 0);
/// let may = Ask::all_time().from("2026-05-01")?.to("2026-06-01")?.platform("iOS");
/// assert_eq!(analytics.reports().stats(&may)?.total_sessions, 0);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ask {
    pub(in crate::report) last_days: Option<u32>,
    pub(in crate::report) from: Option<Edge>,
    pub(in crate::report) to: Option<Edge>,
    pub(in crate::report) zone: Option<String>,
    pub(in crate::report) platform: Option<String>,
    pub(in crate::report) version: Option<String>,
    pub(in crate::report) endpoint: Option<String>,
    pub(in crate::report) feature: Option<String>,
    pub(in crate::report) user: Option<String>,
    pub(in crate::report) status: Option<Status>,
    pub(in crate::report) bots: Bots,
    pub(in crate::report) first_seen: Option<(Edge, Edge)>,
}

/// Where a range begins or ends: with a reporting day, or at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::report) enum Edge {
    Day(Day),
    At(Millis),
}

/// Which answers: a class such as 4xx, or one status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::report) enum Status {
    Class(u16),
    Code(u16),
    Aborted,
    Failed,
}

/// Whether hits of machines count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Bots {
    /// People alone.
    #[default]
    Exclude,
    /// Bots alone.
    Only,
    /// Both.
    Include,
}

impl Ask {
    /// Everything that was ever recorded.
    #[must_use]
    pub fn all_time() -> Self {
        Self::default()
    }

    /// So many reporting days, today the last of them; at least one, at most 100 000.
    #[must_use]
    pub fn last_days(days: u32) -> Self {
        Self { last_days: Some(days.clamp(1, 100_000)), ..Self::default() }
    }

    /// From a reporting day such as `2026-11-02`, or a moment in RFC 3339, on. Takes the place of [`last_days`](Self::last_days).
    ///
    /// # Errors
    ///
    /// If it is neither.
    pub fn from(mut self, from: &str) -> Result<Self, Error> {
        self.from = Some(edge("from", from)?);
        self.last_days = None;
        Ok(self)
    }

    /// Up to a reporting day or a moment, and without it. Takes the place of [`last_days`](Self::last_days).
    ///
    /// # Errors
    ///
    /// If it is neither.
    pub fn to(mut self, to: &str) -> Result<Self, Error> {
        self.to = Some(edge("to", to)?);
        self.last_days = None;
        Ok(self)
    }

    /// From one moment up to another, and without that.
    #[must_use]
    pub fn between(from: SystemTime, to: SystemTime) -> Self {
        Self { from: Some(Edge::At(to_millis(from))), to: Some(Edge::At(to_millis(to))), ..Self::default() }
    }

    /// The IANA time zone in which hours of the day and weekdays are told. Defaults to the zone of the reporting days; these stay as they are.
    ///
    /// # Errors
    ///
    /// If there is no such zone.
    pub fn time_zone(mut self, name: &str) -> Result<Self, Error> {
        Zone::new(name)?;
        self.zone = Some(name.to_owned());
        Ok(self)
    }

    /// Only hits from this platform, such as `iOS`.
    #[must_use]
    pub fn platform(mut self, platform: &str) -> Self {
        self.platform = Some(platform.to_owned());
        self
    }

    /// Only hits from this version of an app.
    #[must_use]
    pub fn version(mut self, version: &str) -> Self {
        self.version = Some(version.to_owned());
        self
    }

    /// Only hits of this endpoint: method and route template, as in `GET /items/{id}`; a template alone means all methods.
    #[must_use]
    pub fn endpoint(mut self, endpoint: &str) -> Self {
        self.endpoint = Some(endpoint.to_owned());
        self
    }

    /// Only hits of this feature, by its key.
    #[must_use]
    pub fn feature(mut self, key: &str) -> Self {
        self.feature = Some(key.to_owned());
        self
    }

    /// Only hits of this user, by the app's own id, and of whoever counts as the same person.
    #[must_use]
    pub fn user(mut self, id: &str) -> Self {
        self.user = Some(id.to_owned());
        self
    }

    /// Only hits with this status: a code such as `404`, a class such as `4xx`, `failed` or `aborted`.
    ///
    /// # Errors
    ///
    /// If it is none of these.
    pub fn status(mut self, status: &str) -> Result<Self, Error> {
        let wrong =
            || wrong(format!("status {status:?} is not a code such as \"404\", a class such as \"4xx\", \"failed\" or \"aborted\""));
        self.status = Some(match status {
            "aborted" => Status::Aborted,
            "failed" => Status::Failed,
            "1xx" | "2xx" | "3xx" | "4xx" | "5xx" => Status::Class(u16::from(status.as_bytes()[0] - b'0')),
            code => Status::Code(code.parse().ok().filter(|code| (100..1000).contains(code)).ok_or_else(wrong)?),
        });
        Ok(self)
    }

    /// Of a list of users, only those who were first seen, ever, from one reporting day or moment on and before another.
    ///
    /// # Errors
    ///
    /// If they are neither.
    pub fn first_seen(mut self, from: &str, to: &str) -> Result<Self, Error> {
        self.first_seen = Some((edge("first_from", from)?, edge("first_to", to)?));
        Ok(self)
    }

    /// Whether bots count. Defaults to people alone.
    #[must_use]
    pub fn bots(mut self, bots: Bots) -> Self {
        self.bots = bots;
        self
    }
}

fn edge(name: &str, text: &str) -> Result<Edge, Error> {
    if let Some(day) = parse_day(text) {
        return Ok(Edge::Day(day));
    }
    let at = text.parse::<jiff::Timestamp>().map_err(|error| {
        wrong(format!("{name} {text:?} is neither a date such as 2026-11-02 nor a moment such as 2026-11-02T08:00:00Z")).with_source(error)
    })?;
    Ok(Edge::At(at.as_millisecond()))
}

pub(in crate::report) fn wrong(message: String) -> Error {
    Error::new(ErrorKind::Question, message)
}

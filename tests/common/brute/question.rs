//! What is asked, in words: made into an ask for the crate, and into a condition on hits for the oracle.

use jiff::{Timestamp, civil::Date};
use tower_analytics::{Ask, Bots};

use super::{Device, Seen, World, catalogue::endpoint_called, days::number};

#[derive(Clone, Debug, Default)]
pub(crate) struct Question {
    pub(crate) last_days: Option<u32>,
    /// A date or a moment.
    pub(crate) from: Option<String>,
    pub(crate) to: Option<String>,
    pub(crate) tz: Option<&'static str>,
    pub(crate) platform: Option<&'static str>,
    pub(crate) version: Option<&'static str>,
    pub(crate) endpoint: Option<&'static str>,
    pub(crate) feature: Option<&'static str>,
    pub(crate) user: Option<String>,
    pub(crate) status: Option<&'static str>,
    pub(crate) bots: Bots,
}

/// A range of time.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Span {
    pub(crate) from: i64,
    pub(crate) to: i64,
    /// Days that have a part in it.
    pub(crate) days: std::ops::Range<i32>,
}

impl Question {
    pub(crate) fn ask(&self) -> Ask {
        let mut ask = self.last_days.map_or_else(Ask::all_time, Ask::last_days);
        if let Some(from) = &self.from {
            ask = ask.from(from).unwrap();
        }
        if let Some(to) = &self.to {
            ask = ask.to(to).unwrap();
        }
        if let Some(zone) = self.tz {
            ask = ask.time_zone(zone).unwrap();
        }
        let set = |ask: Ask, value: Option<&str>, set: fn(Ask, &str) -> Ask| match value {
            Some(value) => set(ask, value),
            None => ask,
        };
        ask = set(ask, self.platform, Ask::platform);
        ask = set(ask, self.version, Ask::version);
        ask = set(ask, self.endpoint, Ask::endpoint);
        ask = set(ask, self.feature, Ask::feature);
        ask = set(ask, self.user.as_deref(), Ask::user);
        if let Some(status) = self.status {
            ask = ask.status(status).unwrap();
        }
        ask.bots(self.bots)
    }

    pub(crate) fn with_bots(&self, bots: Bots) -> Self {
        Self { bots, ..self.clone() }
    }

    /// Whether some hits of a session pass and others do not.
    pub(crate) fn splits(&self) -> bool {
        self.endpoint.is_some() || self.feature.is_some() || self.status.is_some()
    }

    pub(crate) fn passes(&self, world: &World, hit: &Seen) -> bool {
        self.passes_device(&hit.device) && self.passes_user(world, hit.person) && self.passes_what(hit)
    }

    pub(crate) fn passes_device(&self, device: &Device) -> bool {
        let audience = match self.bots {
            Bots::Exclude => device.bot.is_empty(),
            Bots::Only => !device.bot.is_empty(),
            _ => true,
        };
        audience && self.passes_platform(device)
    }

    pub(crate) fn passes_platform(&self, device: &Device) -> bool {
        self.platform.is_none_or(|platform| platform == device.platform) && self.version.is_none_or(|version| version == device.version)
    }

    pub(crate) fn passes_user(&self, world: &World, person: Option<i64>) -> bool {
        self.user.as_ref().is_none_or(|id| person.is_some() && person == world.person_called(id))
    }

    pub(crate) fn passes_what(&self, hit: &Seen) -> bool {
        let endpoint = endpoint_called(&hit.endpoint);
        let status = |wanted: &str| match wanted {
            "aborted" => hit.raw.outcome == 2,
            "failed" => hit.raw.outcome == 1,
            class if class.ends_with("xx") => hit.raw.status.to_string()[..1] == class[..1],
            code => hit.raw.status.to_string() == code,
        };
        self.endpoint.is_none_or(|wanted| wanted == endpoint.text || wanted == endpoint.route)
            && self.feature.is_none_or(|wanted| wanted == endpoint.feature)
            && self.status.is_none_or(status)
    }

    pub(crate) fn span(&self, world: &World) -> Span {
        let zone = &world.zone;
        let today = world.today();
        if let Some(days) = self.last_days {
            return Span::of_days(world, today + 1 - days as i32..today + 1);
        }
        // All there is, and today.
        let known = world.hits.iter().map(|hit| hit.day).chain([today]);
        let (first, end) = (known.clone().min().unwrap(), known.max().unwrap() + 1);
        let edge = |text: &Option<String>, or: i32| match text {
            None => (Some(or), zone.start(or)),
            Some(text) => match text.parse::<Date>() {
                Ok(date) if text.len() == 10 => (Some(number(date)), zone.start(number(date))),
                _ => (None, text.parse::<Timestamp>().unwrap().as_millisecond()),
            },
        };
        match (edge(&self.from, first), edge(&self.to, end)) {
            ((Some(from), _), (Some(to), _)) => Span::of_days(world, from..to.max(from)),
            ((_, from), (_, to)) => Span::of(world, from, to),
        }
    }
}

impl Span {
    pub(crate) fn of_days(world: &World, days: std::ops::Range<i32>) -> Self {
        Self { from: world.zone.start(days.start), to: world.zone.start(days.end), days }
    }

    pub(crate) fn of(world: &World, from: i64, to: i64) -> Self {
        let to = to.max(from);
        let first = world.zone.day(from);
        let end = if to == from { first + i32::from(world.zone.start(first) < from) } else { world.zone.day(to - 1) + 1 };
        Self { from, to, days: first..end }
    }

    pub(crate) fn has(&self, hit: &Seen) -> bool {
        (self.from..self.to).contains(&hit.at)
    }

    /// Whether it consists of whole days.
    pub(crate) fn is_whole(&self, world: &World) -> bool {
        self.from == world.zone.start(self.days.start) && self.to == world.zone.start(self.days.end)
    }

    /// As long, just before; if today is in it, up to the same time of day. None of what has no beginning of its own.
    pub(crate) fn before(&self, world: &World, question: &Question) -> Option<Self> {
        if question.last_days.is_none() && question.from.is_none() {
            return None;
        }
        if self.days.is_empty() || !self.is_whole(world) {
            return Some(Self::of(world, self.from - (self.to - self.from), self.from));
        }
        let length = self.days.end - self.days.start;
        let days = self.days.start - length..self.days.start;
        let today = world.today();
        if !self.days.contains(&today) {
            return Some(Self::of_days(world, days));
        }
        let since_midnight = world.now - world.zone.start(today);
        let end = (world.zone.start(today - length) + since_midnight).min(world.zone.start(today - length + 1));
        Some(Self::of(world, world.zone.start(days.start), end))
    }
}

impl World {
    /// The hits of a range that pass.
    pub(crate) fn pick(&self, question: &Question, span: &Span) -> super::group::Group<'_> {
        super::group::Group::new(self, question, self.hits.iter().filter(|hit| span.has(hit) && question.passes(self, hit)))
    }
}

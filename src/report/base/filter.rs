use roaring::RoaringBitmap;
use rusqlite::Connection;

use crate::{
    error::Error,
    report::base::{
        ask::{Ask, Bots, Status},
        names::Names,
    },
    store::{Aliases, Audience, Context, Packed, Row},
};

/// What an ask lets through, as the numbers that stand in the store.
#[derive(Clone, Debug, Default)]
pub(in crate::report) struct Filter {
    pub(in crate::report) bots: Bots,
    pub(in crate::report) platform: Option<String>,
    pub(in crate::report) version: Option<String>,
    pub(in crate::report) endpoints: Option<RoaringBitmap>,
    pub(in crate::report) users: Option<RoaringBitmap>,
    pub(in crate::report) status: Option<Status>,
}

impl Filter {
    pub(in crate::report) fn resolve(ask: &Ask, main: &Connection, names: Option<&Names>, aliases: &Aliases) -> Result<Self, Error> {
        let by_name = names.zip(ask.endpoint.as_deref()).map(|(names, name)| names.endpoints_called(name));
        let by_feature = names.zip(ask.feature.as_deref()).map(|(names, key)| names.endpoints_of(key));
        let endpoints = match (by_name, by_feature) {
            (Some(one), Some(other)) => Some(one & other),
            (one, other) => one.or(other),
        };
        let users = ask.user.as_deref().map(|id| aliases.members_of(main, id)).transpose().context("look up a user")?;
        let Ask { platform, version, status, bots, .. } = ask.clone();
        Ok(Self { bots, platform, version, endpoints, users, status })
    }

    pub(in crate::report) fn audiences(&self) -> &'static [Audience] {
        match self.bots {
            Bots::Exclude => &[Audience::People],
            Bots::Only => &[Audience::Bots],
            Bots::Include => &[Audience::People, Audience::Bots],
        }
    }

    pub(in crate::report) fn has_device(&self) -> bool {
        self.platform.is_some() || self.version.is_some()
    }

    /// Whether single hits of a session pass and others do not.
    pub(in crate::report) fn splits_sessions(&self) -> bool {
        self.endpoints.is_some() || self.status.is_some()
    }

    /// Whether it says which hits of a person count. If not, all of them do, also those that bots made.
    pub(in crate::report) fn tells_hits(&self) -> bool {
        self.has_device() || self.splits_sessions() || self.bots == Bots::Only
    }

    pub(in crate::report) fn is_empty(&self) -> bool {
        !self.has_device() && !self.splits_sessions() && self.users.is_none()
    }

    pub(in crate::report) fn covers_device(&self, platform: &str, version: &str, is_bot: bool) -> bool {
        let audience = match self.bots {
            Bots::Exclude => !is_bot,
            Bots::Only => is_bot,
            Bots::Include => true,
        };
        audience && self.platform.as_deref().is_none_or(|wanted| wanted == platform) && self.covers_version(version)
    }

    pub(in crate::report) fn covers_version(&self, version: &str) -> bool {
        self.version.as_deref().is_none_or(|wanted| wanted == version)
    }

    pub(in crate::report) fn covers_endpoint(&self, endpoint: u32) -> bool {
        self.endpoints.as_ref().is_none_or(|endpoints| endpoints.contains(endpoint))
    }

    pub(in crate::report) fn covers_status(&self, outcome: Packed) -> bool {
        use crate::hit::Outcome;
        match self.status {
            None => true,
            Some(Status::Class(class)) => outcome.status() / 100 == class,
            Some(Status::Code(code)) => outcome.status() == code,
            Some(Status::Aborted) => outcome.outcome() == Outcome::Aborted,
            Some(Status::Failed) => outcome.outcome() == Outcome::Failed,
        }
    }

    /// All but the device, which is known by its number.
    pub(in crate::report) fn covers(&self, row: &Row) -> bool {
        self.covers_endpoint(row.endpoint)
            && self.covers_status(row.outcome)
            && self.users.as_ref().is_none_or(|users| users.contains(row.user))
    }
}

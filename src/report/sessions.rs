use std::{
    cmp::Reverse,
    time::{Duration, SystemTime},
};

use serde::Serialize;

use super::base::{
    json,
    page::Page,
    sessions::{self, Session, Which, id_of},
    view::View,
    with_hit::WithHit,
};
use crate::{
    clock::{Month, from_millis},
    error::Error,
    store::{Context, FIRST_IMPORTED, MetaKey, PartView, meta_get},
};

/// Sessions that began in the range, in the order of their opening, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Sessions {
    /// A page of them.
    pub sessions: Vec<SessionRow>,
    /// For the next page, if there is one.
    pub next_cursor: Option<String>,
}

/// A session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct SessionRow {
    /// Its id, such as `202611-42`.
    pub session_id: String,
    /// The user's id; `None` for a visitor.
    pub user_id: Option<String>,
    /// What people call the user, or empty.
    pub user_name: String,
    /// The platform of its first hit, or empty.
    pub platform: String,
    /// The app's version, or empty.
    pub app_version: String,
    /// The device, or empty.
    pub device: String,
    /// The class of the bot, or empty for people.
    pub bot: String,
    /// When it began.
    #[serde(serialize_with = "json::time")]
    #[cfg_attr(feature = "dashboard", schemars(with = "String"))]
    pub started_at: SystemTime,
    /// Its newest hit.
    #[serde(serialize_with = "json::time")]
    #[cfg_attr(feature = "dashboard", schemars(with = "String"))]
    pub last_activity: SystemTime,
    /// The time between its actions, in seconds.
    #[serde(serialize_with = "json::seconds")]
    #[cfg_attr(feature = "dashboard", schemars(with = "f64"))]
    pub duration: Duration,
    /// Hits.
    pub hits: u64,
    /// Hits that are actions.
    pub actions: u64,
    /// Hits that failed or answered 500 or more, or with a gRPC status that is not OK.
    pub errors: u64,
    /// The endpoint of the hit that was recorded last.
    pub last_endpoint: String,
    /// Whether its last activity lies within the timeout.
    pub active: bool,
}

/// With filters by endpoint, feature or status: sessions that have such a hit.
pub(super) fn ask(view: &mut View<'_, '_>, page: &Page) -> Result<Sessions, Error> {
    let span = view.span.clone();
    let mut parts: Vec<PartView> = view.snapshot.parts().to_vec();
    // What was imported into a month is mostly older than what was recorded in it.
    parts.sort_by_key(|part| (Reverse(part.month), part.key.is_import(), Reverse(part.next_session)));
    let mut found: Vec<(Month, Session)> = Vec::new();
    for part in parts {
        let after = page.after.filter(|after| after.key >= part.month.number());
        let (Some(least), Some(greatest)) = (part.least, part.greatest) else { continue };
        if found.len() > page.limit || (page.after.is_some() && after.is_none()) || least >= span.at.end || greatest < span.at.start {
            continue;
        }
        let below = match after.filter(|after| after.key == part.month.number()).map(|after| after.id) {
            Some(id) if part.key.is_import() == (id >= FIRST_IMPORTED.into()) => id,
            Some(_) if !part.key.is_import() => continue,
            _ => i64::from(u32::MAX) + 1,
        };
        of_part(view, &part, below, page.limit + 1 - found.len(), &mut found)?;
    }
    let next_cursor = (found.len() > page.limit).then(|| {
        found.truncate(page.limit);
        found.last().map(|(month, session)| page.cursor(view.now, (month.number(), session.number.into())))
    });
    let sessions = found.into_iter().map(|(month, session)| row(view, month, &session)).collect::<Result<_, _>>()?;
    Ok(Sessions { sessions, next_cursor: next_cursor.flatten() })
}

fn of_part(view: &mut View<'_, '_>, part: &PartView, below: i64, limit: usize, found: &mut Vec<(Month, Session)>) -> Result<(), Error> {
    let (month, mut left, mut below) = (part.month, limit, below);
    let mut wanted = Wanted::begin(view, part)?;
    loop {
        let from = wanted.look_further(view, part)?;
        if i64::from(from) < below {
            let numbers = format!(" and number >= {from} and number < {below}");
            wanted.each(view, part, &numbers, "order by number desc", |session| {
                found.push((month, session));
                left -= 1;
                left > 0
            })?;
            below = from.into();
        }
        if left == 0 || from == 0 {
            return Ok(());
        }
    }
}

/// Which sessions of a part are asked for.
pub(super) struct Wanted {
    only: String,
    devices: Vec<bool>,
    with_hit: Option<WithHit>,
    first_past: u32,
}

impl Wanted {
    /// Known of all of them.
    pub(super) fn all(view: &mut View<'_, '_>, part: &PartView) -> Result<Self, Error> {
        let with_hit = if view.filter.splits_sessions() { Some(WithHit::all(view, part)?) } else { None };
        Self::with(view, part, with_hit)
    }

    /// Known of none of them yet.
    fn begin(view: &View<'_, '_>, part: &PartView) -> Result<Self, Error> {
        let with_hit = if view.filter.splits_sessions() { Some(WithHit::begin(view, part)?) } else { None };
        Self::with(view, part, with_hit)
    }

    /// Gives the number from which on it is known of all of them.
    fn look_further(&mut self, view: &mut View<'_, '_>, part: &PartView) -> Result<u32, Error> {
        let Some(with_hit) = &mut self.with_hit else { return Ok(0) };
        with_hit.look_further(view, part)?;
        Ok(with_hit.known_from())
    }

    fn with(view: &View<'_, '_>, part: &PartView, with_hit: Option<WithHit>) -> Result<Self, Error> {
        let at = view.span.at.clone();
        let devices: Vec<bool> =
            view.devices()?.iter().map(|device| view.filter.covers_device(&device.platform, &device.version, device.is_bot())).collect();
        let mut only = format!(" and opened >= {} and opened < {}", at.start, at.end);
        if let Some(users) = &view.filter.users {
            let users: Vec<String> = users.iter().map(|user| user.to_string()).collect();
            only += &format!(" and user in ({})", users.join(","));
        }
        Ok(Self { only, devices, with_hit, first_past: sessions::first_past(view, part)? })
    }

    /// Those of some numbers, until `show` has enough.
    pub(super) fn each(
        &self,
        view: &mut View<'_, '_>,
        part: &PartView,
        numbers: &str,
        order: &str,
        mut show: impl FnMut(Session) -> bool,
    ) -> Result<(), Error> {
        let only = format!("{numbers}{}", self.only);
        sessions::each(view, part, &Which { only: &only, order, limit: usize::MAX >> 1, rows: false }, |session| {
            let passes = self.devices.get(session.device as usize).copied().unwrap_or(true)
                && self.with_hit.as_ref().is_none_or(|sessions| sessions.has(session.number))
                && session.number < self.first_past;
            !passes || show(session)
        })
    }
}

pub(super) fn row(view: &View<'_, '_>, month: Month, session: &Session) -> Result<SessionRow, Error> {
    let (device, names) = (view.devices()?.get(session.device), view.names()?);
    let user = sessions::user_of(view.main(), session.user).context("look up a user")?;
    let timeout = meta_get::<i64>(view.main(), MetaKey::SessionTimeout).context("read the session timeout")?.unwrap_or_default();
    let (user_id, user_name) = user.unzip();
    Ok(SessionRow {
        session_id: id_of(month, session.number),
        user_id,
        user_name: user_name.unwrap_or_default(),
        platform: device.platform.clone(),
        app_version: device.version.clone(),
        device: device.name.clone(),
        bot: device.bot.clone(),
        started_at: from_millis(session.opened),
        last_activity: from_millis(session.last),
        duration: Duration::from_millis(session.time.unsigned_abs()),
        hits: session.hits.unsigned_abs(),
        actions: session.actions.unsigned_abs(),
        errors: session.errors.unsigned_abs(),
        last_endpoint: names.text(session.last_endpoint.into()),
        active: (view.now - timeout..=view.now + timeout).contains(&session.last),
    })
}

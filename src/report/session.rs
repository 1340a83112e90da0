use std::time::{Duration, SystemTime};

use serde::Serialize;

use super::{
    base::{
        json,
        page::Page,
        sessions::{self, Session, from_id, id_of},
        view::View,
    },
    errors::outcome_text,
    sessions::{SessionRow, row},
};
use crate::{
    clock::{Millis, from_millis},
    error::Error,
    store::{Context, PartView, Row},
};

/// One session with everything that was done in it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct SessionDetail {
    /// The session.
    pub session: SessionRow,
    /// The same person's session before it.
    pub previous_session: Option<String>,
    /// The same person's session after it.
    pub next_session: Option<String>,
    /// A page of its hits, in the order in which they were recorded: a hit that came late follows those that came before it.
    pub actions: Vec<ActionRow>,
    /// For the next page, if there is one.
    pub next_cursor: Option<String>,
}

/// One hit of a session.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ActionRow {
    /// When it ended.
    #[serde(serialize_with = "json::time")]
    #[cfg_attr(feature = "dashboard", schemars(with = "String"))]
    pub at: SystemTime,
    /// Seconds since the hit before it, less than none for one that came late; none for the first of the session.
    pub gap: Option<f64>,
    /// Method and route template.
    pub endpoint: String,
    /// What people call it.
    pub name: String,
    /// The status.
    pub status: u16,
    /// `completed`, `failed` or `aborted`.
    pub outcome: String,
    /// The gRPC status, if there was one.
    pub grpc_status: Option<u8>,
    /// Whether it is an action, and not noise such as a health check.
    pub action: bool,
    /// Milliseconds to the head of the response.
    #[serde(rename = "latency_ms", serialize_with = "json::millis")]
    #[cfg_attr(feature = "dashboard", schemars(with = "f64"))]
    pub latency: Duration,
    /// Milliseconds from there to the end of the body.
    #[serde(rename = "body_ms", serialize_with = "json::millis")]
    #[cfg_attr(feature = "dashboard", schemars(with = "f64"))]
    pub body: Duration,
    /// Bytes of the request's body, as its length was announced.
    pub bytes_in: u64,
    /// Bytes of the response's body.
    pub bytes_out: u64,
    /// The kind of the error the app attached, or empty.
    pub error_kind: String,
    /// Its message, digits and quoted parts masked.
    pub error_message: String,
}

pub(super) fn ask(view: &mut View<'_, '_>, id: &str, page: &Page) -> Result<Option<SessionDetail>, Error> {
    let Some((month, number)) = from_id(id) else { return Ok(None) };
    let Some(part) = view.snapshot.part_of(month, number) else { return Ok(None) };
    let Some(session) = sessions::one(view, &part, number)? else { return Ok(None) };
    let (skip, mut place, mut before) = (page.after.map_or(0, |after| after.id), 0_i64, None);
    let mut rows: Vec<(Row, Option<Millis>)> = Vec::new();
    if part.state.has_raw() {
        sessions::each_row(view, &part, &session, |row| {
            if place >= skip && rows.len() <= page.limit {
                rows.push((*row, before.map(|before| row.at - before)));
            }
            (place, before) = (place + 1, Some(row.at));
        })?;
    }
    let next_cursor = (rows.len() > page.limit).then(|| page.cursor(view.now, (0, skip + page.limit as i64)));
    rows.truncate(page.limit);
    let actions = rows.iter().map(|(row, gap)| action(view, part.month.start(), row, *gap)).collect::<Result<_, _>>()?;
    let (previous_session, next_session) = neighbours(view, &part, &session)?;
    Ok(Some(SessionDetail { session: row(view, month, &session)?, previous_session, next_session, actions, next_cursor }))
}

pub(super) fn action(view: &View<'_, '_>, start: Millis, row: &Row, gap: Option<Millis>) -> Result<ActionRow, Error> {
    let names = view.names()?;
    let error = match row.error {
        0 => None,
        number => {
            let mut statement = view.main().prepare_cached(include_str!("errors.sql")).context("read errors")?;
            statement.query_row([number], |row| Ok((row.get(0)?, row.get(1)?))).ok()
        }
    };
    let (error_kind, error_message) = error.unwrap_or_default();
    let micros = |micros: i64| Duration::from_micros(micros.try_into().unwrap_or(0));
    Ok(ActionRow {
        at: from_millis(start + row.at),
        gap: gap.map(|gap| gap as f64 / 1e3),
        endpoint: names.text(row.endpoint.into()),
        name: names.endpoint(row.endpoint.into()).map(|name| name.name.clone()).unwrap_or_default(),
        status: row.outcome.status(),
        outcome: outcome_text(row.outcome.outcome()).to_owned(),
        grpc_status: row.outcome.grpc_status(),
        action: row.outcome.is_action(),
        latency: micros(row.head_us),
        body: micros(row.body_us),
        bytes_in: row.bytes_in.unsigned_abs(),
        bytes_out: row.bytes_out.unsigned_abs(),
        error_kind,
        error_message,
    })
}

/// The same person's sessions before and after one, in the order of their opening; also in months beside it.
fn neighbours(view: &mut View<'_, '_>, part: &PartView, session: &Session) -> Result<(Option<String>, Option<String>), Error> {
    if session.user == 0 || session.user >= crate::store::FIRST_VISITOR {
        return Ok((None, None));
    }
    let members = view.aliases.members(view.aliases.of(session.user));
    let users: Vec<String> = members.iter().map(|user| user.to_string()).collect();
    let users = users.join(",");
    let mut parts = view.snapshot.parts().to_vec();
    // What was imported into a month is mostly older than what was recorded in it.
    parts.sort_by_key(|part| (part.month, !part.key.is_import(), part.next_session));
    let here = parts.iter().position(|other| other.key == part.key).unwrap_or_default();
    let mut closest = |parts: &mut dyn Iterator<Item = &PartView>, is_before: bool| -> Result<Option<String>, Error> {
        for other in parts {
            let (sign, order) = if is_before { ("<", "order by number desc") } else { (">", "order by number") };
            let beside = if other.key == part.key { format!("and number {sign} {}", session.number) } else { String::new() };
            let only = format!("and user in ({users}) {beside}");
            let (mut found, past) = (None, sessions::first_past(view, other)?);
            sessions::each(view, other, &sessions::Which { only: &only, order, limit: 1, rows: false }, |next| {
                found = (next.number < past).then_some(next.number);
                false
            })?;
            if let Some(number) = found {
                return Ok(Some(id_of(other.month, number)));
            }
        }
        Ok(None)
    };
    let before = closest(&mut parts[..=here].iter().rev(), true)?;
    let after = closest(&mut parts[here..].iter(), false)?;
    Ok((before, after))
}

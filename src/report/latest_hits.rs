use std::time::{Duration, SystemTime};

use serde::Serialize;

use super::{
    base::{
        json,
        page::MOST_ROWS,
        sessions::{id_of, user_of},
        view::View,
    },
    errors::outcome_text,
};
use crate::{
    clock::{Month, from_millis},
    error::Error,
    store::{
        Context, Row,
        raw::{self, Columns},
    },
};

/// What was recorded last, newest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct LatestHits {
    /// People's and bots' alike.
    pub hits: Vec<LatestHit>,
}

/// One hit.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct LatestHit {
    /// When it ended.
    #[serde(serialize_with = "json::time")]
    #[cfg_attr(feature = "dashboard", schemars(with = "String"))]
    pub at: SystemTime,
    /// The session it belongs to.
    pub session_id: String,
    /// The user's id; `None` for a visitor.
    pub user_id: Option<String>,
    /// What people call the user, or empty.
    pub user_name: String,
    /// The platform, or empty.
    pub platform: String,
    /// The class of the bot, or empty for people.
    pub bot: String,
    /// Method and route template.
    pub endpoint: String,
    /// The status.
    pub status: u16,
    /// `completed`, `failed` or `aborted`.
    pub outcome: String,
    /// Milliseconds to the head of the response.
    #[serde(rename = "latency_ms", serialize_with = "json::millis")]
    #[cfg_attr(feature = "dashboard", schemars(with = "f64"))]
    pub latency: Duration,
}

/// Filters and range do not count: it is what came last, whatever it was.
pub(super) fn ask(view: &mut View<'_, '_>, limit: usize) -> Result<LatestHits, Error> {
    let limit = limit.clamp(1, MOST_ROWS);
    let mut parts: Vec<_> = view.snapshot.parts().iter().filter(|part| part.state.has_raw() && !part.key.is_import()).copied().collect();
    parts.sort_by_key(|part| std::cmp::Reverse(part.month));
    let mut rows: Vec<(Month, Row)> = Vec::new();
    for part in parts {
        let left = (limit - rows.len()) as i64;
        if left == 0 {
            break;
        }
        view.snapshot.note_raw();
        let mut found = Vec::new();
        let last = part.watermark;
        raw::scan(view.snapshot.raw(part.key)?, part.month, Columns::All, "", (last - left + 1, last), |row| {
            found.push((part.month, *row))
        })
        .context("read raw hits")?;
        rows.extend(found.into_iter().rev());
    }
    let hits = rows.iter().map(|(month, row)| hit(view, *month, row)).collect::<Result<_, _>>()?;
    Ok(LatestHits { hits })
}

fn hit(view: &View<'_, '_>, month: Month, row: &Row) -> Result<LatestHit, Error> {
    let (device, names) = (view.devices()?.get(row.device), view.names()?);
    let (user_id, user_name) = user_of(view.main(), row.user).context("look up a user")?.unzip();
    Ok(LatestHit {
        at: from_millis(month.start() + row.at),
        session_id: id_of(month, row.session),
        user_id,
        user_name: user_name.unwrap_or_default(),
        platform: device.platform.clone(),
        bot: device.bot.clone(),
        endpoint: names.text(row.endpoint.into()),
        status: row.outcome.status(),
        outcome: outcome_text(row.outcome.outcome()).to_owned(),
        latency: Duration::from_micros(row.head_us.unsigned_abs()),
    })
}

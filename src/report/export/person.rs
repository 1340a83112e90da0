//! Everything about one person, as one document.

use std::{collections::BTreeMap, io::Write};

use roaring::RoaringBitmap;
use serde::Serialize;

use super::out::{json, refused};
use crate::{
    clock::{Millis, from_millis},
    error::Error,
    report::{
        base::{
            json as shown,
            sessions::{each_row, of_users},
            view::View,
        },
        session::{ActionRow, action},
        sessions::{SessionRow, row},
        user,
    },
    store::{Context, PartView, Row},
};

#[derive(Serialize)]
struct Session<'a> {
    #[serde(flatten)]
    session: &'a SessionRow,
    actions: Vec<ActionRow>,
}

#[derive(Serialize)]
struct ErrorText {
    kind: String,
    message: String,
    endpoint: String,
    sample: String,
    #[serde(serialize_with = "shown::time")]
    first_seen: std::time::SystemTime,
    /// Of this person.
    hits: u64,
}

#[derive(Serialize)]
struct Device<'a> {
    platform: &'a str,
    app_version: &'a str,
    name: &'a str,
    bot: &'a str,
    hits: u64,
}

const NOT_COVERED: &str = "accounts of the sign-in (access.db: `tower-analytics user list`), backups, and hits that a visitor made before \
                           it was known who that is";

/// Writes it; `false`, and nothing, if nobody has this id.
pub(in crate::report) fn ask(view: &mut View<'_, '_>, id: &str, out: &mut dyn Write) -> Result<bool, Error> {
    let Some(detail) = user::ask(view, id)? else { return Ok(false) };
    let members = view.aliases.members_of(view.main(), id).context("look up a user")?;
    let mut used = Used::default();
    // The document is written piece by piece: of whoever is here every day there may be much.
    let head = serde_json::to_string(&detail).map_err(|error| refused(error.into()))?;
    let text = |out: &mut dyn Write, text: &str| out.write_all(text.as_bytes()).map_err(refused);
    text(out, head.trim_end_matches('}'))?;
    text(out, ",\"not_covered\":")?;
    json(out, NOT_COVERED)?;
    text(out, ",\"sessions\":[")?;
    let mut is_first = true;
    let mut parts = view.snapshot.parts().to_vec();
    parts.sort_by_key(|part| (part.month, part.number));
    for part in parts.iter().filter(|part| part.state.has_raw()) {
        for session in of_users(view, part, &members)? {
            let mut hits: Vec<Row> = Vec::new();
            each_row(view, part, &session, |row| hits.push(*row))?;
            hits.iter().for_each(|hit| used.count(hit));
            let actions = actions(view, part, &hits)?;
            text(out, if is_first { "\n" } else { ",\n" })?;
            is_first = false;
            json(out, &Session { session: &row(view, part.month, &session)?, actions })?;
        }
    }
    text(out, "],\n\"devices\":")?;
    let devices = view.devices()?;
    let device = |(number, hits): (&u32, &u64)| {
        let device = devices.get(*number);
        Device { platform: &device.platform, app_version: &device.version, name: &device.name, bot: &device.bot, hits: *hits }
    };
    json(out, &used.devices.iter().map(device).collect::<Vec<_>>())?;
    text(out, ",\n\"errors\":")?;
    json(out, &errors(view, &used.errors)?)?;
    text(out, "}\n")?;
    out.flush().map_err(refused)?;
    Ok(true)
}

/// What all hits of the person refer to.
#[derive(Default)]
struct Used {
    devices: BTreeMap<u32, u64>,
    errors: BTreeMap<u32, u64>,
}

impl Used {
    fn count(&mut self, row: &Row) {
        *self.devices.entry(row.device).or_default() += 1;
        if row.error != 0 {
            *self.errors.entry(row.error).or_default() += 1;
        }
    }
}

fn actions(view: &View<'_, '_>, part: &PartView, hits: &[Row]) -> Result<Vec<ActionRow>, Error> {
    let mut before: Option<Millis> = None;
    hits.iter().map(|hit| action(view, part.month.start(), hit, before.replace(hit.at).map(|before| hit.at - before))).collect()
}

fn errors(view: &View<'_, '_>, used: &BTreeMap<u32, u64>) -> Result<Vec<ErrorText>, Error> {
    let names = view.names()?;
    let numbers: RoaringBitmap = used.keys().copied().collect();
    let read = |number: u32| -> rusqlite::Result<Option<ErrorText>> {
        let mut statement = view.main().prepare_cached(include_str!("../errors.sql"))?;
        let text = statement.query_row([number], |row| {
            Ok(ErrorText {
                kind: row.get(0)?,
                message: row.get(1)?,
                endpoint: names.text(row.get(2)?),
                sample: row.get(3)?,
                first_seen: from_millis(row.get(4)?),
                hits: used.get(&number).copied().unwrap_or_default(),
            })
        });
        rusqlite::OptionalExtension::optional(text)
    };
    numbers.iter().filter_map(|number| read(number).transpose()).collect::<rusqlite::Result<_>>().context("read errors")
}

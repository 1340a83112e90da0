use std::{
    collections::{HashMap, hash_map::Entry},
    time::SystemTime,
};

use serde::Serialize;

use super::{Out, parts_with_raw};
use crate::{
    clock::{Millis, from_millis},
    error::Error,
    report::{
        base::{
            json, scan,
            sessions::{id_of, user_of},
            view::View,
        },
        errors::outcome_text,
    },
    store::{Context, PartView, Row},
};

/// A hit with everything that is known of it.
#[derive(Serialize)]
struct Action<'a> {
    #[serde(serialize_with = "json::time")]
    at: SystemTime,
    session_id: String,
    user_id: Option<&'a str>,
    user_name: &'a str,
    endpoint: &'a str,
    name: &'a str,
    feature: &'a str,
    status: u16,
    outcome: &'static str,
    grpc_status: Option<u8>,
    action: bool,
    /// None of hits that were imported from where nobody measured it.
    latency_ms: Option<f64>,
    body_ms: Option<f64>,
    bytes_in: u64,
    bytes_out: u64,
    platform: &'a str,
    app_version: &'a str,
    device: &'a str,
    bot: &'a str,
    error_kind: &'a str,
    error_message: &'a str,
}

pub(super) fn write(view: &mut View<'_, '_>, out: &mut Out<'_>) -> Result<(), Error> {
    let (at, filter) = (view.span.at.clone(), view.filter.clone());
    let devices: Vec<Option<u32>> = view
        .devices()?
        .iter()
        .map(|device| filter.covers_device(&device.platform, &device.version, device.is_bot()).then_some(0))
        .collect();
    let mut looked_up = LookedUp::default();
    for part in parts_with_raw(view)? {
        view.snapshot.note_raw();
        scan::each_few(view, &part, &at, &devices, |view, rows| {
            for row in rows {
                if devices.get(row.device as usize).is_some_and(Option::is_some) && filter.covers(row) {
                    one(view, &part, row, &mut looked_up, out)?;
                }
            }
            Ok(())
        })?;
    }
    Ok(())
}

fn one(view: &View<'_, '_>, part: &PartView, row: &Row, looked_up: &mut LookedUp, out: &mut Out<'_>) -> Result<(), Error> {
    let (device, names) = (view.devices()?.get(row.device), view.names()?);
    looked_up.make_sure(view, row).context("look up who it was, and what went wrong")?;
    let user = looked_up.users.get(&row.user).and_then(Option::as_ref);
    let error = looked_up.errors.get(&row.error).and_then(Option::as_ref);
    let endpoint = names.endpoint(row.endpoint.into());
    let millis = |micros: i64| (micros != Row::UNTIMED).then_some(micros as f64 / 1e3);
    let moment: Millis = part.month.start() + row.at;
    out.row(&Action {
        at: from_millis(moment),
        session_id: id_of(part.month, row.session),
        user_id: user.map(|(id, _)| id.as_str()),
        user_name: user.map_or("", |(_, name)| name),
        endpoint: endpoint.map_or("", |endpoint| &endpoint.endpoint),
        name: endpoint.map_or("", |endpoint| &endpoint.name),
        feature: endpoint.map_or("", |endpoint| &endpoint.feature),
        status: row.outcome.status(),
        outcome: outcome_text(row.outcome.outcome()),
        grpc_status: row.outcome.grpc_status(),
        action: row.outcome.is_action(),
        latency_ms: millis(row.head_us),
        body_ms: millis(row.body_us),
        bytes_in: row.bytes_in.unsigned_abs(),
        bytes_out: row.bytes_out.unsigned_abs(),
        platform: &device.platform,
        app_version: &device.version,
        device: &device.name,
        bot: &device.bot,
        error_kind: error.map_or("", |(kind, _)| kind),
        error_message: error.map_or("", |(_, message)| message),
    })
}

/// Users and errors lately looked up; hits of the same ones come in runs.
#[derive(Default)]
struct LookedUp {
    users: HashMap<u32, Option<(String, String)>>,
    errors: HashMap<u32, Option<(String, String)>>,
}

/// More are forgotten, all at once.
const MOST: usize = 10_000;

impl LookedUp {
    fn make_sure(&mut self, view: &View<'_, '_>, row: &Row) -> rusqlite::Result<()> {
        if self.users.len() > MOST {
            self.users.clear();
        }
        if let Entry::Vacant(place) = self.users.entry(row.user) {
            place.insert(user_of(view.main(), row.user)?);
        }
        if let Some(Entry::Vacant(place)) = (row.error != 0).then(|| self.errors.entry(row.error)) {
            let mut statement = view.main().prepare_cached(include_str!("../errors.sql"))?;
            let text = rusqlite::OptionalExtension::optional(statement.query_row([row.error], |row| Ok((row.get(0)?, row.get(1)?))))?;
            place.insert(text);
        }
        Ok(())
    }
}

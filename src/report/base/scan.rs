//! Hits one by one, for what no roll-up says: filters that cross dimensions, and ranges that end within a quarter of an hour.

use std::{collections::HashMap, ops::Range};

use roaring::RoaringBitmap;
use rusqlite::params;

use crate::{
    clock::Millis,
    error::{Error, ErrorKind},
    report::base::{
        ask::Status,
        grouping::{Counted, Grouping},
        metric::Groups,
        view::View,
    },
    store::{
        Context, Dimension, FIRST_VISITOR, Packed, PartState, PartView, Row, SLOT_MS, Value, failure, for_month,
        raw::{self, Columns},
    },
};

/// The same failure, whether it came without a gRPC status or with one that is OK: these are told apart when stored.
pub(in crate::report) fn without_ok(number: i64) -> i64 {
    match number >> 12 & 0x1f {
        1 => number ^ 1 << 12,
        _ => number,
    }
}

/// Adds a part's hits within a time to their groups.
pub(super) fn rows(
    view: &mut View<'_, '_>,
    part: &PartView,
    at: &Range<Millis>,
    grouping: &Grouping<'_>,
    groups: &mut Groups,
) -> Result<(), Error> {
    // What a device counts under, or that it does not pass.
    let mut values: Vec<Value> = vec![Value::Number(0)];
    let mut places: HashMap<Value, u32> = HashMap::from([(Value::Number(0), 0)]);
    let of_device: Vec<Option<u32>> = view
        .devices()?
        .iter()
        .map(|device| {
            let passes = view.filter.covers_device(&device.platform, &device.version, device.is_bot());
            let value = passes.then(|| device.value(grouping.by))??;
            Some(*places.entry(value.clone()).or_insert_with(|| {
                values.push(value);
                values.len() as u32 - 1
            }))
        })
        .collect();
    let (zone, filter, splits) = (view.zone.clone(), view.filter.clone(), view.filter.splits_sessions());
    // By a number: names are put in their place at the end.
    let mut found: HashMap<(usize, i64), crate::report::base::metric::Metric> = HashMap::new();
    let mut last: Option<(Range<Millis>, usize)> = None;
    let is_whole = grouping.latency || matches!(grouping.counted, Counted::All | Counted::Single) || grouping.by == Dimension::Error;
    let columns = if is_whole { Columns::All } else { Columns::Who };
    each_with(view, part, at, &of_device, columns, |row, moment| {
        let Some(Some(device)) = of_device.get(row.device as usize) else { return };
        if !filter.covers(row) {
            return;
        }
        let value = match grouping.by {
            Dimension::Endpoint => i64::from(row.endpoint),
            Dimension::Failure => match failure(row) {
                Some(number) => number,
                None => return,
            },
            Dimension::Error if row.error == 0 => return,
            Dimension::Error => i64::from(row.error),
            _ => i64::from(*device),
        };
        // Hits come nearly in order, and no bucket is shorter than a quarter of an hour.
        let place = match &last {
            Some((slot, place)) if slot.contains(&moment) => *place,
            _ => {
                let place = grouping.bucket.of(moment, &zone);
                let slot = moment.div_euclid(SLOT_MS) * SLOT_MS;
                last = Some((slot..slot + SLOT_MS, place));
                place
            }
        };
        let metric = found.entry((place, value)).or_default();
        metric.add_row(row, grouping);
        if grouping.recent.is_some_and(|since| moment >= since) && (1..FIRST_VISITOR).contains(&row.user) {
            metric.recent.insert(row.user);
        }
        if grouping.counted.sessions() && (splits || row.outcome.opens()) {
            metric.sessions_here.insert(row.session);
        }
    })?;
    for ((place, value), metric) in found {
        let value = match grouping.by {
            Dimension::Endpoint | Dimension::Failure | Dimension::Error => Value::Number(value),
            _ => values[value as usize].clone(),
        };
        groups.entry((place, value)).or_default().join_hits(&metric);
    }
    Ok(())
}

/// Shows each hit of a part within a time that may pass, with its moment: of one user through that one's sessions, else in a row.
pub(in crate::report) fn each(
    view: &mut View<'_, '_>,
    part: &PartView,
    at: &Range<Millis>,
    of_device: &[Option<u32>],
    show: impl FnMut(&Row, Millis),
) -> Result<(), Error> {
    each_with(view, part, at, of_device, Columns::All, show)
}

fn each_with(
    view: &mut View<'_, '_>,
    part: &PartView,
    at: &Range<Millis>,
    of_device: &[Option<u32>],
    columns: Columns,
    mut show: impl FnMut(&Row, Millis),
) -> Result<(), Error> {
    if !part.state.has_raw() {
        return Err(put_away(part));
    }
    let start = part.month.start();
    let mut show = |row: &Row| {
        let moment = start + row.at;
        if at.contains(&moment) {
            show(row, moment);
        }
    };
    if let Some(users) = view.filter.users.clone() {
        let sessions = super::sessions::of_users(view, part, &users)?;
        return sessions.iter().try_for_each(|session| super::sessions::each_row(view, part, session, &mut show));
    }
    let Some((first, last)) = row_range(view, part, at).context("read roll-ups")? else { return Ok(()) };
    let Some(only) = only(view, of_device) else { return Ok(()) };
    raw::scan(view.snapshot.raw(part.key)?, part.month, columns, &only, (first, last), show).context("read raw hits")
}

/// Shows each hit of some rows of a part that the filter may let through, whatever its device, and of it who and how it ended.
pub(super) fn of_rows(view: &mut View<'_, '_>, part: &PartView, rows: (i64, i64), show: impl FnMut(&Row)) -> Result<(), Error> {
    if !part.state.has_raw() {
        return Err(put_away(part));
    }
    if let Some(users) = view.filter.users.clone() {
        let (sessions, mut show) = (super::sessions::of_users(view, part, &users)?, show);
        return sessions.iter().try_for_each(|session| super::sessions::each_row(view, part, session, &mut show));
    }
    let Some(only) = only(view, &[]) else { return Ok(()) };
    raw::scan(view.snapshot.raw(part.key)?, part.month, Columns::Who, &only, rows, show).context("read raw hits")
}

/// So many row numbers are looked at together.
const FEW: i64 = 10_000;

/// Shows the same hits, a few at a time, with the view free for looking things up.
pub(in crate::report) fn each_few(
    view: &mut View<'_, '_>,
    part: &PartView,
    at: &Range<Millis>,
    of_device: &[Option<u32>],
    mut show: impl FnMut(&View<'_, '_>, &[Row]) -> Result<(), Error>,
) -> Result<(), Error> {
    let (start, mut rows) = (part.month.start(), Vec::new());
    if let Some(users) = view.filter.users.clone() {
        for session in super::sessions::of_users(view, part, &users)? {
            rows.clear();
            super::sessions::each_row(view, part, &session, |row| rows.extend(at.contains(&(start + row.at)).then_some(*row)))?;
            show(view, &rows)?;
        }
        return Ok(());
    }
    let Some((mut first, last)) = row_range(view, part, at).context("read roll-ups")? else { return Ok(()) };
    let Some(only) = only(view, of_device) else { return Ok(()) };
    while first <= last {
        rows.clear();
        let end = last.min(first + FEW - 1);
        let keep = |row: &Row| rows.extend(at.contains(&(start + row.at)).then_some(*row));
        raw::scan(view.snapshot.raw(part.key)?, part.month, Columns::All, &only, (first, end), keep).context("read raw hits")?;
        show(view, &rows)?;
        first = end + 1;
    }
    Ok(())
}

/// What SQLite can say of a hit before we see it; none if no hit can pass.
fn only(view: &View<'_, '_>, of_device: &[Option<u32>]) -> Option<String> {
    let mut only = String::new();
    // Mostly there are fewer endpoints than devices, and what is checked first is checked most.
    if let Some(endpoints) = &view.filter.endpoints {
        only += &among("endpoint", endpoints.iter());
    }
    only += &view.filter.status.map(of_status).unwrap_or_default();
    let devices: Vec<u32> = (0_u32..).zip(of_device).filter(|(_, place)| place.is_some()).map(|(number, _)| number).collect();
    if devices.is_empty() && !of_device.is_empty() {
        return None;
    }
    if devices.len() < of_device.len() {
        only += &among("device", devices.iter().copied());
    }
    Some(only)
}

fn of_status(status: Status) -> String {
    match status {
        Status::Class(class) => format!(" and outcome & {} between {class}00 and {class}99", Packed::STATUS),
        Status::Code(code) => format!(" and outcome & {} = {code}", Packed::STATUS),
        // Which bits these are is known elsewhere.
        Status::Aborted | Status::Failed => String::new(),
    }
}

/// A condition that SQLite checks faster than we could; too long a list it does not.
fn among(column: &str, numbers: impl Iterator<Item = u32> + Clone) -> String {
    if numbers.clone().count() > 500 {
        return String::new();
    }
    let list: Vec<String> = numbers.map(|number| number.to_string()).collect();
    format!(" and {column} in ({})", list.join(","))
}

/// The raw rows that lie in the quarters of an hour of a time, up to the watermark.
pub(super) fn row_range(view: &View<'_, '_>, part: &PartView, at: &Range<Millis>) -> rusqlite::Result<Option<(i64, i64)>> {
    let (Some(least), Some(greatest)) = (part.least, part.greatest) else { return Ok(None) };
    if at.contains(&least) && at.contains(&greatest) {
        return Ok(Some((1, part.watermark)));
    }
    let mut statement = view.main().prepare_cached(include_str!("scan_rows.sql"))?;
    let slots = [at.start.div_euclid(SLOT_MS), (at.end - 1).div_euclid(SLOT_MS)];
    statement.query_row(params![part.number, slots[0], slots[1]], |row| {
        Ok(row.get::<_, Option<i64>>(0)?.zip(row.get::<_, Option<i64>>(1)?).map(|(first, last)| (first, last.min(part.watermark))))
    })
}

/// Sessions found in raw hits have their time in the tables of sessions.
pub(super) fn add_times(view: &mut View<'_, '_>, part: &PartView, groups: &mut Groups) -> Result<(), Error> {
    let mut asked = RoaringBitmap::new();
    groups.values().for_each(|metric| asked |= &metric.sessions_here);
    if asked.is_empty() {
        return Ok(());
    }
    let times = times(view, part, &asked)?;
    for metric in groups.values_mut() {
        metric.sums.sessions += metric.sessions_here.len() as i64;
        metric.sums.time += metric.sessions_here.iter().filter_map(|number| times.get(&number)).sum::<i64>();
        metric.sessions_here.clear();
    }
    Ok(())
}

/// The time of each of some sessions, as of the snapshot.
pub(super) fn times(view: &mut View<'_, '_>, part: &PartView, asked: &RoaringBitmap) -> Result<HashMap<u32, i64>, Error> {
    let (Some(first), Some(last)) = (asked.min(), asked.max()) else { return Ok(HashMap::new()) };
    let mut times: HashMap<u32, i64> = HashMap::new();
    let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, u32>(0)?, row.get::<_, i64>(1)?));
    {
        let sql = for_month("select number, time from sessions_NNNNNN where number between ? and ?", part.month);
        let raw = view.snapshot.raw(part.key)?;
        let mut ended = || -> rusqlite::Result<()> {
            let mut statement = raw.prepare_cached(&sql)?;
            for row in statement.query_map([first, last], read)? {
                let (number, time) = row?;
                if asked.contains(number) {
                    times.insert(number, time);
                }
            }
            Ok(())
        };
        ended().context("read sessions")?;
    }
    let active = || -> rusqlite::Result<Vec<(u32, i64)>> {
        let mut statement =
            view.main().prepare_cached("select number, time from active_sessions where month = ? and number between ? and ?")?;
        statement.query_map(params![part.month.number(), first, last], read)?.collect()
    };
    // Those that go on are told as of the snapshot; they may have ended since.
    times.extend(active().context("read active sessions")?);
    Ok(times)
}

pub(in crate::report) fn put_away(part: &PartView) -> Error {
    let month = part.month;
    let (year, number) = (month.number() / 100, month.number() % 100);
    let way_back = match part.state {
        PartState::Archived => format!(", or bring them back with `tower-analytics restore {month}`"),
        PartState::Missing => format!(", or bring {} back from a backup", part.key),
        _ => String::new(),
    };
    let message = format!(
        "the raw hits of {year}-{number:02} are {}, and this question needs them: ask without the filter, or for a range after that month{way_back}",
        part.state.name()
    );
    Error::new(ErrorKind::NoRaw, message)
}

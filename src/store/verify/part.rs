//! One part: its file against what analytics.db says of it.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::{
    Progress, archive, derived,
    dictionaries::Known,
    found::{Found, REPROCESS, RESTORE_BOTH, RESTORE_FILE},
    listed::Listed,
    look::Look,
    sessions,
    walk::{Seen, Walk},
};
use crate::{
    error::Error,
    sink::Salt,
    store::{
        dictionary::{Caps, Dictionary},
        part::PartState,
        raw,
    },
    zone::Zone,
};

/// Looks through a part; gives the raw hits that were read.
pub(super) fn check(
    look: &mut Look,
    main: &Connection,
    part: &Listed,
    found: &mut Found,
    progress: &mut Progress<'_>,
) -> Result<u64, Error> {
    if part.is_closed() {
        let checked = derived::totals_of_days(main, part, found);
        found.of_file("analytics.db", "part_totals", checked);
        if part.state == PartState::Archived.name() {
            archive::check(look, part, found);
        }
        progress.add(part.hits.unsigned_abs());
        return Ok(0);
    }
    if !look.path(&part.file).exists() {
        let what = format!("the file is missing; {} hits of it are in the roll-ups alone", part.hits);
        found.add(&part.file, "", "", what, RESTORE_FILE);
        progress.add(part.hits.unsigned_abs());
        return Ok(0);
    }
    let dictionary = Dictionary::load(main, Caps::default())?;
    let known = Known::load(main);
    let Some(known) = found.of_file("analytics.db", "dictionaries", known) else { return Ok(0) };
    let raw = look.open(&part.file);
    let Some(raw) = found.of_file(&part.file, "", raw) else { return Ok(0) };
    let Some(since) = found.of_file(&part.file, "part", is_the_one(&raw, part)).and_then(|(since, wrong)| {
        wrong.iter().for_each(|what| found.add(&part.file, "part", "", what, RESTORE_BOTH));
        wrong.is_empty().then_some(since)
    }) else {
        return Ok(0);
    };
    let Some(last) = found.of_file(&part.file, "session_actions", raw::last(&raw, part.month)) else { return Ok(0) };
    let is_short = last < part.watermark;
    if is_short {
        let what = format!(
            "it holds rows up to {last}, and analytics.db had counted up to {}; a service that starts makes the roll-ups from what is left",
            part.watermark
        );
        found.add(&part.file, "session_actions", "", what, RESTORE_FILE);
    }
    // Days of two zones are about to be made anew: the others do not depend on a zone.
    let zone = Zone::new(if part.zone.is_empty() { "UTC" } else { &part.zone })?;
    let mut walk = Walk::new(part, zone, &known, dictionary.devices())?;
    let walked = walk.all(&raw, progress);
    let is_read = found.of_file(&part.file, "session_actions", walked).is_some();
    let (seen, fresh) = walk.finish()?;
    dangling(part, &seen, found);
    if !is_read {
        return Ok(seen.hits);
    }
    // Of a first file that is gone what was counted stays: the roll-ups hold more than this one does.
    if since > 0 {
        found.note(format!("{} took the place of a file that is gone: its roll-ups hold more, and were not compared", part.file));
    } else if !is_short {
        counts(part, &seen, found);
        let tables = derived::TABLES.iter().filter(|table| !part.zone.is_empty() || !table.has_days);
        for table in tables {
            let compared = derived::compare(main, &fresh, part, table, found);
            found.of_file("analytics.db", table.name, compared);
        }
        if part.zone.is_empty() {
            found.note(format!("the reporting zone has changed, and the days of {} are not made anew yet", part.file));
        }
    }
    let compared = sessions::compare(main, &raw, part, seen.sessions, since > 0, found);
    found.of_file(&part.file, "sessions", compared);
    Ok(seen.hits)
}

/// The last row of an earlier file, and what speaks against this being the file that is listed.
fn is_the_one(raw: &Connection, part: &Listed) -> rusqlite::Result<(i64, Vec<String>)> {
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let (month, file_id, since): (i64, Salt, i64) = raw.query_row("select month, file_id, since from part", [], read)?;
    let mut wrong = Vec::new();
    if month != part.month.number() {
        wrong.push(format!("it holds the month {month}, and is listed for {}", part.month));
    }
    if file_id != part.file_id {
        wrong.push("it is another file than the one that was recorded: its id differs".to_owned());
    }
    Ok((since, wrong))
}

fn counts(part: &Listed, seen: &Seen, found: &mut Found) {
    let text = |value: Option<i64>| value.map_or_else(|| "none".to_owned(), |value| value.to_string());
    let raw_hits = i64::try_from(seen.hits).unwrap_or(i64::MAX);
    let said = [("hits", Some(part.hits), Some(raw_hits)), ("least", part.least, seen.least), ("greatest", part.greatest, seen.greatest)];
    for (column, listed, raw) in said.into_iter().filter(|(_, listed, raw)| listed != raw) {
        let what = format!("{column} is {}, in the raw rows it is {}", text(listed), text(raw));
        let remedy = if column == "hits" && raw_hits < part.hits { RESTORE_FILE } else { REPROCESS };
        found.add("analytics.db", "parts", &part.file, what, remedy);
    }
}

fn dangling(part: &Listed, seen: &Seen, found: &mut Found) {
    let table = "session_actions";
    let all: BTreeMap<_, _> = seen.missing.iter().collect();
    for ((what, number), (hits, first)) in all {
        let what = format!("{hits} hits refer to {what} {number}, which analytics.db does not know");
        found.add(&part.file, table, format!("row {first}"), what, RESTORE_BOTH);
    }
    for (row, what) in &seen.wrong {
        found.add(&part.file, table, format!("row {row}"), what, RESTORE_FILE);
    }
}

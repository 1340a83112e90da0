//! What lies in the directory, and whether it belongs together.

use std::path::Path;

use rusqlite::OptionalExtension;

use super::{Finding, Severity};
use crate::{
    clock::{DAY_MS, Millis, Month},
    error::Error,
    report::{
        Health,
        parts::PartRow,
        stored::{self, Dictionary},
    },
    store::{Look, Snapshot, VERSION, is_free},
};

/// The files of the tool that this one succeeds.
const LEGACY: [&str; 4] = ["app_analytics.json", "error_analytics.json", "app_usage.json", "analytics_archive"];

pub(super) fn legacy(directory: &Path, findings: &mut Vec<Finding>) {
    let there: Vec<&str> = LEGACY.into_iter().filter(|name| directory.join(name).exists()).collect();
    if there.is_empty() {
        return;
    }
    let is_imported = || -> rusqlite::Result<bool> {
        let sql = "select 1 from parts where source <> 'recorder'";
        Ok(Look::new(directory).open("analytics.db")?.query_row(sql, [], |_| Ok(())).optional()?.is_some())
    };
    let severity = if is_imported().unwrap_or(false) { Severity::Note } else { Severity::Warning };
    let what = format!("files of the legacy tool lie here: {}", there.join(", "));
    let remedy = "`tower-analytics import legacy --dry-run` says what of them is not here yet; move them away once all is";
    findings.push(Finding::new(severity, "legacy", what, remedy));
}

/// Whether there is an analytics.db of ours to look into.
pub(super) fn is_recorded(directory: &Path, findings: &mut Vec<Finding>) -> bool {
    if directory.join("analytics.db").exists() {
        let is_legacy = || -> rusqlite::Result<bool> {
            let connection = Look::new(directory).open("analytics.db")?;
            let has = |table: &str| {
                let sql = "select 1 from sqlite_schema where name = ?";
                connection.query_row(sql, [table], |_| Ok(())).optional().map(|there| there.is_some())
            };
            Ok(has("sessions")? && !has("parts")?)
        };
        if is_legacy().unwrap_or(false) {
            let remedy = "move it to another directory, and `tower-analytics import legacy` it from there";
            findings.push(Finding::new(Severity::Problem, "legacy", "analytics.db is one of the legacy tool", remedy));
            return false;
        }
        let version =
            Look::new(directory).open("analytics.db").and_then(|main| main.query_row("pragma user_version", [], |row| row.get(0)));
        if version.is_ok_and(|version: i64| version > VERSION) {
            let remedy = "update this program, or point it at another directory";
            findings.push(Finding::new(Severity::Problem, "newer_schema", "analytics.db was written by a newer tower-analytics", remedy));
            return false;
        }
        return true;
    }
    let is_part = |name: &str| name.starts_with("analytics-") && name.ends_with(".db");
    let has_parts = std::fs::read_dir(directory)
        .is_ok_and(|mut entries| entries.any(|entry| entry.is_ok_and(|entry| is_part(&entry.file_name().to_string_lossy()))));
    findings.push(match has_parts {
        true => Finding::new(
            Severity::Problem,
            "orphaned",
            "hits of some months are here, and no analytics.db",
            "restore analytics.db from a backup, or move these files away to begin anew",
        ),
        false => Finding::new(Severity::Warning, "empty", "nothing has been recorded here yet", "check --data; start the service"),
    });
    false
}

pub(super) fn parts(snapshot: &mut Snapshot<'_>, health: &Health, parts: &[PartRow], now: Millis, findings: &mut Vec<Finding>) {
    let is_recording = !is_free(snapshot.directory());
    for part in parts {
        let PartRow { file, hits, state, .. } = part;
        let is_open = state == "open";
        if matches!(&**state, "archived" | "dropped") {
            continue;
        }
        if part.bytes.is_none() || state == "missing" {
            let what = format!("{file} is missing; {hits} hits of it are in the roll-ups alone");
            findings.push(Finding::new(Severity::Problem, "part_missing", what, "restore it from a backup"));
            continue;
        }
        match open(snapshot, part) {
            Ok(0) => {}
            Ok(gone) => {
                let what = format!("{file} took the place of a file that is gone: {gone} hits of its month are in the roll-ups alone");
                findings.push(Finding::new(
                    Severity::Note,
                    "part_begun_anew",
                    what,
                    "nothing, unless that file is to be had from somewhere",
                ));
            }
            Err(error) => {
                let what = format!("{file} cannot be read: {error}");
                let remedy = "`tower-analytics verify` says more; restore it from a backup";
                findings.push(Finding::new(Severity::Problem, "part_damaged", what, remedy));
            }
        }
        let month = part.month.parse().ok().and_then(Month::from_number);
        if is_open && part.source == "recorder" && month.is_some_and(|month| now > month.end() + 3 * DAY_MS) {
            let (severity, remedy) = match is_recording {
                true => (Severity::Warning, "the log of the service says why; a long reader, or sessions that do not end, may hold it up"),
                false => (Severity::Note, "the service does it when it runs"),
            };
            let what = format!("{file} is not sealed, though its month is over");
            findings.push(Finding::new(severity, "unsealed", what, remedy));
        }
        if part.zone != health.time_zone {
            let what = format!("the days of {file} are not those of the reporting zone {} yet", health.time_zone);
            let (severity, remedy) = match is_recording {
                true => (Severity::Note, "the service makes them anew just now"),
                false => (Severity::Warning, "start the service, which makes them anew; what has no raw hits any more stays as it is"),
            };
            findings.push(Finding::new(severity, "zone", what, remedy));
        }
    }
}

/// Whether it opens, is the file that is listed, and holds what was counted; gives the hits that were counted of a file before it.
fn open(snapshot: &Snapshot<'_>, part: &PartRow) -> Result<u64, String> {
    let listed = "select file_id from parts where number = ?";
    let look = || -> rusqlite::Result<Result<u64, String>> {
        let id: Vec<u8> = snapshot.main().query_row(listed, [part.number], |row| row.get(0))?;
        let raw = Look::new(snapshot.directory()).open(&part.file)?;
        let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, i64>(1)?));
        let (own, since) = raw.query_row("select file_id, since from part", [], read)?;
        let rows = format!("session_actions_{}", part.month);
        let last: i64 = raw.query_row(&format!("select coalesce(max(id), 0) from {rows}"), [], |row| row.get(0))?;
        if id != own {
            return Ok(Err("it is another file than the one that was recorded".to_owned()));
        }
        // One that only began stands at the last row of what was before it.
        if last.max(since) < part.watermark {
            return Ok(Err(format!("it holds rows up to {last}, and {} were counted", part.watermark)));
        }
        let counted = format!("select count(*) from {rows} where id <= ?");
        let count = || raw.query_row(&counted, [part.watermark], |row| row.get::<_, i64>(0));
        let here = if since > 0 { count()?.unsigned_abs() } else { part.hits };
        Ok(Ok(part.hits.saturating_sub(here)))
    };
    look().map_err(|error| error.to_string())?
}

pub(super) fn dictionaries(snapshot: &Snapshot<'_>, now: Millis, findings: &mut Vec<Finding>) -> Result<(), Error> {
    for Dictionary { name, entries, cap, other_hits } in stored::ask(snapshot, now)?.dictionaries {
        let (code, what) = match other_hits {
            0 if entries * 10 < cap * 9 => continue,
            0 => ("dictionary_near_cap", format!("the dictionary of {name} holds {entries} of {cap}: past that they share (other)")),
            _ => ("dictionary_full", format!("the dictionary of {name} was full: {other_hits} hits share (other)")),
        };
        let remedy = format!("if these are no made-up ones, raise recording.{name}");
        findings.push(Finding::new(Severity::Warning, code, what, remedy));
    }
    Ok(())
}

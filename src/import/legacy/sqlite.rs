use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OpenFlags, types::ValueRef};
use serde::de::DeserializeSeed;

use super::{
    counts::CountsSeed,
    record::{Record, ScreensSeed},
    rows::Rows,
    time,
};
use crate::{
    clock::Millis,
    error::Error,
    import::{content::Content, fault::fault, found::Found, source::Progress},
};

/// What the table `sessions` may have; of the rest the last are known and not needed.
const COLUMNS: [&str; 12] = [
    "session_id",
    "discord_id",
    "username",
    "device_info",
    "platform",
    "app_version",
    "ip_address",
    "started_at",
    "ended_at",
    "actions_count",
    "endpoints_used",
    "screens_visited",
];
const NOT_NEEDED: [&str; 2] = ["duration_minutes", "created_at"];

/// Reads the table `sessions` of the panel's later generation; its other tables are empty or stale.
pub(super) fn read(file: &Path, number: u32, rows: &mut Rows, found: &mut Found, progress: &Progress) -> Result<Content, Error> {
    let content = content_of(file, progress)?;
    let broken = |error: rusqlite::Error| {
        fault(format!("cannot read {}: see that it is a whole SQLite file with the panel's table \"sessions\"", file.display()))
            .with_source(error)
    };
    let connection = open(file).map_err(broken)?;
    let columns = columns(&connection, "sessions").map_err(broken)?;
    if ["parts", "meta"].iter().all(|table| is_table(&connection, table)) {
        let message = format!(
            "{} is the analytics.db of tower-analytics itself, which needs no import: name the panel's own files, or give its directory as the data directory",
            file.display()
        );
        return Err(fault(message));
    }
    if columns.is_empty() {
        return Err(fault(format!("{} has no table \"sessions\": it is not the panel's analytics.db", file.display())));
    }
    for unknown in columns.iter().filter(|column| !COLUMNS.contains(&column.as_str()) && !NOT_NEEDED.contains(&column.as_str())) {
        found.unknown_field(unknown);
    }
    let selected = COLUMNS.map(|column| if columns.iter().any(|there| there == column) { column } else { "null" }).join(", ");
    let sql = format!("select rowid, {selected} from sessions order by rowid");
    let mut statement = connection.prepare(&sql).map_err(broken)?;
    let mut cursor = statement.query([]).map_err(broken)?;
    let mut record = Record::default();
    while let Some(row) = cursor.next().map_err(broken)? {
        let id: i64 = row.get(0).map_err(broken)?;
        fill(&mut record, row).and_then(|()| rows.add(number, &record, found)).map_err(|why| {
            fault(format!(
                "{}: the row {id} of sessions: {why}; put this right in a copy of the file, then import again. Nothing was imported",
                file.display()
            ))
        })?;
    }
    Ok(content)
}

/// The file and what its journal has beyond it.
fn content_of(file: &Path, progress: &Progress) -> Result<Content, Error> {
    let content = Content::of(file, progress)?;
    let journal = beside(file, "-wal");
    if journal.metadata().map_or(0, |about| about.len()) == 0 {
        return Ok(content);
    }
    let more = Content::of(&journal, &Progress::default())?;
    Ok(content.and(more))
}

fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name: OsString = file.into();
    name.push(suffix);
    name.into()
}

/// Without a journal nothing can be in it, and the file is read without writing anything beside it.
fn open(file: &Path) -> rusqlite::Result<Connection> {
    let journal = beside(file, "-wal").metadata().is_ok_and(|about| about.len() > 0);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if journal {
        return Connection::open_with_flags(file, flags);
    }
    let path: String = file.to_str().unwrap_or_default().chars().fold(String::new(), |mut path, c| {
        match c {
            '%' | '?' | '#' => path.push_str(&format!("%{:02x}", c as u32)),
            c => path.push(c),
        }
        path
    });
    if path.is_empty() {
        // No UTF-8: no address can be made of it.
        return Connection::open_with_flags(file, flags);
    }
    Connection::open_with_flags(format!("file:{path}?immutable=1"), flags | OpenFlags::SQLITE_OPEN_URI)
}

fn columns(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    connection.prepare("select name from pragma_table_info(?)")?.query_map([table], |row| row.get(0))?.collect()
}

fn is_table(connection: &Connection, table: &str) -> bool {
    columns(connection, table).is_ok_and(|columns| !columns.is_empty())
}

fn fill(record: &mut Record, row: &rusqlite::Row<'_>) -> Result<(), String> {
    record.clear();
    let Record { session_id, user, name, device, platform, version, address, started, ended, actions, endpoints, screens } = record;
    for (place, field) in [session_id, user, name, device, platform, version, address].into_iter().enumerate() {
        text(row, place, field)?;
    }
    let mut buffer = String::new();
    for (place, field) in [(7, started), (8, ended)] {
        *field = moment(row, place, &mut buffer)?;
    }
    *actions = integer(row, 9)?;
    for (place, counts, is_map) in [(10, endpoints, true), (11, screens, false)] {
        let column = COLUMNS[place];
        text(row, place, &mut buffer)?;
        if buffer.is_empty() {
            continue;
        }
        let mut json = serde_json::Deserializer::from_str(&buffer);
        let read =
            if is_map { CountsSeed(column, counts).deserialize(&mut json) } else { ScreensSeed(column, counts).deserialize(&mut json) };
        read.and_then(|()| json.end()).map_err(|error| format!("{column} is no JSON of the kind that it should be: {error}"))?;
    }
    Ok(())
}

fn value<'a>(row: &'a rusqlite::Row<'_>, place: usize) -> Result<ValueRef<'a>, String> {
    row.get_ref(place + 1).map_err(|error| error.to_string())
}

fn text(row: &rusqlite::Row<'_>, place: usize, into: &mut String) -> Result<(), String> {
    into.clear();
    match value(row, place)? {
        ValueRef::Null => {}
        ValueRef::Integer(number) => into.push_str(&number.to_string()),
        ValueRef::Text(text) => into.push_str(std::str::from_utf8(text).map_err(|_| format!("{} is no UTF-8", COLUMNS[place]))?),
        ValueRef::Real(_) | ValueRef::Blob(_) => return Err(format!("{} is no text", COLUMNS[place])),
    }
    Ok(())
}

fn moment(row: &rusqlite::Row<'_>, place: usize, buffer: &mut String) -> Result<Option<Millis>, String> {
    text(row, place, buffer)?;
    if buffer.is_empty() { Ok(None) } else { time::parse(buffer).map(Some).map_err(|why| format!("{} {why}", COLUMNS[place])) }
}

fn integer(row: &rusqlite::Row<'_>, place: usize) -> Result<Option<i64>, String> {
    match value(row, place)? {
        ValueRef::Null => Ok(None),
        ValueRef::Integer(number) => Ok(Some(number)),
        _ => Err(format!("{} is no whole number", COLUMNS[place])),
    }
}

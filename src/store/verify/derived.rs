//! Roll-ups as they stand, cell by cell against those made anew.

use std::cmp::Ordering;

use roaring::RoaringBitmap;
use rusqlite::{Connection, Row, types::ValueRef};

use super::{
    found::{Found, REPROCESS},
    listed::Listed,
};
use crate::{
    clock::Millis,
    store::rollup::{Histogram, SLOT_MS, bitmap, totals},
    zone::date,
};

/// A table of what follows, and the columns that say which row it is.
pub(super) struct Table {
    pub(super) name: &'static str,
    key: &'static [&'static str],
    /// Whether it depends on the reporting zone.
    pub(super) has_days: bool,
}

pub(super) const TABLES: [Table; 4] = [
    Table { name: "aggregated_metrics", key: &["audience", "slot"], has_days: false },
    Table { name: "daily_metrics", key: &["audience", "dimension", "day", "value"], has_days: true },
    Table { name: "part_totals", key: &["audience", "dimension", "value"], has_days: false },
    Table { name: "user_totals", key: &["user"], has_days: false },
];

const DIMENSIONS: [&str; 8] = ["all", "endpoint", "version", "platform", "device", "bot class", "failure", "error"];

/// Compares a part's rows of a table. Both are in the order of their keys.
pub(super) fn compare(main: &Connection, fresh: &Connection, part: &Listed, table: &Table, found: &mut Found) -> rusqlite::Result<()> {
    let sql = format!("select * from {} where part = ? order by {}", table.name, table.key.join(", "));
    let (mut stored, mut made) = (main.prepare(&sql)?, fresh.prepare(&sql)?);
    let names: Vec<String> =
        (0..made.column_count()).map(|place| made.column_name(place).map(str::to_owned)).collect::<rusqlite::Result<_>>()?;
    let key: Vec<usize> = table.key.iter().filter_map(|name| names.iter().position(|other| other == name)).collect();
    let (mut stored, mut made) = (stored.query([part.number])?, made.query([part.number])?);
    let (mut a, mut b) = (stored.next()?, made.next()?);
    loop {
        let order = match (a, b) {
            (None, None) => return Ok(()),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) => of_keys(a, b, &key)?,
        };
        if let (Ordering::Less, Some(a)) = (order, a) {
            found.add("analytics.db", table.name, words(part, a, &names, &key)?, "no raw hit makes this row", REPROCESS);
        }
        if let (Ordering::Greater, Some(b)) = (order, b) {
            found.add("analytics.db", table.name, words(part, b, &names, &key)?, "the row is missing", REPROCESS);
        }
        if let (Ordering::Equal, Some(a), Some(b)) = (order, a, b) {
            for (place, name) in names.iter().enumerate().filter(|(_, name)| *name != "id") {
                let (is, should) = (a.get_ref(place)?, b.get_ref(place)?);
                if is != should {
                    found.add("analytics.db", table.name, words(part, a, &names, &key)?, differs(name, is, should), REPROCESS);
                }
            }
        }
        if order != Ordering::Greater {
            a = stored.next()?;
        }
        if order != Ordering::Less {
            b = made.next()?;
        }
    }
}

/// Totals of a part whose raw rows were put away: all that they can be compared with is the days.
pub(super) fn totals_of_days(main: &Connection, part: &Listed, found: &mut Found) -> rusqlite::Result<()> {
    let fresh = Connection::open_in_memory()?;
    fresh.execute_batch(include_str!("../analytics.sql"))?;
    let mut statement = main.prepare("select * from daily_metrics where part = ?")?;
    let places = vec!["?"; statement.column_count()].join(", ");
    let mut put = fresh.prepare(&format!("insert into daily_metrics values ({places})"))?;
    let mut rows = statement.query([part.number])?;
    while let Some(row) = rows.next()? {
        for place in 0..row.as_ref().column_count() {
            put.raw_bind_parameter(place + 1, row.get::<_, rusqlite::types::Value>(place)?)?;
        }
        put.raw_execute()?;
    }
    drop(put);
    totals::write(&fresh, part.number)?;
    TABLES.iter().filter(|table| table.name == "part_totals").try_for_each(|table| compare(main, &fresh, part, table, found))
}

/// As SQLite orders values: numbers before texts.
fn of_keys(a: &Row<'_>, b: &Row<'_>, key: &[usize]) -> rusqlite::Result<Ordering> {
    for place in key {
        let order = match (a.get_ref(*place)?, b.get_ref(*place)?) {
            (ValueRef::Integer(a), ValueRef::Integer(b)) => a.cmp(&b),
            (ValueRef::Text(a), ValueRef::Text(b)) => a.cmp(b),
            (ValueRef::Integer(_), _) => Ordering::Less,
            _ => Ordering::Greater,
        };
        if order != Ordering::Equal {
            return Ok(order);
        }
    }
    Ok(Ordering::Equal)
}

/// Which row it is, in words.
fn words(part: &Listed, row: &Row<'_>, names: &[String], key: &[usize]) -> rusqlite::Result<String> {
    let mut words = vec![format!("part {}", part.number)];
    for place in key {
        let (name, value) = (&*names[*place], row.get_ref(*place)?);
        words.push(match (name, value) {
            ("audience", ValueRef::Integer(0)) => "people".to_owned(),
            ("audience", ValueRef::Integer(1)) => "bots".to_owned(),
            ("dimension", ValueRef::Integer(number)) => usize::try_from(number)
                .ok()
                .and_then(|number| DIMENSIONS.get(number))
                .map_or_else(|| number.to_string(), |name| (*name).to_owned()),
            ("day", ValueRef::Integer(day)) => {
                i32::try_from(day).ok().and_then(date).map_or_else(|| format!("day {day}"), |date| date.to_string())
            }
            ("slot", ValueRef::Integer(slot)) => moment(slot.saturating_mul(SLOT_MS)),
            (name, ValueRef::Text(text)) => format!("{name} {:?}", String::from_utf8_lossy(text).replace('\u{1f}', " ")),
            (name, ValueRef::Integer(number)) => format!("{name} {number}"),
            (name, _) => name.to_owned(),
        });
    }
    Ok(words.join(", "))
}

fn moment(at: Millis) -> String {
    jiff::Timestamp::from_millisecond(at).map_or_else(|_| at.to_string(), |at| at.to_string())
}

fn differs(column: &str, is: ValueRef<'_>, should: ValueRef<'_>) -> String {
    match (column, is, should) {
        (_, ValueRef::Integer(is), ValueRef::Integer(should)) => format!("{column} is {is}, from raw hits it is {should}"),
        ("latency", ValueRef::Blob(is), _) => match Histogram::from_blob(is) {
            Some(_) => "latency is another histogram than that of the raw hits".to_owned(),
            None => "latency cannot be read".to_owned(),
        },
        (_, ValueRef::Blob(is), ValueRef::Blob(should)) => match (bitmap::from_blob(is), bitmap::from_blob(should)) {
            (Some(is), Some(should)) => of_sets(column, &is, &should),
            _ => format!("{column} cannot be read"),
        },
        _ => format!("{column} holds a value of another kind than it should"),
    }
}

fn of_sets(column: &str, is: &RoaringBitmap, should: &RoaringBitmap) -> String {
    let (lost, extra) = (should - is, is - should);
    let some = |set: &RoaringBitmap, word: &str| {
        set.min().map(|first| if set.len() == 1 { format!("{first} {word}") } else { format!("{} {word}, {first} first", set.len()) })
    };
    let words: Vec<String> = some(&lost, "missing").into_iter().chain(some(&extra, "too much")).collect();
    match words.is_empty() {
        true => format!("{column} is the right set in other bytes"),
        false => format!("{column} has {} numbers, from raw hits {}: {}", is.len(), should.len(), words.join("; ")),
    }
}

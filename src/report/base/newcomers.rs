use std::{collections::HashMap, ops::Range};

use roaring::RoaringBitmap;
use rusqlite::Connection;

use crate::{clock::Millis, error::Error, report::base::view::View, store::Context, zone::Day};

/// People who were first seen in a time, whoever they were seen as, each with that moment.
pub(in crate::report) fn of(view: &View<'_, '_>, at: &Range<Millis>) -> Result<Vec<(u32, Millis)>, Error> {
    let read = || -> rusqlite::Result<Vec<(u32, Millis)>> {
        let merged = merged(view)?;
        let mut statement = view.main().prepare_cached("select number, first_seen from users where first_seen >= ? and first_seen < ?")?;
        let mut rows = statement.query([at.start, at.end])?;
        let mut newcomers = Vec::new();
        while let Some(row) = rows.next()? {
            let number = row.get(0)?;
            if merged.is_empty() || !merged.contains_key(&view.aliases.of(number)) {
                newcomers.push((number, row.get(1)?));
            }
        }
        newcomers.extend(merged.into_iter().filter(|(_, first)| at.contains(first)));
        Ok(newcomers)
    };
    read().context("read when users were first seen")
}

/// The same with the day of that moment.
pub(in crate::report) fn by_day(view: &View<'_, '_>, at: &Range<Millis>) -> Result<Vec<(u32, Day)>, Error> {
    // They come in the order of time: most are of the same day as the one before.
    let (mut span, mut day) = (0..0, 0);
    let of_day = |(person, first)| {
        if !span.contains(&first) {
            day = view.zone.day_of(first);
            span = view.zone.span_of(day);
        }
        (person, day)
    };
    Ok(of(view, at)?.into_iter().map(of_day).collect())
}

/// Those of them who are in a set of people.
pub(in crate::report) fn among(view: &View<'_, '_>, at: &Range<Millis>, persons: &RoaringBitmap) -> Result<Vec<(u32, Millis)>, Error> {
    let mut newcomers = of(view, at)?;
    newcomers.retain(|(person, _)| persons.contains(*person));
    Ok(newcomers)
}

/// People who were first seen before a moment.
pub(in crate::report) fn count_before(view: &View<'_, '_>, at: Millis) -> Result<u64, Error> {
    let count = || -> rusqlite::Result<u64> {
        let all: i64 = view.main().prepare_cached(include_str!("newcomers.sql"))?.query_row([at], |row| row.get(0))?;
        // Of merged ones all but one are too many.
        let mut too_many = 0;
        for person in view.aliases.merged() {
            let before =
                view.aliases.members(person).iter().map(|number| first_seen(view.main(), number)).collect::<rusqlite::Result<Vec<_>>>()?;
            too_many += (before.iter().flatten().filter(|first| **first < at).count() as i64 - 1).max(0);
        }
        Ok((all - too_many).unsigned_abs())
    };
    count().context("count users")
}

/// When people of several numbers were first seen.
fn merged(view: &View<'_, '_>) -> rusqlite::Result<HashMap<u32, Millis>> {
    let mut merged = HashMap::new();
    for person in view.aliases.merged() {
        let mut first = None;
        for number in view.aliases.members(person) {
            first = first_seen(view.main(), number)?.into_iter().chain(first).min();
        }
        merged.extend(first.map(|first| (person, first)));
    }
    Ok(merged)
}

fn first_seen(main: &Connection, number: u32) -> rusqlite::Result<Option<Millis>> {
    use rusqlite::OptionalExtension;
    main.prepare_cached("select first_seen from users where number = ?")?.query_row([number], |row| row.get(0)).optional()
}

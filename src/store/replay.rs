//! What a start makes of the files it finds: raw rows past a part's watermark are folded again, by the same code that folded them first.

use std::{collections::BTreeMap, path::Path};

use rusqlite::{Connection, OptionalExtension};

use super::{
    active::{self, Active},
    connection::{Context, part_file, part_name},
    part::{MISSING, OPEN, Part},
};
use crate::{
    clock::Month,
    error::Error,
    hit::SessionId,
    sink::{Actor, OpenSession},
};

pub(super) fn parts(main: &Connection, directory: &Path) -> Result<(BTreeMap<Month, Part>, Active), Error> {
    let listed = Part::list(main).context("read the parts in analytics.db")?;
    let mut parts: BTreeMap<Month, Part> = listed.into_iter().map(|part| (part.month, part)).collect();
    let mut active = active::load(main).context("read the open sessions in analytics.db")?;
    for month in months_on_disk(directory)? {
        if let std::collections::btree_map::Entry::Vacant(place) = parts.entry(month) {
            tracing::info!(part = %part_name(month), "found a part that was not listed");
            place.insert(Part::create(directory, month)?);
        }
    }
    for part in parts.values_mut() {
        replay(part, directory, &mut active)?;
    }
    for (id, _) in active.iter() {
        if let Some(part) = parts.get_mut(&id.month) {
            part.next_session = part.next_session.max(id.number + 1);
        }
    }
    Ok((parts, active))
}

fn replay(part: &mut Part, directory: &Path, active: &mut Active) -> Result<(), Error> {
    let (month, name) = (part.month, part_name(part.month));
    if !part_file(directory, month).exists() {
        if part.state != MISSING {
            tracing::error!(part = %name, hits = part.hits, "a part is missing: its raw hits cannot be read until the file is back");
            (part.state, part.changed) = (MISSING, true);
        }
        return Ok(());
    }
    if part.state == MISSING {
        tracing::info!(part = %name, "a missing part is back");
        (part.state, part.changed) = (OPEN, true);
    }
    let connection = part.connection(directory)?;
    let file_id = connection.query_row("select file_id from part", [], |row| row.get(0)).context(&format!("read {name}"))?;
    let last = part.last_row()?;
    if part.listed && (last < part.watermark || file_id != part.file_id) {
        tracing::warn!(part = %name, last, watermark = part.watermark, "a part holds less than was recorded, or is another file; what follows from it is rebuilt");
        let of_part: Vec<SessionId> = active.iter().map(|(id, _)| id).filter(|id| id.month == month).collect();
        of_part.into_iter().for_each(|id| active.remove(id));
        part.next_row = part.watermark + 1;
        (part.watermark, part.hits, part.least, part.greatest) = (0, 0, None, None);
        (part.file_id, part.changed) = (file_id, true);
    }
    part.next_row = part.next_row.max(last + 1);
    if last > part.watermark {
        let before = part.hits;
        let start = part.start;
        part.replay(|month, row| active.add(month, start, row)).context(&format!("replay {name}"))?;
        tracing::debug!(part = %name, hits = part.hits - before, "replayed");
    }
    part.close();
    Ok(())
}

pub(super) fn months_on_disk(directory: &Path) -> Result<Vec<Month>, Error> {
    let mut months = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix("analytics-")?.strip_suffix(".db")?.parse().ok());
        months.extend(number.and_then(Month::from_number));
    }
    Ok(months)
}

/// The sessions that go on, as the recorder knows them: by the app's own ids.
pub(super) fn open_sessions(main: &Connection, active: &Active) -> rusqlite::Result<Vec<OpenSession>> {
    let mut id_of = main.prepare("select id from users where number = ?")?;
    let mut open = Vec::new();
    for (id, session) in active.iter() {
        let actor = match session.visitor {
            Some(visitor) => Some(Actor::Visitor(visitor)),
            None => id_of.query_row([session.user], |row| row.get::<_, String>(0)).optional()?.map(Actor::User),
        };
        // Nobody knows any more whose it was; an actor that cannot come back lets it end by itself.
        let actor = actor.unwrap_or(Actor::Visitor(u64::from(id.number)));
        open.push(OpenSession { id, actor, key: session.key, started: session.started, last: session.last });
    }
    Ok(open)
}

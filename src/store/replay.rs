//! What a start makes of the files it finds: raw rows past a part's watermark are folded again, by the same code that folded them first.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    path::Path,
};

use roaring::RoaringBitmap;
use rusqlite::{Connection, OptionalExtension};

use super::{
    active::{self, Active},
    connection::{Context, part_file, part_name, reader},
    part::{Part, PartState},
    raw::{self, for_month},
    rollup::{self, Scene, Tracks},
};
use crate::{
    clock::Month,
    error::Error,
    sink::{Actor, OpenSession, Salt},
};

/// So many rows are folded before they are added to the tables, so that a long replay needs little memory.
pub(super) const ROWS_A_FOLD: usize = 500_000;

/// Reads the parts, and brings everything that follows from them up to their last rows; inside `tx`.
pub(super) fn parts(tx: &Connection, directory: &Path, scene: &mut Scene<'_>) -> Result<(BTreeMap<Month, Part>, Active), Error> {
    let listed = Part::list(tx).context("read the parts in analytics.db")?;
    let mut next = listed.iter().map(|part| part.number).max().unwrap_or(0) + 1;
    let mut parts: BTreeMap<Month, Part> = listed.into_iter().map(|part| (part.month, part)).collect();
    let mut active = active::load(tx).context("read the open sessions in analytics.db")?;
    for month in months_on_disk(directory)? {
        if let Entry::Vacant(place) = parts.entry(month) {
            tracing::info!(part = %part_name(month), "found a part that was not listed");
            place.insert(Part::create(directory, next, month, scene.days.zone())?);
            next += 1;
        }
    }
    for part in parts.values_mut().filter(|part| !part.state.is_closed()) {
        replay(tx, part, directory, &mut active, scene)?;
    }
    for (id, _) in active.iter() {
        if let Some(part) = parts.get_mut(&id.month) {
            part.next_session = part.next_session.max(id.number + 1);
        }
    }
    Ok((parts, active))
}

fn replay(tx: &Connection, part: &mut Part, directory: &Path, active: &mut Active, scene: &mut Scene<'_>) -> Result<(), Error> {
    let (month, name, state) = (part.month, part_name(part.month), part.state);
    if state == PartState::Sealed && is_complete(part, directory).unwrap_or(false) {
        return Ok(());
    }
    if !part_file(directory, month).exists() {
        if state != PartState::Missing {
            tracing::error!(part = %name, hits = part.hits, "a part is missing: its raw hits cannot be read until the file is back");
            (part.state, part.changed) = (PartState::Missing, true);
        }
        return Ok(());
    }
    if state == PartState::Missing {
        tracing::info!(part = %name, "a missing part is back");
    }
    let connection = part.connection(directory)?;
    let file_id = connection.query_row("select file_id from part", [], |row| row.get(0)).context(&format!("read {name}"))?;
    let last = part.last_row()?;
    let rebuilt = part.listed && (last < part.watermark || file_id != part.file_id);
    if rebuilt {
        tracing::warn!(part = %name, last, watermark = part.watermark, "a part holds less than was recorded, or is another file; what follows from it is rebuilt");
        rollup::delete(tx, part.number).context("delete the roll-ups of a part")?;
        active.begin_again(month);
        part.next_row = part.watermark + 1;
        (part.watermark, part.hits, part.least, part.greatest) = (0, 0, None, None);
        part.file_id = file_id;
    }
    part.next_row = part.next_row.max(last + 1);
    if last > part.watermark {
        let before = part.hits;
        let raw = part.take_connection(directory)?;
        let ended = if rebuilt { ended(&raw, month) } else { Ok(None) };
        let ended = ended.context(&format!("read {name}"))?;
        read(tx, &raw, part, active, ended.as_ref(), scene).context(&format!("replay {name}"))?;
        tracing::info!(part = %name, hits = part.hits - before, "replayed");
    }
    only_here(part.connection(directory)?, month, active).context(&format!("put sessions right in {name}"))?;
    part.close();
    Ok(())
}

/// Whether a sealed part is as it was left; its file is not even opened for writing.
fn is_complete(part: &Part, directory: &Path) -> rusqlite::Result<bool> {
    let connection = reader(&part_file(directory, part.month))?;
    let file_id: Salt = connection.query_row("select file_id from part", [], |row| row.get(0))?;
    Ok(file_id == part.file_id && raw::last(&connection, part.month)? == part.watermark)
}

/// Folds every row past the watermark, and moves it there. With `ended`, all of the part is read, those sessions among it.
fn read(
    tx: &Connection,
    raw: &Connection,
    part: &mut Part,
    active: &mut Active,
    ended: Option<&RoaringBitmap>,
    scene: &mut Scene<'_>,
) -> rusqlite::Result<()> {
    let (month, start, mut tracks) = (part.month, part.start, Tracks::default());
    loop {
        let mut rows = Vec::new();
        raw::slice(raw, month, part.watermark, i64::MAX, ROWS_A_SLICE, |row| rows.push(row))?;
        let Some(last) = rows.last().map(|row| row.id) else { break };
        for row in &rows {
            part.count(row);
            let step = match ended {
                None => active.add(month, start, row),
                Some(ended) => {
                    if !ended.contains(row.session) {
                        active.add(month, start, row);
                    }
                    tracks.step(start, row)
                }
            };
            part.fold.add(row, &step, scene);
        }
        part.watermark = last;
        if part.fold.len() >= ROWS_A_FOLD {
            rollup::write(tx, part.number, &part.fold, scene.devices)?;
            part.fold.clear();
        }
    }
    rollup::write(tx, part.number, &part.fold, scene.devices)?;
    part.fold.clear();
    // More was added to a part that had been complete.
    rollup::totals::forget(tx, part.number)
}

pub(super) const ROWS_A_SLICE: usize = 20_000;

/// Sessions that were put away.
fn ended(part: &Connection, month: Month) -> rusqlite::Result<Option<RoaringBitmap>> {
    let mut statement = part.prepare(&for_month("select number from sessions_NNNNNN order by number", month))?;
    statement.query_map([], |row| row.get::<_, u32>(0))?.collect::<rusqlite::Result<_>>().map(Some)
}

/// A session that was put away just before a crash, and whose end was not yet known to analytics.db, goes on.
fn only_here(part: &Connection, month: Month, active: &Active) -> rusqlite::Result<()> {
    let tx = part.unchecked_transaction()?;
    let mut statement = tx.prepare(&for_month("delete from sessions_NNNNNN where number = ?", month))?;
    for (id, _) in active.of_month(month) {
        statement.execute([id.number])?;
    }
    drop(statement);
    tx.commit()
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
        open.push(OpenSession { id, actor, key: session.key, started: session.track.opened, last: session.last });
    }
    Ok(open)
}

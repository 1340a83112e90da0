//! What a start makes of the files it finds: raw rows past a part's watermark are folded again, by the same code that folded them first.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    path::Path,
};

use roaring::RoaringBitmap;
use rusqlite::{Connection, ErrorCode, OptionalExtension};

use super::{
    active::{self, Active},
    connection::{Context, is_damage, reader},
    import,
    known::Known,
    part::{Part, PartState},
    part_key::{PartKey, parts_on_disk},
    raw::{self, for_month},
    rollup::{self, Scene, Tracks},
    schema::{MetaKey, meta_get},
};
use crate::{
    clock::Month,
    error::Error,
    sink::{Actor, OpenSession, Salt},
};

/// So many rows are folded before they are added to the tables, so that a long replay needs little memory.
pub(super) const ROWS_A_FOLD: usize = 500_000;

/// A start: everything is read and written inside one transaction of analytics.db.
pub(super) struct Replay<'a> {
    pub(super) tx: &'a Connection,
    pub(super) directory: &'a Path,
    pub(super) known: Known,
    pub(super) scene: Scene<'a>,
}

impl Replay<'_> {
    /// Reads the parts, and brings everything that follows from them up to their last rows.
    pub(super) fn parts(mut self) -> Result<(BTreeMap<PartKey, Part>, Active), Error> {
        let listed = Part::list(self.tx).context("read the parts in analytics.db")?;
        let mut next = listed.iter().map(|part| part.number).max().unwrap_or(0) + 1;
        let mut parts: BTreeMap<PartKey, Part> = listed.into_iter().map(|part| (part.key, part)).collect();
        let mut active = active::load(self.tx).context("read the open sessions in analytics.db")?;
        import::tidy(self.directory, |key| parts.contains_key(&key))?;
        for key in parts_on_disk(self.directory)? {
            match parts.entry(key) {
                // What its numbers mean stands in analytics.db, and with an import comes last.
                Entry::Vacant(_) if key.is_import() => {
                    tracing::warn!(part = %key, "a file of an import that analytics.db does not know is left alone: it can be deleted");
                }
                Entry::Vacant(place) => {
                    tracing::info!(part = %key, "found a part that was not listed");
                    place.insert(Part::create(self.directory, next, key, self.scene.days.zone())?);
                    next += 1;
                }
                Entry::Occupied(_) => {}
            }
        }
        for part in parts.values_mut().filter(|part| !part.state.is_closed()) {
            self.part(part, &mut active)?;
        }
        for id in active.ids() {
            if let Some(part) = parts.get_mut(&PartKey::recorded(id.month)) {
                part.next_session = part.next_session.max(id.number + 1);
            }
        }
        Ok((parts, active))
    }

    fn part(&mut self, part: &mut Part, active: &mut Active) -> Result<(), Error> {
        let (month, name, state) = (part.month, part.key.to_string(), part.state);
        let complete = (state == PartState::Sealed).then(|| is_complete(part, self.directory));
        if matches!(complete, Some(Ok(true))) {
            return Ok(());
        }
        if !part.key.file(self.directory).exists() {
            if state != PartState::Missing {
                tracing::error!(part = %name, hits = part.hits, "a part is missing: its raw hits cannot be read until the file is back");
                (part.state, part.changed) = (PartState::Missing, true);
            }
            return Ok(());
        }
        // All of it was counted, and nobody records into it: it keeps nobody from recording.
        if let Some(Err(error)) = complete
            && is_unusable(&error)
        {
            Err(error).context(&format!("read {name}")).unwrap_or_else(|error| part.say_fault(&error));
            return Ok(());
        }
        if state == PartState::Missing {
            tracing::info!(part = %name, "a missing part is back");
        }
        let raw = part.take_connection(self.directory)?;
        let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let (file_id, since): (Salt, i64) = raw.query_row("select file_id, since from part", [], read).context(&format!("read {name}"))?;
        part.since = since;
        let last = raw::last(&raw, month).context(&format!("read {name}"))?;
        let other = file_id != part.file_id && since < part.watermark;
        let rebuilt = part.listed && (last < part.watermark || other);
        // One that took the place of a file that is gone: what was counted of that stays.
        part.file_id = file_id;
        if rebuilt {
            tracing::warn!(part = %name, last, watermark = part.watermark, "a part holds less than was recorded, or is another file; what follows from it is rebuilt");
            rollup::delete(self.tx, part.number).context("delete the roll-ups of a part")?;
            if !part.key.is_import() {
                active.begin_again(month);
            }
            part.next_row = part.watermark + 1;
            (part.watermark, part.newest, part.hits, part.least, part.greatest) = (0, 0, 0, None, None);
        }
        part.next_row = part.next_row.max(last + 1);
        if last > part.watermark {
            let before = part.hits;
            let ended = match part.key.is_import() {
                // Nothing of it goes on.
                true => Ok(Some(RoaringBitmap::full())),
                false if rebuilt => ended(&raw, month),
                false => Ok(None),
            };
            let ended = ended.context(&format!("read {name}"))?;
            self.read(&raw, part, active, ended.as_ref()).context(&format!("replay {name}"))?;
            // On disk before analytics.db says that they are counted.
            part.sync(self.directory, 0, |_| Ok(()))?;
            tracing::info!(part = %name, hits = part.hits - before, "replayed");
        }
        only_here(&raw, part, active).context(&format!("put sessions right in {name}"))?;
        part.close();
        Ok(())
    }

    /// Whether analytics.db is at most the fold behind that the part was last forced to the disk for, as it is after a loss of
    /// power. If it is further behind it is another day's copy.
    fn is_after_power_loss(&self, raw: &Connection) -> rusqlite::Result<bool> {
        let synced: i64 = raw.query_row("select synced from part", [], |row| row.get(0))?;
        Ok(synced <= meta_get::<i64>(self.tx, MetaKey::Folds)?.unwrap_or(0) + 1)
    }

    /// Folds every row past the watermark, and moves it there. With `ended`, all of the part is read, those sessions among it.
    fn read(&mut self, raw: &Connection, part: &mut Part, active: &mut Active, ended: Option<&RoaringBitmap>) -> rusqlite::Result<()> {
        let (month, start, mut tracks) = (part.month, part.start, Tracks::default());
        let mut rows = Vec::new();
        loop {
            rows.clear();
            raw::slice(raw, month, part.watermark, i64::MAX, ROWS_A_SLICE, |row| rows.push(row))?;
            if let Some(place) = rows.iter().position(|row| !self.known.covers(row, start)) {
                if !self.is_after_power_loss(raw)? {
                    return Err(older(part.key));
                }
                let lost = raw::cut_off(raw, month, rows[place].id)?;
                tracing::warn!(%month, hits = lost, "hits that were written just before a loss of power refer to what was lost then; they are cut off");
                rows.truncate(place);
            }
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
                part.fold.add(row, &step, &mut self.scene);
            }
            part.watermark = last;
            if part.fold.len() >= ROWS_A_FOLD {
                rollup::write(self.tx, part.number, &part.fold, self.scene.devices)?;
                part.fold.clear();
            }
        }
        rollup::write(self.tx, part.number, &part.fold, self.scene.devices)?;
        part.fold.clear();
        // More was added to a part that had been complete.
        rollup::totals::forget(self.tx, part.number)
    }
}

/// Whether a sealed part is as it was left; its file is not even opened for writing.
fn is_complete(part: &mut Part, directory: &Path) -> rusqlite::Result<bool> {
    let connection = reader(&part.key.file(directory))?;
    let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, Salt>(0)?, row.get(1)?));
    let (file_id, since) = connection.query_row("select file_id, since from part", [], read)?;
    part.since = since;
    Ok(file_id == part.file_id && raw::last(&connection, part.month)? == part.watermark)
}

/// Damaged, on a bad spot of the disk, or somebody else's.
fn is_unusable(error: &rusqlite::Error) -> bool {
    is_damage(error) || matches!(error.sqlite_error_code(), Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen))
}

pub(super) const ROWS_A_SLICE: usize = 20_000;

/// Sessions that were put away.
fn ended(part: &Connection, month: Month) -> rusqlite::Result<Option<RoaringBitmap>> {
    let mut statement = part.prepare(&for_month("select number from sessions_NNNNNN order by number", month))?;
    statement.query_map([], |row| row.get::<_, u32>(0))?.collect::<rusqlite::Result<_>>().map(Some)
}

/// analytics.db does not know what raw rows refer to, and no loss of power explains it.
fn older(key: PartKey) -> rusqlite::Error {
    let message = format!(
        "analytics.db is older than {key}, which refers to users it does not know: restore both from one backup, or move {key} away",
    );
    rusqlite::Error::ToSqlConversionFailure(message.into())
}

/// A session that was put away just before a crash, and whose end was not yet known to analytics.db, goes on; one whose hits
/// were cut off never was.
fn only_here(raw: &Connection, part: &Part, active: &Active) -> rusqlite::Result<()> {
    let (month, newest) = (part.month, active.of_month(part.month).map(|(id, _)| id.number).max().unwrap_or(0));
    let tx = raw.unchecked_transaction()?;
    tx.execute(&for_month("delete from sessions_NNNNNN where number >= ?", month), [part.next_session.max(newest + 1)])?;
    let mut statement = tx.prepare(&for_month("delete from sessions_NNNNNN where number = ?", month))?;
    for (id, _) in active.of_month(month) {
        statement.execute([id.number])?;
    }
    drop(statement);
    tx.commit()
}

/// The sessions that go on, as the recorder knows them: by the app's own ids.
pub(super) fn open_sessions(main: &Connection, active: &Active) -> rusqlite::Result<Vec<OpenSession>> {
    let mut id_of = main.prepare("select id from users where number = ?")?;
    let mut open = Vec::new();
    for (id, session) in active.iter() {
        let actor = match session.visitor {
            Some(visitor) => Some(Actor::Visitor(visitor.get())),
            None => id_of.query_row([session.user], |row| row.get::<_, String>(0)).optional()?.map(Actor::User),
        };
        // Nobody knows any more whose it was; an actor that cannot come back lets it end by itself.
        let actor = actor.unwrap_or(Actor::Visitor(u64::from(id.number)));
        let start = id.month.start();
        let (started, last) = (session.track.unpack(start).opened, start + i64::from(session.last));
        open.push(OpenSession { id, actor, key: session.key, started, last });
    }
    Ok(open)
}

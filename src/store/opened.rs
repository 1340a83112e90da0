//! The directory, opened for writing: what a start reads, and what is kept while it is open.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::Instant,
};

use rusqlite::{Connection, TransactionBehavior};

use super::{
    active::{self, Active},
    archive,
    connection::{Context, Inode, main_file},
    dictionary::{Caps, Dictionary},
    emptied,
    import::OpenSource,
    jobs::{self, Kind},
    known::Known,
    lock::lock_file,
    openings,
    part::Part,
    part_key::PartKey,
    pending::Pending,
    replay::{self, Replay},
    rollup::{self, Days, Scene},
    schema::{self, MetaKey, meta_get, meta_set},
    settings::Settings,
    visitors::{self, Visitors},
};
use crate::{
    clock::Millis,
    counters::Counters,
    error::Error,
    hit::SessionId,
    sink::{LetGo, Resume, Salt},
};

pub(super) struct Opened {
    pub(super) main: Connection,
    /// analytics.db and the lock, as they were opened.
    pub(super) inodes: [Inode; 2],
    pub(super) dictionary: Dictionary,
    pub(super) visitors: Visitors,
    pub(super) parts: BTreeMap<PartKey, Part>,
    pub(super) active: Active,
    pub(super) days: Days,
    pub(super) pending: Pending,
    /// Sessions that ended and are not yet put away.
    pub(super) ended: Vec<SessionId>,
    /// Parts that could not be forced to the disk: what follows from them, and their sessions, wait for that.
    pub(super) held: BTreeSet<PartKey>,
    /// How often something was folded; it says whether a commit that failed did arrive.
    pub(super) folds: i64,
    pub(super) unsure: bool,
    /// Not before this is folded again, unless somebody waits for it.
    pub(super) due: Instant,
    /// What readers were last told, and when.
    pub(super) told: Option<(Counters, Millis)>,
    /// Whether some days are those of another zone than the one that is set.
    pub(super) is_stale: bool,
    pub(super) caps: Caps,
    pub(super) open_source: Option<OpenSource>,
    /// The time of the newest batch or checkpoint.
    pub(super) now: Millis,
    /// What open sessions must no longer refer to.
    pub(super) let_go: LetGo,
}

impl Opened {
    pub(super) fn open(directory: &Path, settings: &Settings) -> Result<Self, Error> {
        let mut main = schema::open(directory, settings.first_import.as_deref().map(|argument| [Kind::Import.name(), argument]))?;
        emptied::finish(&main, directory)?;
        let inodes = inodes(directory);
        let dictionary = Dictionary::load(&main, settings.caps)?;
        let mut days = Days::new(settings.zone.clone());
        let tx = main.transaction_with_behavior(TransactionBehavior::Immediate).context("begin to write to analytics.db")?;
        let known = Known::load(&tx, &dictionary).context("read the visitors in analytics.db")?;
        let scene = Scene { days: &mut days, devices: dictionary.devices() };
        let (mut parts, mut active) = Replay { tx: &tx, directory, known, scene }.parts()?;
        archive::tidy(&tx, &mut parts, directory).context("write what is left of archives to analytics.db")?;
        let folds = settle(&tx, settings, &mut parts, &mut active).context("write what was replayed to analytics.db")?;
        tx.commit().context("write what was replayed to analytics.db")?;
        active.forget_changed(|_| false);
        parts.values_mut().for_each(|part| (part.listed, part.changed) = (true, false));
        let is_stale = parts.values().any(|part| part.has_other_days(&settings.zone));
        Ok(Self {
            main,
            inodes,
            dictionary,
            visitors: Visitors::default(),
            parts,
            active,
            days,
            pending: Pending::default(),
            ended: Vec::new(),
            held: BTreeSet::new(),
            folds,
            unsure: false,
            due: Instant::now(),
            told: None,
            is_stale,
            caps: settings.caps,
            open_source: settings.open_source.clone(),
            now: 0,
            let_go: LetGo::Nothing,
        })
    }

    /// Whether the files still stand where they were opened.
    pub(super) fn is_there(&self, directory: &Path) -> bool {
        self.inodes == inodes(directory)
    }

    /// What came back may have days of another zone than is set now.
    pub(super) fn look_for_stale(&mut self) {
        self.is_stale |= self.parts.values().any(|part| part.has_other_days(self.days.zone()));
    }

    pub(super) fn resume(&self) -> Result<Resume, Error> {
        let read = || -> rusqlite::Result<Resume> {
            Ok(Resume {
                open: replay::open_sessions(&self.main, &self.active)?,
                next: self.parts.values().filter(|part| !part.key.is_import()).map(|part| (part.month, part.next_session)).collect(),
                salts: visitors::salts(&self.main)?,
                key: meta_get::<Salt>(&self.main, MetaKey::SessionKey)?,
            })
        };
        read().context("read open sessions and salts from analytics.db")
    }

    /// After a panic: goes on with the batch that may be half in the files. What of it is there was replayed.
    pub(super) fn with_pending(mut self, mut pending: Pending) -> Self {
        pending.forget_written(|month, last| self.parts.get(&PartKey::recorded(month)).is_some_and(|part| part.next_row > last));
        for (month, last) in pending.last_rows() {
            if let Some(part) = self.parts.get_mut(&PartKey::recorded(month)) {
                part.next_row = part.next_row.max(last + 1);
            }
        }
        if pending.batch != 0 {
            pending.open_again(&mut self.active);
        }
        self.pending = pending;
        self
    }
}

fn inodes(directory: &Path) -> [Inode; 2] {
    [main_file(directory), lock_file(directory)].map(|file| Inode::of(&file))
}

/// Puts what the replay found in its place, and forgets sessions that opened and never had a hit.
fn settle(tx: &Connection, settings: &Settings, parts: &mut BTreeMap<PartKey, Part>, active: &mut Active) -> rusqlite::Result<i64> {
    let empty: Vec<SessionId> = active.iter().filter(|(_, session)| session.hits == 0).map(|(id, _)| id).collect();
    active.forget_openings();
    openings::forget(tx, 0)?;
    if meta_get::<Vec<u8>>(tx, MetaKey::SessionKey)?.is_none() {
        tx.execute("insert into meta (key, value) values (?, randomblob(16))", [MetaKey::SessionKey.name()])?;
    }
    meta_set(tx, MetaKey::SessionTimeout, settings.session_timeout)?;
    meta_set(tx, MetaKey::Zone, settings.zone.name())?;
    meta_set(tx, MetaKey::Caps, serde_json::to_string(&settings.caps).unwrap_or_default())?;
    meta_set(tx, MetaKey::Shown, &settings.shown)?;
    meta_set(tx, MetaKey::Retention, serde_json::to_string(&settings.retention).unwrap_or_default())?;
    active::delete(tx, &empty)?;
    empty.into_iter().for_each(|id| active.remove(id));
    active.write_changed(tx, |_| false)?;
    for part in parts.values_mut() {
        if part.zone != settings.zone.name() && part.state.has_raw() {
            // Days of two zones, from here on: whichever is set next, they are to be made anew.
            part.zone.clear();
        }
        part.put(tx, part.watermark)?;
    }
    rollup::delete_aside(tx)?;
    jobs::begin_again(tx)?;
    Ok(meta_get(tx, MetaKey::Folds)?.unwrap_or(0))
}

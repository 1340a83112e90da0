//! Every few seconds: what follows from raw rows goes to disk, together with the watermark up to which it does.

use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, Instant},
};

use super::{
    active,
    connection::{Context, Synchronous, is_damaged},
    opened::Opened,
    openings,
    part::Part,
    part_key::PartKey,
    replay::ROWS_A_FOLD,
    rollup::{self, totals},
    schema::{MetaKey, meta_get, meta_set},
    visitors,
};
use crate::{
    clock::{Millis, Month, day_of},
    counters::Counters,
    error::Error,
    hit::SessionId,
    sink::Checkpoint,
};

/// While nothing happens the heartbeat is enough this often.
const IDLE_HEARTBEAT: Millis = 10_000;
/// More open files than this are closed again, those unused for longest first.
const OPEN_PARTS: usize = 4;
/// Folding takes at most one part in so many of the writer's time.
const SHARE: u32 = 20;
/// Roll-ups are written whole, so the more there is to write, the less often: at most so many bytes a second.
const BYTES_A_SECOND: f64 = 100_000.0;
/// So long readers wait at most for what is new, unless folding takes longer than its share of that.
const LONGEST_WAIT: Duration = Duration::from_secs(15);
/// So many sessions that ended do not wait for a better moment.
const MANY_ENDED: usize = 50_000;

impl Opened {
    /// What is done next is done at this time.
    pub(super) fn come_to(&mut self, now: Millis) -> Result<(), Error> {
        self.now = now;
        self.learn()
    }

    pub(super) fn checkpoint(&mut self, checkpoint: &Checkpoint<'_>, directory: &Path) -> Result<(), Error> {
        let Checkpoint { ended, counters, now, forced, .. } = checkpoint;
        // After an error the same ones come again.
        self.ended.extend(ended.iter().copied().filter(|id| self.active.end(*id)));
        let much = self.ended.len() >= MANY_ENDED || self.parts.values().any(|part| part.fold.len() >= ROWS_A_FOLD);
        if !*forced && !much && Instant::now() < self.due {
            return Ok(());
        }
        let told = self.told.is_some_and(|(told, at)| told.dropped() == counters.dropped() && (0..IDLE_HEARTBEAT).contains(&(now - at)));
        if !told || !self.ended.is_empty() || self.active.has_changed() || self.parts.values().any(|part| part.changed) {
            let start = Instant::now();
            // In the order of their numbers they lie side by side.
            self.ended.sort_unstable();
            self.sync_parts(directory)?;
            let bytes = self.fold(*counters, *now)?;
            let written = Duration::from_secs_f64(bytes as f64 / BYTES_A_SECOND).min(LONGEST_WAIT);
            self.due = start + written.max(start.elapsed() * SHARE);
        }
        self.seal(directory, *now)?;
        self.close_unused();
        Ok(())
    }

    /// Ended sessions into their parts, and every raw row before them forced to the disk: only then may what follows be committed. What
    /// follows from a part that is over and damaged is held back, until its file is back or was moved away.
    pub(super) fn sync_parts(&mut self, directory: &Path) -> Result<(), Error> {
        let mut of_month: BTreeMap<Month, Vec<SessionId>> = BTreeMap::new();
        for id in self.ended.iter().filter(|id| self.active.get(**id).is_some_and(|session| session.hits > 0)) {
            of_month.entry(id.month).or_default().push(*id);
        }
        let (active, now) = (&self.active, self.now);
        self.held.clear();
        for part in self.parts.values_mut() {
            let ended = of_month.get(&part.month).filter(|_| !part.key.is_import()).map_or(&[][..], Vec::as_slice);
            // Where there is no file, none is made for sessions alone; and none is opened for those whose hits could not be written.
            if part.state.has_raw() && (part.changed || !ended.is_empty()) {
                let month = part.month;
                match part.sync(directory, self.folds + 1, |tx| active::put_ended(tx, month, active, ended)) {
                    // The month that goes on does not wait for one that is over.
                    Err(error) if now >= month.end() && is_damaged(&error) => {
                        part.say_fault(&error);
                        part.close();
                        self.held.insert(part.key);
                    }
                    synced => synced?,
                }
            }
        }
        Ok(())
    }

    /// What follows from raw rows, with the watermark of each part, in one transaction. Gives the bytes written.
    pub(super) fn fold(&mut self, counters: Counters, now: Millis) -> Result<usize, Error> {
        self.unsure = true;
        let fold = || -> rusqlite::Result<usize> {
            Synchronous::Full.set(&self.main)?;
            let bytes = self.write_fold(counters, now);
            Synchronous::Normal.set(&self.main)?;
            bytes
        };
        let bytes = fold().context("write roll-ups, open sessions and watermarks to analytics.db")?;
        self.told = Some((counters, now));
        for part in self.parts.values_mut().filter(|part| part.fold.len() > 0 && !self.held.contains(&part.key)) {
            part.touched = Some(now);
        }
        self.folded();
        Ok(bytes)
    }

    /// A raw file went away under us. What was counted of its rows stays, up to the last one: else those since the last fold would be
    /// in nothing at all.
    pub(super) fn keep_counts(&mut self, directory: &Path) -> Result<(), Error> {
        self.learn()?;
        self.held.clear();
        // Those that ended cannot be put away where there is no file; they end once more.
        self.active.go_on(&std::mem::take(&mut self.ended));
        for part in self.parts.values_mut().filter(|part| part.changed) {
            match part.is_in_place(directory) {
                true => match part.sync(directory, self.folds + 1, |_| Ok(())) {
                    Err(error) if is_damaged(&error) => drop(self.held.insert(part.key)),
                    synced => synced?,
                },
                false => {
                    tracing::error!(part = %part.key, hits = part.hits, "a raw file is gone: what was counted of its hits stays, what only they could say is lost")
                }
            }
        }
        let (counters, _) = self.told.unwrap_or_default();
        self.fold(counters, self.now).map(drop)
    }

    fn write_fold(&self, counters: Counters, now: Millis) -> rusqlite::Result<usize> {
        let tx = self.main.unchecked_transaction()?;
        let mut bytes = 0;
        self.active.write_changed(&tx, |month| self.is_held(month))?;
        active::delete(&tx, self.ended.iter().filter(|id| !self.is_held(id.month)))?;
        if self.held.is_empty() {
            openings::forget(&tx, self.pending.batch)?;
        }
        for part in self.parts.values().filter(|part| part.changed && !self.held.contains(&part.key)) {
            if part.fold.len() > 0 {
                bytes += rollup::write(&tx, part.number, &part.fold, self.dictionary.devices())?;
                totals::forget(&tx, part.number)?;
            }
            part.put(&tx, part.newest)?;
        }
        meta_set(&tx, MetaKey::Counters, serde_json::to_string(&counters).unwrap_or_default())?;
        meta_set(&tx, MetaKey::Heartbeat, now)?;
        meta_set(&tx, MetaKey::Folds, self.folds + 1)?;
        visitors::forget_far_from(&tx, day_of(now))?;
        tx.commit()?;
        Ok(bytes)
    }

    /// The fold is on disk: what was kept for it is let go.
    fn folded(&mut self) {
        self.unsure = false;
        self.folds += 1;
        let is_held = |month| self.held.contains(&PartKey::recorded(month));
        self.active.forget_changed(is_held);
        self.ended.retain(|id| {
            let waits = is_held(id.month);
            if !waits {
                self.active.remove(*id);
            }
            waits
        });
        for part in self.parts.values_mut().filter(|part| !self.held.contains(&part.key)) {
            part.watermark = part.newest;
            part.changed = false;
            part.fold.clear();
        }
    }

    /// Whether nothing of the recorder's sessions of a month may be written.
    fn is_held(&self, month: Month) -> bool {
        self.held.contains(&PartKey::recorded(month))
    }

    /// After a fold that failed, whether it did arrive; nothing is counted before that is known.
    pub(super) fn learn(&mut self) -> Result<(), Error> {
        if self.unsure {
            let folds = meta_get::<i64>(&self.main, MetaKey::Folds).context("read analytics.db")?.unwrap_or(0);
            match folds > self.folds {
                true => self.folded(),
                false => self.unsure = false,
            }
        }
        Ok(())
    }

    fn close_unused(&mut self) {
        let mut open: Vec<_> = self.parts.values_mut().filter(|part| part.is_open()).collect();
        open.sort_by_key(|part| std::cmp::Reverse(part.used));
        open.into_iter().skip(OPEN_PARTS).for_each(Part::close);
    }
}

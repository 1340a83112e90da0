//! Making a part's roll-ups anew from its raw rows, in slices between batches, aside from those that readers see.

use std::path::Path;

use rusqlite::Connection;

use super::{
    connection::{Context, reader},
    part::{Part, PartState},
    part_key::PartKey,
    raw::{self, Row},
    replay::{ROWS_A_FOLD, ROWS_A_SLICE},
    rollup::{self, Fold, Scene, Tracks, totals},
};
use crate::{clock::Millis, error::Error};

pub(super) struct Rebuild {
    pub(super) part: i64,
    pub(super) key: PartKey,
    start: Millis,
    raw: Connection,
    /// The last row that was folded.
    at: i64,
    fold: Fold,
    tracks: Tracks,
    rows: Vec<Row>,
}

impl Rebuild {
    pub(super) fn begin(main: &Connection, part: &Part, directory: &Path) -> Result<Self, Error> {
        let raw = reader(&part.key.file(directory)).context(&format!("open {} for reading", part.key))?;
        tracing::info!(part = %part.key, hits = part.hits, "roll-ups are made anew");
        let (key, start) = (part.key, part.start);
        let rebuild =
            Self { part: part.number, key, start, raw, at: 0, fold: Fold::new(key.month), tracks: Tracks::default(), rows: Vec::new() };
        rollup::delete(main, rebuild.aside()).context("delete what an earlier reprocess has left")?;
        Ok(rebuild)
    }

    /// What is made has a number of its own until it takes the part's place.
    fn aside(&self) -> i64 {
        -self.part
    }

    /// Folds the next rows that are in the part's roll-ups; gives how many. None: all are in.
    pub(super) fn slice(&mut self, main: &Connection, watermark: i64, scene: &mut Scene<'_>) -> Result<usize, Error> {
        self.rows.clear();
        let rows = &mut self.rows;
        raw::slice(&self.raw, self.key.month, self.at, watermark, ROWS_A_SLICE, |row| rows.push(row))
            .context(&format!("read {}", self.key))?;
        for row in &self.rows {
            let step = self.tracks.step(self.start, row);
            self.fold.add(row, &step, scene);
            self.at = row.id;
        }
        if self.fold.len() >= ROWS_A_FOLD {
            let tx = main.unchecked_transaction().context("begin to write roll-ups")?;
            rollup::write(&tx, self.aside(), &self.fold, scene.devices).context("write roll-ups")?;
            tx.commit().context("commit roll-ups")?;
            self.fold.clear();
        }
        Ok(self.rows.len())
    }

    /// Puts what was made in the place of what was there.
    pub(super) fn finish(self, main: &Connection, part: &mut Part, scene: &Scene<'_>) -> Result<(), Error> {
        let zone = scene.days.zone().name();
        let finish = || -> rusqlite::Result<()> {
            let tx = main.unchecked_transaction()?;
            rollup::write(&tx, self.aside(), &self.fold, scene.devices)?;
            rollup::replace(&tx, self.part, self.aside())?;
            if part.state == PartState::Sealed {
                totals::write(&tx, self.part)?;
            }
            // A late hit may have opened it in the meantime: then the totals that went are not to be looked for.
            tx.execute("update parts set zone = ?, state = ? where number = ?", rusqlite::params![zone, part.state.name(), self.part])?;
            tx.commit()
        };
        finish().context("put roll-ups that were made anew in their place")?;
        zone.clone_into(&mut part.zone);
        tracing::info!(part = %self.key, "roll-ups are new");
        Ok(())
    }
}

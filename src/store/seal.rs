//! A month that is over: its totals, and its file without a log beside it.

use std::path::Path;

use rusqlite::Connection;

use super::{
    connection::Context,
    opened::Opened,
    part::{Part, PartState},
    part_key::PartKey,
    rollup::totals,
};
use crate::{
    clock::{DAY_MS, Millis},
    error::{Error, ErrorKind},
};

/// So long after its month's end a part is complete.
const SEALED_AFTER: Millis = DAY_MS;
/// So long after the last late hit it is complete again.
const QUIET: Millis = 600_000;

impl Opened {
    /// Completes one part whose month has ended and to which nothing more came for a while: its totals, then its file.
    pub(super) fn seal(&mut self, directory: &Path, now: Millis) -> Result<(), Error> {
        let active = &self.active;
        let is_quiet = |part: &Part| part.touched.is_none_or(|touched| !(touched..touched + QUIET).contains(&now));
        let is_over = |part: &&mut Part| {
            let open = part.state == PartState::Open && now >= part.month.end() + SEALED_AFTER;
            open && is_quiet(part) && !part.changed && active.of_month(part.month).next().is_none()
        };
        if let Some(part) = self.parts.values_mut().find(is_over) {
            return complete(&self.main, part);
        }
        let is_written = |part: &&mut Part| part.state == PartState::Sealed && !part.is_plain && !part.is_kept_still;
        let file = self.parts.values_mut().find(|part| is_written(part) && is_quiet(part));
        let Some(part) = file else { return Ok(()) };
        // Somebody may read it just now, or its file is damaged: there is no hurry, and nobody else's month waits for it.
        part.touched = Some(now);
        let had_fault = part.has_fault;
        match part.seal_file(directory) {
            Ok(is_plain) => part.is_plain = is_plain,
            Err(error) => part.say_fault(&error),
        }
        if had_fault && !part.has_fault {
            self.look_for_stale();
        }
        Ok(())
    }

    /// Completes a part now, as somebody wants all of it in its file; `false` while its sessions go on or somebody reads it.
    pub(super) fn complete(&mut self, key: PartKey, directory: &Path) -> Result<bool, Error> {
        self.learn()?;
        if self.parts.get(&key).is_some_and(|part| part.changed) {
            let Some((counters, _)) = self.told else { return Ok(false) };
            self.sync_parts(directory)?;
            self.fold(counters, self.now)?;
        }
        if self.held.contains(&key) {
            let message = format!("{key} is damaged, and hits in it are not counted yet: restore it from a backup or move it away");
            return Err(Error::new(ErrorKind::Directory, message));
        }
        let now = self.now;
        let goes_on = !key.is_import() && self.active.of_month(key.month).next().is_some();
        let Some(part) = self.parts.get_mut(&key).filter(|part| !goes_on && part.state.has_raw() && now >= part.month.end()) else {
            return Ok(false);
        };
        if part.state == PartState::Open {
            complete(&self.main, part)?;
        }
        if !part.is_plain {
            part.is_plain = part.seal_file(directory)?;
        }
        Ok(part.is_settled(directory))
    }
}

fn complete(main: &Connection, part: &mut Part) -> Result<(), Error> {
    part.state = PartState::Sealed;
    let result = write_totals(main, part).context("write the totals of a part to analytics.db");
    match &result {
        Ok(()) => tracing::info!(month = %part.month, hits = part.hits, "a month is sealed"),
        Err(_) => part.state = PartState::Open,
    }
    result
}

fn write_totals(main: &Connection, part: &Part) -> rusqlite::Result<()> {
    let tx = main.unchecked_transaction()?;
    totals::write(&tx, part.number)?;
    part.put(&tx, part.watermark)?;
    tx.commit()
}

//! What the settings say of old months is looked for once a day, and asked for like any other work, so that everybody sees it.
//!
//! What is deleted does not come back, and a clock may be wrong for a while: nothing goes by a time that was not there yet at the last
//! look, a day ago. A clock that was ahead and is set right again has only put the next look off.

use rusqlite::params;

use super::{
    connection::Context,
    due::due,
    jobs::{self, Kind, PutAwayOrder},
    opened::Opened,
    schema::{MetaKey, meta_get, meta_set},
    settings::Settings,
};
use crate::{
    aging::{Aging, RetentionRules},
    clock::{DAY_MS, Millis, Tick},
    error::Error,
};

pub(super) struct Tending {
    /// If they are looked after here.
    rules: Option<(RetentionRules, Aging)>,
    /// The last look by the clock, which may be wrong; and on the line that never steps, if it was this process that looked.
    looked: Option<(Millis, Option<Tick>)>,
}

/// A day of a clock that nobody set takes longer than this, also where the machine slept through most of it.
const HOUR_NS: u64 = 3_600_000_000_000;

impl Tending {
    pub(super) fn new(settings: &Settings) -> Self {
        let rules = Some(&settings.retention).filter(|rules| settings.tends && !rules.is_empty());
        Self { rules: rules.and_then(|rules| Some((rules.clone(), rules.understood().ok()?))), looked: None }
    }

    /// Whether the last look is so long ago, or lies in the future, that it is time for another one.
    fn is_time(&self, now: Millis) -> bool {
        self.looked.is_none_or(|(looked, _)| !(looked..looked + DAY_MS).contains(&now))
    }

    /// The time by which something may go: that of the last look, if the clock has come from there by itself.
    fn believed(&self, last: Option<Millis>, now: Millis, tick: Tick) -> Option<Millis> {
        let has_stepped = self.looked.and_then(|(_, looked)| looked).is_some_and(|looked| looked.until(tick) < HOUR_NS);
        last.filter(|last| now - last >= DAY_MS && !has_stepped)
    }

    /// With the first checkpoint of a day. Nothing is asked for while there is work in hand.
    pub(super) fn tend(&mut self, opened: &Opened, now: Millis, tick: Tick) -> Result<(), Error> {
        let Some((rules, aging)) = self.rules.as_ref().filter(|_| self.is_time(now)) else { return Ok(()) };
        let tend = || -> rusqlite::Result<Option<(Millis, Option<Tick>)>> {
            let last = meta_get::<Millis>(&opened.main, MetaKey::Tended)?;
            // By another process, before this one began.
            if let Some(last) = last.filter(|last| self.looked.is_none() && (*last..last + DAY_MS).contains(&now)) {
                return Ok(Some((last, None)));
            }
            if jobs::next(&opened.main)?.is_some() {
                return Ok(None);
            }
            let tx = opened.main.unchecked_transaction()?;
            let by = self.believed(last, now, tick);
            if let Some(by) =
                by.filter(|by| opened.parts.values().any(|part| due(aging, part.key, part.state, part.is_forgotten(), *by).is_some()))
            {
                let order = serde_json::to_string(&PutAwayOrder { rules: rules.clone(), by: Some(by) }).unwrap_or_default();
                tx.execute(include_str!("jobs/job_new.sql"), params![Kind::Retention.name(), order])?;
            }
            meta_set(&tx, MetaKey::Tended, now)?;
            tx.commit().map(|()| Some((now, Some(tick))))
        };
        if let Some(looked) = tend().context("look for months that are old enough to be put away")? {
            self.looked = Some(looked);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, from_millis};

    #[test]
    fn a_day_of_the_clock_that_took_no_hour_is_no_day() {
        let line = Clock::manual(from_millis(1_000_000));
        let now = 1_767_225_600_000;
        let looked = |last| Tending { rules: None, looked: Some((last, Some(line.tick()))) };
        let (right, ahead) = (looked(now), looked(now + 365 * DAY_MS));
        line.advance(std::time::Duration::from_secs(60));
        assert_eq!(right.believed(Some(now), now + 365 * DAY_MS, line.tick()), None);
        assert_eq!(ahead.believed(Some(now + 365 * DAY_MS), now + 400 * DAY_MS, line.tick()), None, "and on it goes");
        assert!(ahead.is_time(now), "set right again");
        line.advance(std::time::Duration::from_secs(3600));
        assert_eq!(right.believed(Some(now), now + DAY_MS, line.tick()), Some(now));
        assert_eq!(right.believed(Some(now), now + DAY_MS - 1, line.tick()), None);
        // By a process that is gone: this one may just have begun.
        let fresh = Tending { rules: None, looked: Some((now, None)) };
        assert_eq!(fresh.believed(Some(now), now + DAY_MS, line.tick()), Some(now));
        assert_eq!((fresh.believed(None, now, line.tick()), fresh.believed(Some(now + 1), now, line.tick())), (None, None));
    }
}

//! What the settings say of old months is looked for once a UTC day, and asked for like any other work, so that everybody sees it.

use rusqlite::params;

use super::{
    connection::Context,
    due::due,
    jobs::Kind,
    opened::Opened,
    schema::{MetaKey, meta_get, meta_set},
    store::Settings,
};
use crate::{
    aging::{Aging, RetentionRules},
    clock::{Millis, day_of},
    error::Error,
};

pub(super) struct Tending {
    /// If they are looked after here.
    rules: Option<(RetentionRules, Aging)>,
    /// The UTC day on which that was last done.
    day: Option<i64>,
}

impl Tending {
    pub(super) fn new(settings: &Settings) -> Self {
        let rules = Some(&settings.retention).filter(|rules| settings.tends && !rules.is_empty());
        Self { rules: rules.and_then(|rules| Some((rules.clone(), rules.understood().ok()?))), day: None }
    }
}

impl Opened {
    /// With the first checkpoint of a day. Nothing is asked for while there is work in hand.
    pub(super) fn tend(&mut self, now: Millis) -> Result<(), Error> {
        let today = day_of(now);
        let Some((rules, aging)) = self.tending.rules.as_ref().filter(|_| self.tending.day != Some(today)) else { return Ok(()) };
        let tend = || -> rusqlite::Result<bool> {
            let waits = "select exists (select 1 from jobs where state in ('waiting', 'running'))";
            if meta_get::<i64>(&self.main, MetaKey::Tended)? == Some(today) {
                return Ok(true);
            }
            if self.main.query_row(waits, [], |row| row.get(0))? {
                return Ok(false);
            }
            let tx = self.main.unchecked_transaction()?;
            if self.parts.values().any(|part| due(aging, part.key, part.state, part.is_forgotten(), now).is_some()) {
                let argument = serde_json::to_string(rules).unwrap_or_default();
                tx.execute(include_str!("jobs/job_new.sql"), params![Kind::Retention.name(), argument])?;
            }
            meta_set(&tx, MetaKey::Tended, today)?;
            tx.commit().map(|()| true)
        };
        if tend().context("look for months that are old enough to be put away")? {
            self.tending.day = Some(today);
        }
        Ok(())
    }
}

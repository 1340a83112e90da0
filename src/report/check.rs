use std::collections::HashMap;

use crate::{
    error::Error,
    store::{Context, Snapshot, for_month},
};

/// Whether what follows from raw hits agrees with them, month by month; all read at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Check {
    /// Each month that has raw hits, oldest first.
    pub months: Vec<MonthCheck>,
}

/// One month's hits, counted in each of the places that know them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MonthCheck {
    /// The month, as `202611`.
    pub month: String,
    /// Raw hits, counted one by one.
    pub raw: u64,
    /// Hits in the roll-ups by day.
    pub daily: u64,
    /// Hits in the roll-ups by quarter of an hour.
    pub slots: u64,
}

impl Check {
    /// Whether all places agree. If not, [`reprocess`](crate::Maintenance::reprocess) makes the roll-ups anew.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.months.iter().all(|month| month.raw == month.daily && month.raw == month.slots)
    }
}

pub(super) fn ask(snapshot: &mut Snapshot<'_>) -> Result<Check, Error> {
    let rolled_up = rolled_up(snapshot).context("read roll-ups")?;
    let mut check = Check::default();
    for part in snapshot.parts().to_vec() {
        if !part.state.has_raw() {
            continue;
        }
        let sql = for_month("select count(*), (select since from part) from session_actions_NNNNNN where id <= ?", part.month);
        let counts = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
        let (raw, since) = snapshot.raw(part.key)?.query_row(&sql, [part.watermark], counts).context("count raw hits")?;
        if since > 0 {
            // Its first file is gone: what was counted of that is in the roll-ups alone.
            continue;
        }
        let (daily, slots) = rolled_up.get(&part.number).copied().unwrap_or_default();
        check.months.push(MonthCheck { month: part.month.to_string(), raw: raw.unsigned_abs(), daily, slots });
    }
    Ok(check)
}

fn rolled_up(snapshot: &Snapshot<'_>) -> rusqlite::Result<HashMap<i64, (u64, u64)>> {
    let mut statement = snapshot.main().prepare_cached(include_str!("check.sql"))?;
    let count = |row: &rusqlite::Row<'_>, column| row.get::<_, i64>(column).map(i64::unsigned_abs);
    statement.query_map([], |row| Ok((row.get(0)?, (count(row, 1)?, count(row, 2)?))))?.collect()
}

//! When people were seen by what is no hit: imports bring such, and it only raises when somebody was last seen.

use hashbrown::HashMap;

use crate::{clock::Millis, report::base::view::View};

/// Of everybody of whom such is known.
pub(in crate::report) fn of(view: &View<'_, '_>) -> rusqlite::Result<HashMap<u32, Millis>> {
    let mut seen: HashMap<u32, Millis> = HashMap::new();
    let mut statement = view.main().prepare_cached("select number, last_seen from users where last_seen > 0")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (person, at) = (view.aliases.of(row.get(0)?), row.get(1)?);
        let last = seen.entry(person).or_insert(at);
        *last = at.max(*last);
    }
    Ok(seen)
}

use std::path::Path;

use rusqlite::{Connection, Transaction, params};

use super::{part::NewPart, work::Import};
use crate::{
    error::Error,
    store::{
        connection::{Context, Synchronous},
        opened::Opened,
        part::Part,
        rollup,
    },
};

impl Import {
    /// All of it or nothing: parts, roll-ups, and what it says of users, in one transaction; then the files get their names.
    pub(super) fn commit(&mut self, opened: &mut Opened, directory: &Path) -> Result<(), Error> {
        let next = opened.parts.values().map(|part| part.number).max().unwrap_or(0) + 1;
        let zone = opened.days.zone().name().to_owned();
        let parts: Vec<Part> = (next..)
            .zip(self.parts())
            .map(|(number, new)| Part::imported(number, new.key, new.file_id, zone.clone(), counted(new)))
            .collect();
        self.parts().try_for_each(|part| part.name(directory))?;
        Synchronous::Full.set(&opened.main).context("list what was imported")?;
        let commit = || -> rusqlite::Result<()> {
            let tx = opened.main.unchecked_transaction()?;
            for (part, new) in parts.iter().zip(self.parts()) {
                part.put(&tx, part.watermark)?;
                rollup::replace(&tx, part.number, new.aside())?;
            }
            self.tell_people(&tx)?;
            self.remember(&tx)?;
            tx.commit()
        };
        let result = commit();
        let back = Synchronous::Normal.set(&opened.main);
        result.and(back).context("list what was imported")?;
        for (mut part, (_, new)) in parts.into_iter().zip(self.take_parts()) {
            // A start makes up for it if this fails.
            if let Err(error) = new.settle(directory) {
                tracing::error!(part = %part.key, error = %error.chain(), "a file of an import has not got its name: restart the service");
            }
            part.listed = true;
            opened.parts.insert(part.key, part);
        }
        Ok(())
    }

    fn tell_people(&self, tx: &Connection) -> rusqlite::Result<()> {
        let mut statement = tx.prepare_cached(
            "update users set name = iif(?2 = '' or name <> '', name, ?2), first_seen = min(first_seen, ?3) where number = ?1",
        )?;
        for (number, person) in &self.people {
            statement.execute(params![number, &*person.name, person.first_seen])?;
        }
        let mut statement = tx.prepare_cached("update users set last_seen = max(last_seen, ?) where id = ?")?;
        for (id, at) in self.ended().iter().flat_map(|end| &end.last_seen) {
            statement.execute(params![at, id])?;
        }
        Ok(())
    }

    /// So that the same is not imported twice.
    fn remember(&self, tx: &Transaction<'_>) -> rusqlite::Result<()> {
        let Some(end) = self.ended() else { return Ok(()) };
        let mut statement = tx.prepare_cached("insert or ignore into imported_sessions (hash) values (?)")?;
        for hash in &self.sessions {
            statement.execute([hash])?;
        }
        let mut statement = tx.prepare_cached("insert or ignore into imports (hash, bytes, kind, at) values (?, ?, ?, unixepoch())")?;
        for content in &end.contents {
            statement.execute(params![content.hash, content.bytes as i64, end.kind])?;
        }
        Ok(())
    }
}

fn counted(new: &NewPart) -> crate::store::part::Counted {
    crate::store::part::Counted { hits: new.hits, least: new.least, greatest: new.greatest, next_session: new.next_session }
}

//! Texts that may hold an id or a name: what apps and their clients said of errors, routes and devices.

use roaring::RoaringBitmap;
use rusqlite::{Connection, ToSql, params};

use super::needles::{Needles, Renamed};
use crate::store::rollup::{Dimension, bitmap};

pub(super) struct Texts<'a> {
    pub(super) tx: &'a Connection,
    pub(super) needles: &'a Needles,
    pub(super) instead: &'a str,
    pub(super) users: &'a RoaringBitmap,
}

impl Texts<'_> {
    /// Clears them all; gives how many.
    pub(super) fn clear(&self) -> rusqlite::Result<u64> {
        Ok(self.errors()? + self.routes()? + self.devices()?)
    }

    fn errors(&self) -> rusqlite::Result<u64> {
        let rows = self.rows("select number, kind, message, sample from errors")?;
        let all = |place: usize| rows.iter().map(move |(_, texts)| texts[place].clone());
        let (mut kinds, mut messages, mut changed) = (Renamed::new(all(0)), Renamed::new(all(1)), 0);
        for (number, texts) in &rows {
            let kind = self.label(&texts[0], Dimension::Error, number)?.map(|new| kinds.put(&texts[0], new));
            let message = self.label(&texts[1], Dimension::Error, number)?.map(|new| messages.put(&texts[1], new));
            // Prose of one hit, by which nothing is counted: in doubt it goes.
            let sample = self.needles.cleared(&texts[2], self.instead, false);
            changed += [&kind, &message, &sample].into_iter().flatten().count() as u64;
            if kind.is_some() || message.is_some() || sample.is_some() {
                let sql = "update errors set kind = coalesce(?, kind), message = coalesce(?, message), sample = coalesce(?, sample) where number = ?";
                self.tx.execute(sql, params![kind, message, sample, number])?;
            }
        }
        Ok(changed)
    }

    /// Paths stand in them that no template covers, as of gRPC.
    fn routes(&self) -> rusqlite::Result<u64> {
        let rows = self.rows("select number, route from endpoints")?;
        let (mut routes, mut changed) = (Renamed::new(rows.iter().map(|(_, texts)| texts[0].clone())), 0);
        for (number, texts) in &rows {
            let Some(new) = self.label(&texts[0], Dimension::Endpoint, number)? else { continue };
            let new = routes.put(&texts[0], new);
            self.tx.execute("update endpoints set route = ? where number = ?", params![new, number])?;
            changed += 1;
        }
        Ok(changed)
    }

    /// What is said of a device stands in roll-ups too, where it must stay one with what follows from raw hits later.
    fn devices(&self) -> rusqlite::Result<u64> {
        let rows = self.rows("select number, platform, app_version, name, bot, bot_reason from devices")?;
        let mut renamed: [Renamed; 5] = std::array::from_fn(|place| Renamed::new(rows.iter().map(move |(_, texts)| texts[place].clone())));
        let mut changed = 0;
        for (number, texts) in &rows {
            let mut new = Vec::new();
            for (place, text) in texts.iter().enumerate() {
                let cleared = match place {
                    NAME => self.label(text, Dimension::Device, text)?,
                    _ => self.needles.cleared(text, self.instead, true),
                };
                changed += u64::from(cleared.is_some());
                new.push(cleared.map_or_else(|| text.clone(), |new| renamed[place].put(text, new)));
            }
            if new != *texts {
                let sql = "update devices set platform = ?1, app_version = ?2, name = ?3, bot = ?4, bot_reason = ?5 where number = ?6";
                let values = new.iter().map(|text| text as &dyn ToSql).chain([number as &dyn ToSql]);
                self.tx.execute(sql, rusqlite::params_from_iter(values))?;
            }
        }
        if changed > 0 {
            self.rollups(&renamed)?;
        }
        Ok(changed)
    }

    fn rollups(&self, [platforms, versions, names, bots, _]: &[Renamed; 5]) -> rusqlite::Result<()> {
        let new = |dimension: i64, value: &str| match dimension {
            VERSION => {
                let (platform, version) = value.split_once('\u{1f}').unwrap_or((value, ""));
                format!("{}\u{1f}{}", platforms.of(platform), versions.of(version))
            }
            PLATFORM => platforms.of(value).to_owned(),
            DEVICE => names.of(value).to_owned(),
            _ => bots.of(value).to_owned(),
        };
        for table in ["daily_metrics", "part_totals"] {
            let sql = format!("select distinct dimension, value from {table} where dimension between {VERSION} and {BOT}");
            for (dimension, texts) in self.rows(&sql)? {
                let new = new(dimension, &texts[0]);
                if new != texts[0] {
                    let sql = format!("update {table} set value = ? where dimension = ? and value = ?");
                    self.tx.execute(&sql, params![new, dimension, texts[0]])?;
                }
            }
        }
        Ok(())
    }

    /// A text under which hits are counted, of others too perhaps. Where it may mean something else it is cleared only if nobody
    /// else ever had it.
    fn label(&self, text: &str, dimension: Dimension, value: impl ToSql) -> rusqlite::Result<Option<String>> {
        let doubt = self.needles.cleared(text, self.instead, false).is_none() || !self.is_theirs_alone(dimension, value)?;
        Ok(self.needles.cleared(text, self.instead, doubt))
    }

    fn is_theirs_alone(&self, dimension: Dimension, value: impl ToSql) -> rusqlite::Result<bool> {
        let mut statement = self.tx.prepare_cached(include_str!("who.sql"))?;
        let mut rows = statement.query(params![dimension as i64, value])?;
        while let Some(row) = rows.next()? {
            let users = bitmap::from_blob(row.get_ref(0)?.as_blob()?);
            let visitors = row.get_ref(1)?.as_blob()?;
            if !visitors.is_empty() || !users.is_some_and(|users| users.is_subset(self.users)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A number, and the texts after it.
    fn rows(&self, sql: &str) -> rusqlite::Result<Vec<(i64, Vec<String>)>> {
        let mut statement = self.tx.prepare(sql)?;
        let columns = statement.column_count();
        let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, (1..columns).map(|column| row.get(column)).collect::<Result<_, _>>()?));
        statement.query_map([], read)?.collect()
    }
}

/// The place of a device's name among its texts.
const NAME: usize = 2;
const VERSION: i64 = Dimension::Version as i64;
const PLATFORM: i64 = Dimension::Platform as i64;
const DEVICE: i64 = Dimension::Device as i64;
const BOT: i64 = Dimension::Bot as i64;

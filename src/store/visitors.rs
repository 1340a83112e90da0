use std::collections::BTreeMap;

use hashbrown::HashMap;
use rusqlite::{Connection, OptionalExtension, params};

use super::connection::Context;
use crate::{error::Error, sink::Salt};

/// Visitors' numbers, anew each UTC day. Hashes and salts live two days; how many numbers a day gave stays for ever.
#[derive(Default)]
pub(super) struct Visitors {
    days: BTreeMap<i64, Day>,
    fresh: Vec<(i64, u64, u32)>,
    fresh_salts: Vec<(i64, Salt)>,
}

#[derive(Default)]
struct Day {
    numbers: HashMap<u64, u32>,
    next: u32,
}

/// Where visitors' numbers begin; below it are users. The first is shared by all beyond the day's cap.
pub(crate) const FIRST_VISITOR: u32 = 1 << 31;

/// Days in memory at once: today, yesterday, and what an import of the past is at.
const DAYS: usize = 4;

impl Visitors {
    pub(super) fn number(&mut self, main: &Connection, day: i64, hash: u64, cap: u32) -> Result<u32, Error> {
        if !self.days.contains_key(&day) {
            let mut loaded = load(main, day).context("read the visitors of a day")?;
            for (_, hash, number) in self.fresh.iter().filter(|(fresh_day, _, _)| *fresh_day == day) {
                loaded.numbers.insert(*hash, *number);
                loaded.next = loaded.next.max(number + 1);
            }
            while self.days.len() >= DAYS {
                self.days.pop_first();
            }
            self.days.insert(day, loaded);
        }
        let day_number = day;
        let Some(day) = self.days.get_mut(&day) else { return Ok(FIRST_VISITOR) };
        if let Some(number) = day.numbers.get(&hash) {
            return Ok(*number);
        }
        if day.next - FIRST_VISITOR > cap {
            return Ok(FIRST_VISITOR);
        }
        let number = day.next;
        day.next += 1;
        day.numbers.insert(hash, number);
        self.fresh.push((day_number, hash, number));
        Ok(number)
    }

    pub(super) fn add_salts(&mut self, salts: &[(i64, Salt)]) {
        self.fresh_salts = salts.to_vec();
    }

    /// Visitors that are not yet on disk.
    pub(super) fn fresh(&self) -> usize {
        self.fresh.len()
    }

    pub(super) fn has_fresh(&self) -> bool {
        !self.fresh.is_empty() || !self.fresh_salts.is_empty()
    }

    pub(super) fn write_fresh(&self, tx: &Connection) -> rusqlite::Result<()> {
        let mut statement = tx.prepare_cached("insert or ignore into visitors (day, hash, number) values (?, ?, ?)")?;
        let mut next = tx.prepare_cached(
            "insert into visitor_days (day, next) values (?1, ?2) on conflict (day) do update set next = max(next, excluded.next)",
        )?;
        let mut newest = BTreeMap::new();
        for (day, hash, number) in &self.fresh {
            statement.execute(params![day, *hash as i64, number])?;
            newest.insert(*day, *number + 1);
        }
        for (day, number) in newest {
            next.execute(params![day, number])?;
        }
        for (day, salt) in &self.fresh_salts {
            tx.execute("insert or ignore into salts (day, salt) values (?, ?)", params![day, salt])?;
        }
        Ok(())
    }

    pub(super) fn forget_fresh(&mut self) {
        self.fresh.clear();
        self.fresh_salts.clear();
    }
}

fn load(main: &Connection, day: i64) -> rusqlite::Result<Day> {
    let next = main.query_row("select next from visitor_days where day = ?", [day], |row| row.get(0)).optional()?;
    let mut statement = main.prepare_cached("select hash, number from visitors where day = ?")?;
    let numbers = statement.query_map([day], |row| Ok((row.get::<_, i64>(0)? as u64, row.get(1)?)))?;
    Ok(Day { numbers: numbers.collect::<Result<_, _>>()?, next: next.unwrap_or(FIRST_VISITOR + 1) })
}

pub(super) fn salts(main: &Connection) -> rusqlite::Result<Vec<(i64, Salt)>> {
    main.prepare("select day, salt from salts")?.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// Hashes and salts of days before yesterday mean nothing any more, and nobody can find out what they meant. Nor do
/// those of days to come, which a clock that jumped has left behind.
pub(super) fn forget_far_from(tx: &Connection, today: i64) -> rusqlite::Result<()> {
    // One range each: two in one statement would read the whole table.
    for sql in [
        "delete from visitors where day < ? - 1",
        "delete from visitors where day > ? + 1",
        "delete from salts where day < ? - 1",
        "delete from salts where day > ? + 1",
    ] {
        tx.prepare_cached(sql)?.execute([today])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visitors_of_a_day_that_was_let_go_before_they_were_written_keep_their_number() {
        let dir = tempfile::tempdir().unwrap();
        let main = super::super::schema::open(dir.path(), None).unwrap();
        let mut visitors = Visitors::default();
        let mut numbers = |hash: u64| (0..3 * DAYS as i64).map(|day| visitors.number(&main, day, hash, 1000).unwrap()).collect::<Vec<_>>();
        let (ann, bob) = (numbers(1), numbers(2));
        assert_eq!((numbers(1), numbers(2)), (ann.clone(), bob.clone()));
        assert!(ann.iter().all(|number| *number == FIRST_VISITOR + 1) && bob.iter().all(|number| *number == FIRST_VISITOR + 2));
        let tx = main.unchecked_transaction().unwrap();
        visitors.write_fresh(&tx).unwrap();
        tx.commit().unwrap();
        assert_eq!(load(&main, 0).unwrap().next, FIRST_VISITOR + 3);
    }
}

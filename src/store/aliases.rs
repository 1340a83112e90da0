//! Two ids, one person: which users count as which.

use std::collections::HashMap;

use roaring::RoaringBitmap;
use rusqlite::{Connection, OptionalExtension, params};

use super::connection::Context;
use crate::error::{Error, ErrorKind};

/// Users that count as another one. Applied to a set of users after sets were joined and before they are counted, so that
/// a merge is seen at once and on all old data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Aliases(HashMap<u32, u32>);

impl Aliases {
    pub(crate) fn load(main: &Connection) -> rusqlite::Result<Self> {
        let mut statement = main.prepare_cached("select user, into_user from aliases")?;
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>().map(Self)
    }

    /// Whom a user counts as.
    pub(crate) fn of(&self, user: u32) -> u32 {
        self.0.get(&user).copied().unwrap_or(user)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every number that counts as the person with this id; none if nobody has it.
    pub(crate) fn members_of(&self, main: &Connection, id: &str) -> rusqlite::Result<RoaringBitmap> {
        let number = main.prepare_cached("select number from users where id = ?")?.query_row([id], |row| row.get(0)).optional()?;
        Ok(number.map(|number| self.members(self.of(number))).unwrap_or_default())
    }

    /// Every number that counts as this person.
    pub(crate) fn members(&self, person: u32) -> RoaringBitmap {
        self.0.iter().filter(|(_, into)| **into == person).map(|(user, _)| *user).chain([person]).collect()
    }

    /// Whoever has more numbers than one.
    pub(crate) fn merged(&self) -> RoaringBitmap {
        self.0.values().copied().collect()
    }

    /// The set of people in a set of users.
    pub(crate) fn apply(&self, users: &mut RoaringBitmap) {
        let mut persons = Vec::new();
        for (user, into) in &self.0 {
            if users.remove(*user) {
                persons.push(*into);
            }
        }
        users.extend(persons);
    }
}

/// Counts the first of two ids as the second from now on; ids that counted as the first follow it.
pub(super) fn merge(main: &Connection, argument: &str) -> Result<(), Error> {
    let refused = |message: String| Error::new(ErrorKind::Config, message);
    let [from, into]: [String; 2] =
        serde_json::from_str(argument).map_err(|error| refused("a merge names two users".to_owned()).with_source(error))?;
    let number = |id: &str| {
        let found = main.query_row("select number from users where id = ?", [id], |row| row.get::<_, u32>(0)).optional();
        found.context("look up a user")?.ok_or_else(|| refused(format!("there is no user {id:?}")))
    };
    let (from_number, into_number) = (number(&from)?, number(&into)?);
    let aliases = Aliases::load(main).context("read aliases")?;
    let (from_person, person) = (aliases.of(from_number), aliases.of(into_number));
    if from_person == person {
        return Err(refused(format!("{from:?} and {into:?} count as one already")));
    }
    let write = || -> rusqlite::Result<()> {
        main.execute("update aliases set into_user = ?2 where into_user = ?1", params![from_person, person])?;
        main.execute("insert into aliases (user, into_user) values (?, ?)", params![from_person, person])?;
        Ok(())
    };
    write().context("write an alias")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merged_users_count_once_whatever_the_order_of_merging() {
        let dir = tempfile::tempdir().unwrap();
        let main = super::super::schema::open(dir.path(), None).unwrap();
        for (number, id) in ["a", "b", "c", "d"].iter().enumerate() {
            main.execute("insert into users (number, id, name, first_seen) values (?, ?, '', 0)", params![number as i64 + 2, id]).unwrap();
        }
        merge(&main, r#"["a", "b"]"#).unwrap();
        merge(&main, r#"["b", "c"]"#).unwrap();
        let mut users: RoaringBitmap = (2..6).collect();
        Aliases::load(&main).unwrap().apply(&mut users);
        assert_eq!(users.iter().collect::<Vec<_>>(), [4, 5]);
        let message = |argument| merge(&main, argument).unwrap_err().to_string();
        assert!(message(r#"["c", "a"]"#).contains("already"));
        assert!(message(r#"["a", "x"]"#).contains("no user \"x\""));
    }
}

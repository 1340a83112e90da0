use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::{access_db::AccessDb, passwords::PasswordHash};
use crate::{
    access::Role,
    error::{Error, ErrorKind},
};

/// Somebody who may sign in.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(super) id: i64,
    /// Exact, case and all.
    pub(crate) name: String,
    pub(crate) hash: PasswordHash,
    /// In order: `admin`, `mod`, and names that policies of ours ask for.
    pub(crate) roles: Vec<String>,
    pub(crate) is_disabled: bool,
    pub(super) version: i64,
}

const MAX_USERS: i64 = 10_000;
/// In bytes.
const MAX_NAME: usize = 256;
const MAX_ROLE: usize = 64;
const MAX_ROLES: usize = 32;

const COLUMNS: &str = "id, name, hash, roles, disabled, version";

pub(super) fn role_of(roles: &[String]) -> Role {
    let has = |name: &str| roles.iter().any(|role| role == name);
    match () {
        () if has("admin") => Role::Admin,
        () if has("mod") => Role::Mod,
        () => Role::User,
    }
}

impl AccessDb {
    /// A user by the exact name, disabled ones too.
    pub(crate) fn user(&self, name: &str) -> Result<Option<User>, Error> {
        self.read("look for a user", |tx| {
            tx.prepare_cached(&format!("select {COLUMNS} from users where name = ?"))?.query_row([name], user).optional()
        })
    }

    /// All, by name.
    pub(crate) fn users(&self) -> Result<Vec<User>, Error> {
        self.read("list the users", |tx| tx.prepare(&format!("select {COLUMNS} from users order by name"))?.query_map([], user)?.collect())
    }

    /// Whether anybody at all can sign in; without, there is no dashboard behind a sign-in.
    pub(crate) fn has_users(&self) -> Result<bool, Error> {
        self.read("look for users", |tx| tx.query_row("select exists (select 1 from users where disabled = 0)", [], |row| row.get(0)))
    }

    /// Names whose hashes are refused, such as after a restore from elsewhere; to be asked at the start.
    pub(crate) fn users_to_rehash(&self) -> Result<Vec<String>, Error> {
        let users = self.users()?.into_iter();
        Ok(users.filter(|user| PasswordHash::parse(user.hash.as_str()).is_err()).map(|user| user.name).collect())
    }

    /// Adds a user. There is none with this name yet.
    pub(crate) fn add_user(&self, name: &str, hash: &PasswordHash, roles: &[&str]) -> Result<(), Error> {
        check_name(name)?;
        let (hash, roles) = (PasswordHash::parse(hash.as_str())?, joined(roles)?);
        let added = self.write("add a user", |tx| {
            if tx.query_row("select count(*) from users", [], |row| row.get::<_, i64>(0))? >= MAX_USERS {
                return Ok(None);
            }
            let insert = "insert or ignore into users (name, hash, roles, disabled, version) values (?, ?, ?, 0, 0)";
            tx.execute(insert, params![name, hash.as_str(), roles]).map(Some)
        })?;
        match added {
            Some(1) => Ok(()),
            Some(_) => Err(wrong("there is a user of this name already".to_owned())),
            None => Err(Error::new(ErrorKind::Full, format!("there are {MAX_USERS} users already"))),
        }
    }

    /// Adds the very first user. `false` if there is one already, of whatever name.
    #[cfg(feature = "cli")]
    pub(crate) fn add_first_user(&self, name: &str, hash: &PasswordHash, roles: &[&str]) -> Result<bool, Error> {
        check_name(name)?;
        let (hash, roles) = (PasswordHash::parse(hash.as_str())?, joined(roles)?);
        let insert = "insert into users (name, hash, roles, disabled, version) select ?, ?, ?, 0, 0 where not exists (select 1 from users)";
        self.write("add the first user", |tx| Ok(tx.execute(insert, params![name, hash.as_str(), roles])? == 1))
    }

    /// Another password. It ends the user's sessions.
    pub(crate) fn set_password(&self, name: &str, hash: &PasswordHash) -> Result<(), Error> {
        let hash = PasswordHash::parse(hash.as_str())?;
        self.change(name, "change a password", |tx, id| tx.execute("update users set hash = ? where id = ?", params![hash.as_str(), id]))
    }

    /// The same password, hashed anew. Sessions go on. Nothing happens if the user was changed since.
    pub(crate) fn rehash(&self, user: &User, hash: &PasswordHash) -> Result<(), Error> {
        let hash = PasswordHash::parse(hash.as_str())?;
        let update = "update users set hash = ? where id = ? and version = ?";
        self.write("renew a password hash", |tx| tx.execute(update, params![hash.as_str(), user.id, user.version])).map(drop)
    }

    /// Other roles, in place of all that were. It ends the user's sessions.
    pub(crate) fn set_roles(&self, name: &str, roles: &[&str]) -> Result<(), Error> {
        let roles = joined(roles)?;
        self.change(name, "change roles", |tx, id| tx.execute("update users set roles = ? where id = ?", params![roles, id]))
    }

    /// Keeps a user out, or lets one in again. It ends the user's sessions.
    pub(crate) fn set_disabled(&self, name: &str, disabled: bool) -> Result<(), Error> {
        self.change(name, "disable or enable a user", |tx, id| {
            tx.execute("update users set disabled = ? where id = ?", params![disabled, id])
        })
    }

    /// Removes a user, sessions and all.
    pub(crate) fn remove_user(&self, name: &str) -> Result<(), Error> {
        self.change(name, "remove a user", |tx, id| tx.execute("delete from users where id = ?", [id]))
    }

    fn change(&self, name: &str, what: &str, change: impl FnOnce(&Transaction<'_>, i64) -> rusqlite::Result<usize>) -> Result<(), Error> {
        let found = self.write(what, |tx| {
            let id = tx.query_row("select id from users where name = ?", [name], |row| row.get::<_, i64>(0)).optional()?;
            if let Some(id) = id {
                tx.execute("delete from sessions where user = ?", [id])?;
                tx.execute("update users set version = version + 1 where id = ?", [id])?;
                change(tx, id)?;
            }
            Ok(id.is_some())
        })?;
        if found { Ok(()) } else { Err(wrong("there is no user of this name".to_owned())) }
    }
}

fn user(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User {
        id: row.get(0)?,
        name: row.get(1)?,
        hash: PasswordHash::stored(row.get(2)?),
        roles: split(&row.get::<_, String>(3)?),
        is_disabled: row.get(4)?,
        version: row.get(5)?,
    })
}

pub(super) fn split(roles: &str) -> Vec<String> {
    roles.split_ascii_whitespace().map(str::to_owned).collect()
}

fn joined(roles: &[&str]) -> Result<String, Error> {
    let is_name = |role: &&str| (1..=MAX_ROLE).contains(&role.len()) && role.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',');
    if roles.len() > MAX_ROLES || !roles.iter().all(is_name) {
        return Err(wrong(format!("roles are at most {MAX_ROLES} names of up to {MAX_ROLE} letters, digits or signs, without commas")));
    }
    let mut roles = roles.to_vec();
    roles.sort_unstable();
    roles.dedup();
    Ok(roles.join(" "))
}

/// What could not be typed, or would look like another name, is none.
fn check_name(name: &str) -> Result<(), Error> {
    let is_good = (1..=MAX_NAME).contains(&name.len()) && name.trim() == name && !name.chars().any(char::is_control);
    if is_good {
        Ok(())
    } else {
        Err(wrong(format!("a user's name has 1 to {MAX_NAME} bytes, no control characters, and no blanks around it")))
    }
}

fn wrong(message: String) -> Error {
    Error::new(ErrorKind::Question, message)
}

#[cfg(test)]
mod tests {
    use super::{
        super::testing::{hash, new, open},
        *,
    };

    #[test]
    fn a_user_is_found_by_the_exact_name_in_every_process() {
        let (db, directory, clock) = new();
        assert!(!db.has_users().unwrap());
        db.add_user("Ann", &hash("AAAA"), &["mod", "billing:read", "mod"]).unwrap();
        let other = open(directory.path(), &clock).unwrap();
        let user = other.user("Ann").unwrap().unwrap();
        assert_eq!(
            (user.name.as_str(), user.roles.as_slice(), role_of(&user.roles)),
            ("Ann", &["billing:read".to_owned(), "mod".to_owned()][..], Role::Mod)
        );
        assert!(other.has_users().unwrap() && user.hash == hash("AAAA") && !user.is_disabled);
        for name in ["ann", "Ann ", "An", "Ann%", "", "' or 1=1 --"] {
            assert!(other.user(name).unwrap().is_none(), "{name:?}");
        }
    }

    #[test]
    fn changes_are_seen_at_once_elsewhere() {
        let (db, directory, clock) = new();
        let other = open(directory.path(), &clock).unwrap();
        db.add_user("ann", &hash("AAAA"), &["admin"]).unwrap();
        other.set_password("ann", &hash("BBBB")).unwrap();
        other.set_roles("ann", &[]).unwrap();
        other.set_disabled("ann", true).unwrap();
        let ann = db.user("ann").unwrap().unwrap();
        assert_eq!(
            (ann.hash == hash("BBBB"), role_of(&ann.roles), ann.is_disabled, db.has_users().unwrap()),
            (true, Role::User, true, false)
        );
        other.set_disabled("ann", false).unwrap();
        assert!(db.has_users().unwrap());
        other.remove_user("ann").unwrap();
        assert!(db.users().unwrap().is_empty());
    }

    #[test]
    fn what_cannot_be_is_refused_in_words() {
        let (db, _directory, _) = new();
        db.add_user("ann", &hash("AAAA"), &[]).unwrap();
        let long = "n".repeat(MAX_NAME + 1);
        let many: Vec<_> = (0..=MAX_ROLES).map(|n| n.to_string()).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        for (outcome, part) in [
            (db.add_user("ann", &hash("AAAA"), &[]), "already"),
            (db.add_user("", &hash("AAAA"), &[]), "1 to 256"),
            (db.add_user(" ann", &hash("AAAA"), &[]), "blanks"),
            (db.add_user("a\nb", &hash("AAAA"), &[]), "control"),
            (db.add_user(&long, &hash("AAAA"), &[]), "256 bytes"),
            (db.add_user("bob", &hash("AAAA"), &["a b"]), "roles"),
            (db.add_user("bob", &hash("AAAA"), &["a,b"]), "roles"),
            (db.add_user("bob", &hash("AAAA"), &[""]), "roles"),
            (db.add_user("bob", &hash("AAAA"), &many), "roles"),
            (db.set_roles("bob", &[]), "no user"),
            (db.remove_user("bob"), "no user"),
        ] {
            let error = outcome.unwrap_err();
            assert!(error.kind() == ErrorKind::Question && error.to_string().contains(part), "{error}");
        }
        let weak = PasswordHash::stored("$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$MDEyMzQ1Njc4OWFiY2RlZg".to_owned());
        assert_eq!(db.add_user("bob", &weak, &[]).unwrap_err().kind(), ErrorKind::Config);
        assert_eq!(db.users().unwrap().len(), 1);
    }

    #[test]
    fn hashes_that_are_too_weak_are_named_at_the_start() {
        let (db, _directory, _) = new();
        db.add_user("ann", &hash("AAAA"), &[]).unwrap();
        db.add_user("bob", &hash("AAAA"), &[]).unwrap();
        db.write("spoil", |tx| tx.execute("update users set hash = '$2b$12$x' where name = 'bob'", [])).unwrap();
        assert_eq!(db.users_to_rehash().unwrap(), ["bob"]);
    }

    #[test]
    fn hashing_anew_does_not_undo_a_change_made_meanwhile() {
        let (db, _directory, _) = new();
        db.add_user("ann", &hash("AAAA"), &[]).unwrap();
        let seen = db.user("ann").unwrap().unwrap();
        db.rehash(&seen, &hash("BBBB")).unwrap();
        assert!(db.user("ann").unwrap().unwrap().hash == hash("BBBB"));
        db.set_password("ann", &hash("CCCC")).unwrap();
        db.rehash(&seen, &hash("DDDD")).unwrap();
        assert!(db.user("ann").unwrap().unwrap().hash == hash("CCCC"));
    }

    #[test]
    fn a_user_does_not_show_the_hash() {
        let (db, _directory, _) = new();
        db.add_user("ann", &hash("AAAA"), &["mod"]).unwrap();
        let shown = format!("{:?} {db:?}", db.user("ann").unwrap());
        assert!(shown.contains("ann") && !shown.contains('$'), "{shown}");
    }
}

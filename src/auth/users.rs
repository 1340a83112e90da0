use std::path::Path;

use super::signin::{
    access_db::AccessDb,
    passwords::{Password, PasswordHash, Passwords},
};
use crate::{
    clock::Clock,
    error::{Error, ErrorKind},
};

/// Who may sign in: the users in `access.db` of a data directory. What the command `tower-analytics user` does, for programs that set
/// themselves up.
///
/// It may be open in several processes at once, beside the servers that let these users in; they notice at the next request. All methods
/// block, those that take a password for some 20 ms.
///
/// ```
/// # fn main() -> Result<(), tower_analytics::Error> {
/// # let directory = tempfile::tempdir().unwrap();
/// use tower_analytics::auth::Users;
///
/// let users = Users::open(directory.path())?;                    // such as "analytics-data"
/// users.add("ann", "correct horse battery", ["admin"])?;
/// assert_eq!(users.list()?[0].name, "ann");
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Users {
    db: AccessDb,
    passwords: Passwords,
}

/// Somebody who may sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserEntry {
    /// Exact, case and all.
    pub name: String,
    /// In order: `admin` and `mod`, and any others that policies ask for.
    pub roles: Vec<String>,
    /// Kept out, and kept.
    pub disabled: bool,
}

impl Users {
    /// Opens `access.db` in the data directory, and makes it if need be, readable by its owner only.
    ///
    /// # Errors
    ///
    /// If it cannot be made, is damaged, or was written by a newer version.
    pub fn open(directory: impl AsRef<Path>) -> Result<Self, Error> {
        let db = AccessDb::open(directory.as_ref(), Clock::system(), super::Login::default().limits())?;
        Ok(Self { db, passwords: Passwords::new()? })
    }

    /// Adds a user. The password is taken as it is, at least 8 characters and at most 1024 bytes of it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Question`] if there is a user of this name, or the name, the password or a role cannot be one.
    pub fn add<'a>(&self, name: &str, password: &str, roles: impl IntoIterator<Item = &'a str>) -> Result<(), Error> {
        let hash = self.hash(password)?;
        self.db.add_user(name, &hash, &roles.into_iter().collect::<Vec<_>>())
    }

    /// Another password. It ends the user's sessions.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Question`] if there is no user of this name, or the password cannot be one.
    pub fn set_password(&self, name: &str, password: &str) -> Result<(), Error> {
        let hash = self.hash(password)?;
        self.db.set_password(name, &hash)
    }

    /// Other roles, in place of all that were. It ends the user's sessions.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Question`] if there is no user of this name, or a role cannot be one.
    pub fn set_roles<'a>(&self, name: &str, roles: impl IntoIterator<Item = &'a str>) -> Result<(), Error> {
        self.db.set_roles(name, &roles.into_iter().collect::<Vec<_>>())
    }

    /// Keeps a user out, or lets one in again. It ends the user's sessions.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Question`] if there is no user of this name.
    pub fn set_disabled(&self, name: &str, disabled: bool) -> Result<(), Error> {
        self.db.set_disabled(name, disabled)
    }

    /// Removes a user and ends their sessions.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Question`] if there is no user of this name.
    pub fn remove(&self, name: &str) -> Result<(), Error> {
        self.db.remove_user(name)
    }

    /// All, by name.
    ///
    /// # Errors
    ///
    /// If access.db cannot be read.
    pub fn list(&self) -> Result<Vec<UserEntry>, Error> {
        let entry = |user: super::signin::accounts::User| UserEntry { name: user.name, roles: user.roles, disabled: user.is_disabled };
        Ok(self.db.users()?.into_iter().map(entry).collect())
    }

    fn hash(&self, password: &str) -> Result<PasswordHash, Error> {
        let password = Password::chosen(password.to_owned()).map_err(|message| Error::new(ErrorKind::Question, message))?;
        self.passwords.hash(&password)
    }
}

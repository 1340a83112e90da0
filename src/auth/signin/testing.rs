use std::{
    path::Path,
    time::{Duration, SystemTime},
};

use super::{access_db::AccessDb, limits::SessionLimits, passwords::PasswordHash};
use crate::{clock::Clock, error::Error};

/// A new file, its directory, and the hand of its clock.
pub(super) fn new() -> (AccessDb, tempfile::TempDir, Clock) {
    let directory = tempfile::tempdir().unwrap();
    let clock = Clock::manual(SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000));
    (open(directory.path(), &clock).unwrap(), directory, clock)
}

/// As another process would.
pub(super) fn open(directory: &Path, clock: &Clock) -> Result<AccessDb, Error> {
    AccessDb::open(directory, clock.clone(), SessionLimits::default())
}

/// A hash that nobody's password has, told apart by its four letters.
pub(super) fn hash(mark: &str) -> PasswordHash {
    let text = format!("$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA${mark}2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZg");
    PasswordHash::parse(&text).unwrap()
}

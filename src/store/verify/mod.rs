//! Looking through a whole directory, a backup's too, without changing a byte of it: are the files sound, do they belong
//! together, and is everything that follows from raw hits what these say?
//!
//! What is derived is made once more, aside, by the code that makes it when hits are recorded, and compared cell by cell
//! (`walk.rs`, `derived.rs`). So a fault of that code itself is not found here; tests look for those.

mod archive;
mod derived;
mod dictionaries;
mod found;
mod integrity;
mod listed;
mod look;
mod part;
mod quick;
mod sessions;
mod walk;

use std::path::Path;

use rusqlite::Connection;

pub use self::found::{Fault, Verified};
use self::{found::Found, listed::Listed};
pub(crate) use self::{look::Look, quick::quick};
use super::{
    connection::{Context, main_file},
    schema::{VERSION, check_version},
};
use crate::error::{Error, ErrorKind};

/// How far a look has come, in hits; the bytes of files count as so many hits.
pub(super) struct Progress<'a> {
    pub(super) done: u64,
    total: u64,
    tell: &'a mut dyn FnMut(u64, u64),
}

/// Bytes that take about as long to check as one hit does to fold.
const BYTES_A_HIT: u64 = 200;

impl Progress<'_> {
    pub(super) fn add(&mut self, hits: u64) {
        self.done = (self.done + hits).min(self.total);
        (self.tell)(self.done, self.total);
    }

    fn add_file(&mut self, bytes: u64) {
        self.add(bytes / BYTES_A_HIT);
    }

    fn end(&mut self) {
        self.add(self.total - self.done);
    }
}

/// Looks through a directory. `tell` is given how much is done, of how much.
pub(crate) fn verify(directory: &Path, tell: &mut dyn FnMut(u64, u64)) -> Result<Verified, Error> {
    let mut look = Look::new(directory);
    let mut found = Found::default();
    let Some(main) = open(&mut look, directory, &mut found)? else { return Ok(found.into_verified(1, 0)) };
    let listed = match Listed::all(&main) {
        Ok(listed) => listed,
        Err(error) => {
            found.unreadable("analytics.db", "parts", &error);
            return Ok(found.into_verified(1, 0));
        }
    };
    let files = look.files(&listed)?;
    let bytes: u64 = files.iter().map(|file| look.bytes(file)).sum();
    let hits: u64 = listed.iter().map(|part| part.hits.unsigned_abs()).sum();
    let mut progress = Progress { done: 0, total: bytes / BYTES_A_HIT + hits, tell };
    for file in &files {
        integrity::check(&mut look, file, &listed, &mut found);
        progress.add_file(look.bytes(file));
    }
    let mut counted = 0;
    for part in &listed {
        // Each part as of one moment of its own: one moment for all would keep the log of a busy writer growing.
        let tx = main.unchecked_transaction().context("begin to read analytics.db")?;
        if let Some(part) = Listed::one(&tx, part.number).context("read the parts in analytics.db")? {
            let checked = part::check(&mut look, &tx, &part, &mut found, &mut progress);
            counted += found.of_main(checked).unwrap_or_default();
        }
    }
    let tx = main.unchecked_transaction().context("begin to read analytics.db")?;
    let checked = dictionaries::check(&tx, &mut found);
    found.of_file("analytics.db", "", checked);
    drop(tx);
    drop(main);
    look.finish()?;
    progress.end();
    Ok(found.into_verified(files.len() as u64, counted))
}

/// analytics.db; none, and a fault, if it cannot be read at all.
fn open(look: &mut Look, directory: &Path, found: &mut Found) -> Result<Option<Connection>, Error> {
    let Some(main) = found.of_file("analytics.db", "", look.open("analytics.db")) else { return Ok(None) };
    match check_version(&main, directory) {
        Ok(VERSION) => Ok(Some(main)),
        Ok(version) => {
            let message = format!(
                "{} is of schema {version}, and this program verifies {VERSION}: start a service on it once, that brings it to this version",
                main_file(directory).display()
            );
            Err(Error::new(ErrorKind::Config, message))
        }
        Err(error) if error.kind() == ErrorKind::NewerSchema => Err(error),
        Err(error) => Ok(found.of_main(Err(error))),
    }
}

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::MANIFEST;
use crate::error::{Error, ErrorKind};

/// Where a backup is made: beside its place, until it is whole.
pub(super) struct Place {
    to: PathBuf,
    partial: PathBuf,
    pub(super) replaced: bool,
    is_done: bool,
}

impl Place {
    /// Looks whether it can be made there; nothing is there yet.
    pub(super) fn new(from: &Path, to: &Path) -> Result<Self, Error> {
        let to = std::path::absolute(to).map_err(|error| refused(to, error))?;
        let Some((parent, name)) = to.parent().zip(to.file_name()) else {
            return Err(Error::new(ErrorKind::Config, "a backup needs a directory of its own: name one that is not there yet"));
        };
        fs::create_dir_all(parent).map_err(|error| refused(parent, error))?;
        let parent = parent.canonicalize().map_err(|error| refused(parent, error))?;
        let from = from.canonicalize().map_err(|error| refused(from, error))?;
        let to = parent.join(name);
        if to.starts_with(&from) {
            let message = format!("{} is in the data directory itself: name a place outside, best on another disk", to.display());
            return Err(Error::new(ErrorKind::Config, message));
        }
        let is_free = match fs::read_dir(&to) {
            Ok(mut entries) => entries.next().is_none(),
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        };
        if !is_free {
            let message = format!("{} is there already and not empty: name a directory that is not there yet", to.display());
            return Err(Error::new(ErrorKind::Config, message));
        }
        let mut partial = name.to_owned();
        partial.push(".partial");
        Ok(Self { to, partial: parent.join(partial), replaced: false, is_done: false })
    }

    /// Makes it, empty. What an earlier run has left is deleted, if it is one.
    pub(super) fn make(&mut self) -> Result<(), Error> {
        if self.partial.exists() {
            if !self.partial.join(MANIFEST).exists() {
                let message = format!("{} is in the way, and no backup that was broken off: move it away", self.partial.display());
                // Not ours to take away again.
                self.is_done = true;
                return Err(Error::new(ErrorKind::Config, message));
            }
            self.clear()?;
            self.replaced = true;
        }
        let make = || -> io::Result<()> {
            make_private(&self.partial)?;
            // Empty until all else is there: it says whose the directory is.
            fs::write(self.partial.join(MANIFEST), "")
        };
        make().map_err(|error| refused(&self.partial, error))
    }

    /// Before another try.
    pub(super) fn clear(&self) -> Result<(), Error> {
        // Last of all what says that it is ours.
        let all = || -> io::Result<()> {
            for entry in fs::read_dir(&self.partial)? {
                let entry = entry?;
                match entry.file_type()?.is_dir() {
                    true => fs::remove_dir_all(entry.path())?,
                    false if entry.file_name() == MANIFEST => {}
                    false => fs::remove_file(entry.path())?,
                }
            }
            fs::remove_file(self.partial.join(MANIFEST))?;
            fs::remove_dir(&self.partial)
        };
        all().map_err(|error| refused(&self.partial, error))
    }

    pub(super) fn partial(&self) -> &Path {
        &self.partial
    }

    /// All is there and on the disk: it gets its name.
    pub(super) fn finish(mut self) -> Result<PathBuf, Error> {
        let rename = || -> io::Result<()> {
            sync_directories(&self.partial)?;
            #[cfg(not(unix))]
            drop(fs::remove_dir(&self.to));
            fs::rename(&self.partial, &self.to)?;
            self.to.parent().map_or(Ok(()), sync_directory)
        };
        rename().map_err(|error| refused(&self.to, error))?;
        self.is_done = true;
        Ok(self.to.clone())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.is_done {
            drop(self.clear());
        }
    }
}

/// For its owner alone, as who may sign in stands in it.
pub(super) fn make_private(directory: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(directory)
}

/// A path in the directory, as it is everywhere.
pub(super) fn in_words(path: &Path) -> String {
    let names: Vec<_> = path.iter().map(|name| name.to_string_lossy()).collect();
    names.join("/")
}

fn sync_directories(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_directories(&entry.path())?;
        }
    }
    sync_directory(directory)
}

fn sync_directory(directory: &Path) -> io::Result<()> {
    #[cfg(unix)]
    fs::File::open(directory)?.sync_all()?;
    // Elsewhere a directory cannot be opened.
    #[cfg(not(unix))]
    let _ = directory;
    Ok(())
}

/// What the system says, with what to do about it.
pub(super) fn refused(place: &Path, error: io::Error) -> Error {
    let advice = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "the disk is full, make room or name another place",
        _ => "check that it is there and who owns it",
    };
    Error::new(ErrorKind::Directory, format!("cannot make a backup at {}: {advice}", place.display())).with_source(error)
}

/// An error if what is to be copied does not fit there.
pub(super) fn check_room(place: &Path, bytes: u64) -> Result<(), Error> {
    let Some(free) = room(place).filter(|free| *free < bytes) else { return Ok(()) };
    let (needed, place) = (bytes.div_ceil(1 << 20), place.display());
    let message = format!("the backup needs {needed} MiB, and {place} has {} MiB free: make room, or name another place", free >> 20);
    Err(Error::new(ErrorKind::Storage, message))
}

/// Whether there is hardly any room left: SQLite says of some writes no more than that they failed.
pub(super) fn is_full(place: &Path) -> bool {
    room(place).is_some_and(|free| free < 1 << 20)
}

/// Bytes that are free for us, if the system says so.
fn room(place: &Path) -> Option<u64> {
    #[cfg(unix)]
    return rustix::fs::statvfs(place).ok().map(|room| room.f_bavail.saturating_mul(room.f_frsize));
    #[cfg(not(unix))]
    None.filter(|_: &u64| place.exists())
}

/// Backups that lie where one would look for them: beside the directory, or one floor deeper.
#[cfg(feature = "cli")]
pub(crate) fn beside(directory: &Path) -> Vec<PathBuf> {
    let below = |directory: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(directory).into_iter().flatten().flatten();
        entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path()).collect()
    };
    let Some(parent) = directory.canonicalize().ok().and_then(|directory| Some(directory.parent()?.to_owned())) else { return Vec::new() };
    let beside = below(&parent);
    let deeper: Vec<PathBuf> = beside.iter().flat_map(|directory| below(directory)).collect();
    let mut backups: Vec<PathBuf> = beside.into_iter().chain(deeper).filter(|place| place.join(MANIFEST).exists()).collect();
    backups.sort();
    backups
}

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
};

use crate::error::{Error, ErrorKind};

/// One writer a directory. The lock is the operating system's: it ends with the process, however that ends.
#[derive(Debug)]
pub(super) struct Lock(#[allow(dead_code, reason = "held, not read")] File);

pub(super) fn lock_file(directory: &Path) -> PathBuf {
    directory.join("lock")
}

impl Lock {
    /// Takes the lock, or says that another has it with `None`.
    pub(super) fn take(directory: &Path) -> Result<Option<Self>, Error> {
        let refused = |error: std::io::Error| {
            let message = format!("cannot write in the data directory {}: check that it exists and who owns it", directory.display());
            Error::new(ErrorKind::Directory, message).with_source(error)
        };
        fs::create_dir_all(directory).map_err(refused)?;
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(lock_file(directory)).map_err(refused)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(refused(error)),
        }
    }
}

/// Whether nobody records in a directory just now. Nothing is made or kept for that.
pub(crate) fn is_free(directory: &Path) -> bool {
    let Ok(file) = File::open(lock_file(directory)) else { return true };
    !matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

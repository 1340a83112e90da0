use super::{Maintenance, Reset, Vacuumed};
use crate::{error::Error, store::Kind};

impl Maintenance {
    /// Gives back to the file system what is free in the files, while recording goes on.
    ///
    /// # Errors
    ///
    /// If the disk has no room for a second copy of `analytics.db`, somebody reads that for longer than a minute, the store refuses, or nobody
    /// records in the directory: nothing has changed then. Other files that have no room, are read for so long or are damaged are
    /// [`failed`](Vacuumed::failed), and stay as they were.
    pub fn vacuum(&self, progress: impl FnMut(u64, u64)) -> Result<Vacuumed, Error> {
        self.ask(Kind::Vacuum, "", progress)
    }

    /// Deletes everything that was recorded, archived months among it, and begins anew. Who may sign in stays, and what plugins keep. After
    /// a crash nothing or all of it is gone, once the directory is opened again.
    ///
    /// # Errors
    ///
    /// If a file cannot be deleted, the store refuses, or nobody records in the directory.
    pub fn reset(&self) -> Result<Reset, Error> {
        self.ask(Kind::Reset, "", |_, _| {})
    }
}

use std::path::PathBuf;

use super::{
    connection::Inode,
    connection::{gone, main_file},
    jobs::InHand,
    lock::Lock,
    opened::Opened,
    pending::Pending,
    settings::Settings,
    temp::TempDir,
    tend::Tending,
};
use crate::{
    error::{Error, ErrorKind},
    sink::{Batch, Checkpoint, LetGo, Resume, Sink},
};

/// The sink that writes SQLite.
///
/// Order of commits: new dictionary rows and the opening rows of sessions into analytics.db, then raw rows, then,
/// every few seconds, what follows from them together with the watermark.
pub(crate) struct Store {
    directory: PathBuf,
    settings: Settings,
    /// Closed before the lock is given up: fields are dropped in this order.
    opened: Option<Opened>,
    in_hand: InHand,
    tending: Tending,
    /// A raw file went away while it was open: what is in memory of it is in no file.
    is_short: bool,
    /// A batch that may be half in analytics.db, when that had to be let go: it is gone on with if it is the same file.
    left: Option<(Inode, Pending)>,
    lock: Option<Lock>,
    /// A test's directory; dropped after the files in it are closed.
    _owned: Option<TempDir>,
}

impl Store {
    pub(crate) fn new(directory: PathBuf, settings: Settings) -> Self {
        let (in_hand, tending) = (InHand::new(), Tending::new(&settings));
        Self { directory, settings, lock: None, opened: None, in_hand, tending, is_short: false, left: None, _owned: None }
    }

    pub(crate) fn owning(mut self, owned: Option<TempDir>) -> Self {
        self._owned = owned;
        self
    }

    fn open(&mut self) -> Result<Opened, Error> {
        let opened = Opened::open(&self.directory, &self.settings)?;
        // What was in hand is begun again, as the start has seen to.
        (self.in_hand, self.tending) = (InHand::new(), Tending::new(&self.settings));
        Ok(match self.left.take().filter(|(inode, _)| *inode == opened.inodes[0]) {
            Some((_, pending)) => opened.with_pending(pending.if_begun()),
            None => opened,
        })
    }

    /// With what is done besides recording.
    fn opened(&mut self) -> Result<(&mut Opened, &mut InHand, &mut Tending), Error> {
        if self.opened.as_ref().is_some_and(|opened| !opened.is_there(&self.directory)) {
            self.left = self.opened.take().map(|opened| (opened.inodes[0], opened.pending));
            (self.in_hand, self.lock) = (InHand::new(), None);
        }
        // Said again and again until it is opened anew: not every caller makes the writer begin again.
        let opened = self.opened.as_mut().ok_or_else(|| gone(&main_file(&self.directory)))?;
        Ok((opened, &mut self.in_hand, &mut self.tending))
    }

    /// The writer begins anew after this; what is in memory is believed all the same.
    fn noting(&mut self, result: Result<(), Error>) -> Result<(), Error> {
        self.is_short |= result.as_ref().is_err_and(|error| error.kind() == ErrorKind::Gone);
        result
    }
}

impl Sink for Store {
    fn ready(&mut self) -> Result<bool, Error> {
        if self.lock.is_none() {
            self.lock = Lock::take(&self.directory)?;
        }
        if self.lock.is_some() && self.opened.is_none() {
            let opened = self.open()?;
            self.opened = Some(opened);
        }
        Ok(self.lock.is_some())
    }

    fn resume(&mut self) -> Result<Resume, Error> {
        if let Some(opened) = self.opened.as_mut().filter(|_| self.is_short) {
            opened.keep_counts(&self.directory)?;
        }
        self.is_short = false;
        let fresh = match self.opened.take() {
            Some(opened) if opened.pending.batch == 0 => opened,
            // After a panic, or when a file went away, nothing in memory is believed, the files are: but for a batch that
            // may be half in them.
            Some(opened) => match self.open() {
                Ok(fresh) => fresh.with_pending(opened.pending.if_begun()),
                Err(error) => {
                    self.opened = Some(opened);
                    return Err(error);
                }
            },
            None => self.open()?,
        };
        let resume = fresh.resume()?;
        self.opened = Some(fresh);
        Ok(resume)
    }

    fn write(&mut self, batch: &Batch<'_>) -> Result<(), Error> {
        let (caps, directory) = (self.settings.caps, self.directory.clone());
        let written = self.opened()?.0.write(batch, &directory, caps);
        self.noting(written)
    }

    fn checkpoint(&mut self, checkpoint: &Checkpoint<'_>) -> Result<(), Error> {
        let directory = self.directory.clone();
        let (opened, in_hand, tending) = self.opened()?;
        let mut put_away = || {
            opened.come_to(checkpoint.now)?;
            tending.tend(opened, checkpoint.now, checkpoint.tick)?;
            in_hand.poll(opened, &directory)?;
            opened.checkpoint(checkpoint, &directory)
        };
        let put_away = put_away();
        self.noting(put_away)
    }

    fn idle(&mut self) -> Result<bool, Error> {
        let directory = self.directory.clone();
        let (opened, in_hand, _) = self.opened()?;
        in_hand.work(opened, &directory)
    }

    fn let_go(&mut self) -> LetGo {
        let let_go = self.opened.as_mut().map(|opened| std::mem::take(&mut opened.let_go)).unwrap_or_default();
        if let_go == LetGo::Everything {
            (self.in_hand, self.opened) = (InHand::new(), None);
        }
        let_go
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if let Some(opened) = &self.opened {
            self.in_hand.put_back(opened);
        }
    }
}

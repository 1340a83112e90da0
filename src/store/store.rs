use std::path::PathBuf;

use super::{
    batch::Pending,
    connection::Inode,
    connection::{gone, main_file},
    dictionary::Caps,
    import::OpenSource,
    lock::Lock,
    opened::Opened,
    temp::TempDir,
};
use crate::{
    aging::RetentionRules,
    clock::Millis,
    error::{Error, ErrorKind},
    sink::{Batch, Checkpoint, LetGo, Resume, Sink},
    zone::Zone,
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
    /// A raw file went away while it was open: what is in memory of it is in no file.
    is_short: bool,
    /// A batch that may be half in analytics.db, when that had to be let go: it is gone on with if it is the same file.
    left: Option<(Inode, Pending)>,
    lock: Option<Lock>,
    /// A test's directory; dropped after the files in it are closed.
    _owned: Option<TempDir>,
}

/// What shapes what is stored.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) caps: Caps,
    pub(crate) session_timeout: Millis,
    pub(crate) zone: Zone,
    /// Features and names of endpoints, as JSON: readers answer by them.
    pub(crate) shown: String,
    /// Opens what is to be imported; `None` in a build that cannot.
    pub(crate) open_source: Option<OpenSource>,
    /// What is imported into a directory that is new, as a job says it.
    pub(crate) first_import: Option<String>,
    /// What becomes of old months.
    pub(crate) retention: RetentionRules,
    /// Whether that is looked for by itself, once a day.
    pub(crate) tends: bool,
}

impl Store {
    pub(crate) fn new(directory: PathBuf, settings: Settings) -> Self {
        Self { directory, settings, lock: None, opened: None, is_short: false, left: None, _owned: None }
    }

    pub(crate) fn owning(self, owned: Option<TempDir>) -> Self {
        Self { _owned: owned, ..self }
    }

    fn open(&mut self) -> Result<Opened, Error> {
        let opened = Opened::open(&self.directory, &self.settings)?;
        Ok(match self.left.take().filter(|(inode, _)| *inode == opened.inodes[0]) {
            Some((_, pending)) => opened.with_pending(pending.if_begun()),
            None => opened,
        })
    }

    fn opened(&mut self) -> Result<&mut Opened, Error> {
        if self.opened.as_ref().is_some_and(|opened| !opened.is_there(&self.directory)) {
            self.left = self.opened.take().map(|opened| (opened.inodes[0], opened.pending));
            self.lock = None;
        }
        // Said again and again until it is opened anew: not every caller makes the writer begin again.
        self.opened.as_mut().ok_or_else(|| gone(&main_file(&self.directory)))
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
        let written = self.opened()?.write(batch, &directory, caps);
        self.noting(written)
    }

    fn checkpoint(&mut self, checkpoint: &Checkpoint<'_>) -> Result<(), Error> {
        let directory = self.directory.clone();
        let put_away = self.opened()?.checkpoint(checkpoint, &directory);
        self.noting(put_away)
    }

    fn idle(&mut self) -> Result<bool, Error> {
        let directory = self.directory.clone();
        self.opened()?.work(&directory)
    }

    fn let_go(&mut self) -> LetGo {
        let let_go = self.opened.as_mut().map(|opened| std::mem::take(&mut opened.let_go)).unwrap_or_default();
        if let_go == LetGo::Everything {
            self.opened = None;
        }
        let_go
    }
}

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel},
    thread,
    time::Duration,
};

use super::{
    known::Known,
    source::{End, Imported, OpenSource, Progress},
};
use crate::{
    error::{Error, ErrorKind},
    hit::SessionId,
};

/// Reads a source on a thread of its own, so that reading and storing go on side by side. It ends when nobody takes any more.
pub(super) struct Pump {
    portions: Receiver<Result<Portion, Error>>,
    /// Hits in use again and again.
    empty: Sender<Vec<Imported>>,
    pub(super) progress: Progress,
}

/// Hits that are stored in one slice.
#[derive(Default)]
pub(super) struct Portion {
    pub(super) hits: Vec<Imported>,
    /// How many of them are filled.
    pub(super) filled: usize,
    pub(super) ended: Vec<SessionId>,
    /// With the last portion.
    pub(super) end: Option<End>,
}

const PORTION: usize = 2_000;
/// Portions that wait at most.
const AHEAD: usize = 8;
/// The writer waits so long for a portion before it looks after what is recorded.
const PATIENCE: Duration = Duration::from_millis(5);

impl Pump {
    pub(super) fn start(open: OpenSource, argument: String, directory: &Path) -> Result<Self, Error> {
        let (progress, directory) = (Progress::default(), directory.to_owned());
        let (sender, portions) = sync_channel(AHEAD);
        let (empty, empties) = channel();
        let (seen, failed) = (progress.clone(), sender.clone());
        let read = move || {
            let result = catch_unwind(AssertUnwindSafe(|| pump(&open, &argument, &directory, &seen, &sender, &empties)));
            let panicked = || Err(Error::new(ErrorKind::Import, "reading the import panicked: please report it, with the file if you can"));
            if let Err(error) = result.unwrap_or_else(|_| panicked()) {
                // Nobody hears it who has given up.
                drop(failed.send(Err(error)));
            }
        };
        thread::Builder::new().name("tower-analytics-import".to_owned()).spawn(read)?;
        Ok(Self { portions, empty, progress })
    }

    /// `None`: nothing has come yet.
    pub(super) fn take(&self) -> Result<Option<Portion>, Error> {
        match self.portions.recv_timeout(PATIENCE) {
            Ok(portion) => portion.map(Some),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(Error::new(ErrorKind::Import, "reading the import ended too early")),
        }
    }

    pub(super) fn give_back(&self, hits: Vec<Imported>) {
        drop(self.empty.send(hits));
    }
}

fn pump(
    open: &OpenSource,
    argument: &str,
    directory: &Path,
    progress: &Progress,
    sender: &SyncSender<Result<Portion, Error>>,
    empties: &Receiver<Vec<Imported>>,
) -> Result<(), Error> {
    let mut source = (open.0)(argument, &Known::open(directory)?, progress)?;
    loop {
        let mut portion = Portion { hits: empties.try_recv().unwrap_or_default(), ..Portion::default() };
        portion.hits.resize_with(PORTION, Imported::default);
        while portion.filled < PORTION && source.next(&mut portion.hits[portion.filled])? {
            portion.filled += 1;
        }
        let is_last = portion.filled < PORTION;
        portion.ended = source.take_ended();
        if is_last {
            portion.end = Some(source.end());
        }
        if sender.send(Ok(portion)).is_err() || is_last {
            return Ok(());
        }
    }
}

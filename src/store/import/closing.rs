use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc::{Receiver, RecvTimeoutError, sync_channel},
    thread,
    time::Duration,
};

use crate::error::{Error, ErrorKind};

/// The end of a month's file, which for a large one takes seconds: hits go on being written meanwhile.
pub(super) struct Closing(Receiver<Result<(), Error>>);

/// The writer waits so long for it before it looks after what is recorded.
const PATIENCE: Duration = Duration::from_millis(5);

impl Closing {
    pub(super) fn start(close: impl FnOnce() -> Result<(), Error> + Send + 'static) -> Result<Self, Error> {
        let (sender, closed) = sync_channel(1);
        let panicked = || Err(Error::new(ErrorKind::Import, "finishing a file of the import panicked: please report it"));
        // Nobody hears it who has given up.
        let close = move || drop(sender.send(catch_unwind(AssertUnwindSafe(close)).unwrap_or_else(|_| panicked())));
        thread::Builder::new().name("tower-analytics-import".to_owned()).spawn(close)?;
        Ok(Self(closed))
    }

    /// `false`: not yet.
    pub(super) fn is_over(&self) -> Result<bool, Error> {
        match self.0.recv_timeout(PATIENCE) {
            Ok(closed) => closed.map(|()| true),
            Err(RecvTimeoutError::Timeout) => Ok(false),
            Err(RecvTimeoutError::Disconnected) => Err(Error::new(ErrorKind::Import, "finishing a file of the import ended too early")),
        }
    }
}

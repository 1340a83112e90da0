//! What takes seconds and needs none of what the writer holds, on a thread of its own: hits go on being written meanwhile.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc::{Receiver, RecvTimeoutError, sync_channel},
    thread,
    time::Duration,
};

use crate::error::{Error, ErrorKind};

pub(super) struct Beside(Receiver<Result<(), Error>>);

/// The writer waits so long for it before it looks after what is recorded.
const PATIENCE: Duration = Duration::from_millis(5);

impl Beside {
    pub(super) fn start(work: impl FnOnce() -> Result<(), Error> + Send + 'static) -> Result<Self, Error> {
        let (sender, over) = sync_channel(1);
        let panicked = || Err(Error::new(ErrorKind::Storage, "work beside the writer panicked: please report it"));
        // Nobody hears it who has given up.
        let work = move || drop(sender.send(catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| panicked())));
        thread::Builder::new().name("tower-analytics-work".to_owned()).spawn(work)?;
        Ok(Self(over))
    }

    /// `false`: not yet.
    pub(super) fn is_over(&self) -> Result<bool, Error> {
        match self.0.recv_timeout(PATIENCE) {
            Ok(over) => over.map(|()| true),
            Err(RecvTimeoutError::Timeout) => Ok(false),
            Err(RecvTimeoutError::Disconnected) => Err(Error::new(ErrorKind::Storage, "work beside the writer ended too early")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(beside: &Beside) -> Result<(), Error> {
        while !beside.is_over()? {}
        Ok(())
    }

    #[test]
    fn it_goes_on_beside_and_says_how_it_ended() {
        let (go, going) = sync_channel::<()>(0);
        let beside = Beside::start(move || going.recv().map_err(|_| Error::new(ErrorKind::Storage, "not told to go"))).unwrap();
        assert!(!beside.is_over().unwrap());
        go.send(()).unwrap();
        ended(&beside).unwrap();
        let failed = Beside::start(|| Err(Error::new(ErrorKind::Storage, "no room"))).unwrap();
        assert_eq!(ended(&failed).unwrap_err().to_string(), "no room");
        let panicked = Beside::start(|| panic!("on purpose")).unwrap();
        assert!(ended(&panicked).unwrap_err().to_string().contains("panicked"));
    }
}

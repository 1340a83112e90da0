use std::path::Path;

use serde_json::Value;

use crate::{error::Error, store::opened::Opened};

/// Long work: a slice of a few milliseconds at a time, between batches. After an error it is given up.
pub(in crate::store) trait Work: Send {
    fn slice(&mut self, opened: &mut Opened, directory: &Path) -> Result<Step, Error>;

    /// Takes back what it has left behind, after an error.
    fn give_up(&mut self, opened: &mut Opened, directory: &Path) {
        let _ = (opened, directory);
    }
}

/// How far a slice has brought it.
pub(in crate::store) enum Step {
    More {
        done: i64,
        total: i64,
    },
    /// Nothing can be done before the next batch.
    Wait,
    Done(Value),
    /// For some files it could not be done; the message says which.
    DoneBut {
        result: Value,
        message: String,
    },
}

//! Work on several files goes on when one of them fails: what came of it says which, and why.

use std::fmt::Display;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Step;
use crate::error::{Error, ErrorKind};

/// A file for which work could not be done, though it was for others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FailedFile {
    /// Its name in the data directory, such as `analytics-202611.db`.
    pub file: String,
    /// Why, and what to do.
    pub why: String,
}

pub(super) fn note(failed: &mut Vec<FailedFile>, file: impl Display, error: &Error) {
    let (file, why) = (file.to_string(), error.chain());
    tracing::error!(file, why, "work that was asked for could not be done for a file, and goes on with the others");
    failed.push(FailedFile { file, why });
}

/// The last step: what came of it. An error if nothing was done.
pub(super) fn end(done: usize, failed: &[FailedFile], result: Value) -> Result<Step, Error> {
    match failed {
        [] => Ok(Step::Done(result)),
        [only] if done == 0 => Err(Error::new(ErrorKind::Storage, only.why.clone())),
        _ if done == 0 => Err(Error::new(ErrorKind::Storage, in_words(failed))),
        _ => Ok(Step::DoneBut { result, message: in_words(failed) }),
    }
}

/// For people: which files, and why.
pub(crate) fn in_words(failed: &[FailedFile]) -> String {
    let mut words: Vec<String> = failed.iter().take(NAMED).map(|FailedFile { file, why }| format!("{file}: {why}")).collect();
    if failed.len() > NAMED {
        words.push(format!("and {} more", failed.len() - NAMED));
    }
    let files = if failed.len() == 1 { "1 file".to_owned() } else { format!("{} files", failed.len()) };
    format!("it could not be done for {files}: {}", words.join("; "))
}

/// More are only counted.
const NAMED: usize = 20;

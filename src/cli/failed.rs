use crate::{
    error::{Error, ErrorKind},
    maintenance::{FailedFile, in_words},
};

/// After what was done was printed: an error that names the files for which it could not be done.
pub(super) fn none(failed: &[FailedFile]) -> Result<(), Error> {
    if failed.is_empty() { Ok(()) } else { Err(Error::new(ErrorKind::Job, in_words(failed))) }
}

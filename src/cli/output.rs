use std::{
    fmt::Display,
    io::{self, Write},
};

use crate::error::{Error, ErrorKind};

/// One line for whoever or whatever reads the output. A reader that has gone, such as `head`, is no fault; a full disk is one.
pub(super) fn line(text: impl Display) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::new(ErrorKind::Storage, "the output cannot be written").with_source(error))
        }
        _ => Ok(()),
    }
}

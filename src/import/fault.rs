use std::{io, path::Path};

use crate::error::{Error, ErrorKind};

/// An error about an import: what, where, and the way out.
pub(super) fn fault(message: String) -> Error {
    Error::new(ErrorKind::Import, message)
}

pub(super) fn unreadable(file: &Path, error: io::Error) -> Error {
    let advice = match error.kind() {
        io::ErrorKind::NotFound => "look at how the path is spelt",
        io::ErrorKind::PermissionDenied => "let this user read it",
        _ => "see that the disk and the file are whole, then import again",
    };
    fault(format!("cannot read {}: {advice}", file.display())).with_source(error)
}

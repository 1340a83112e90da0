use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use super::output;
use crate::error::{Error, ErrorKind};

/// Has something written to a file or, without one, to the standard output. A reader that has gone, such as `head`, ends it quietly.
/// A file stands there once it is whole; what it holds is about people, so others may not read it.
pub(super) fn write<T>(file: Option<&Path>, work: impl FnOnce(&mut dyn Write) -> Result<T, Error>) -> Result<Option<T>, Error> {
    let Some(file) = file else {
        let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
        return match work(&mut out) {
            Err(error) if is_gone(&error) => {
                // What is left in it has no reader.
                let _ = out.into_parts();
                Ok(None)
            }
            result => result.map(Some),
        };
    };
    let refused = |error: io::Error| Error::new(ErrorKind::Output, format!("cannot write {}", file.display())).with_source(error);
    let aside = aside(file);
    let mut out = BufWriter::with_capacity(1 << 16, create(&aside).map_err(refused)?);
    let written = work(&mut out).and_then(|value| {
        out.flush().and_then(|()| out.get_ref().sync_all()).and_then(|()| fs::rename(&aside, file)).map_err(refused)?;
        Ok(Some(value))
    });
    if !matches!(written, Ok(Some(_))) {
        drop(fs::remove_file(&aside));
    }
    written
}

fn aside(file: &Path) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    file.with_file_name(name)
}

fn create(file: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)
}

fn is_gone(error: &Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// A word on what was written where, for people.
pub(super) fn say(file: Option<&Path>, quiet: bool, what: &str) {
    if let Some(file) = file.filter(|_| !quiet) {
        output::note(format!("{what} in {}", file.display()));
    }
}

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    place::{in_words, make_private, refused},
    taking::Taking,
};
use crate::{
    error::Error,
    sink::Salt,
    store::{
        archive::{Archived, Unpack, cannot},
        part::{Part, PartState},
    },
};

/// What was put away, as it is in the copy.
#[derive(Default)]
pub(super) struct Archives {
    /// Files that lay elsewhere, by their paths in the copy.
    pub(super) fetched: Vec<PathBuf>,
    /// Months whose raw hits are not in the copy, or damaged there, and why.
    pub(super) missed: Vec<(String, String)>,
}

impl Taking<'_> {
    /// Copies what was put away elsewhere, says in `parts` where it lies now, and reads all that was put away once more, as if it were to
    /// come back. What is wrong with one month is said, and no reason to have no copy of the others.
    pub(super) fn archives(&mut self, parts: &mut [Part]) -> Result<Archives, Error> {
        let mut archives = Archives::default();
        let with = self.with_archives;
        for part in parts.iter_mut().filter(|_| with) {
            let is_needed = part.state == PartState::Archived;
            let wrong = match &mut part.archived {
                Some(archived) => {
                    let from = archived.file(self.from);
                    match self.fetch(archived)? {
                        Ok(fetched) => {
                            archives.fetched.extend(fetched);
                            (!self.is_whole(archived, &part.file_id)).then(|| damaged(&from))
                        }
                        Err(error) => Some(error),
                    }
                }
                None => Some(format!("analytics.db does not say where {} was put", part.key)),
            };
            // Of others the raw file is here as well.
            archives.missed.extend(wrong.filter(|_| is_needed).map(|wrong| (part.month.to_string(), wrong)));
        }
        Ok(archives)
    }

    /// The path of what came, if it lay elsewhere; or what is wrong with what is to be copied.
    fn fetch(&mut self, archived: &mut Archived) -> Result<Result<Option<PathBuf>, String>, Error> {
        let from = archived.file(self.from);
        if !from.exists() {
            return Ok(Err(format!("{} is not there: mount the disk that it is on, or put it back", from.display())));
        }
        let place = Path::new(&archived.place);
        let Some(name) = from.file_name().filter(|_| place.is_absolute() || !self.to.join(place).exists()) else { return Ok(Ok(None)) };
        // A directory of the data directory's own, by another name than ours, is one in the copy as well.
        let mut path = if place.is_absolute() { Path::new("archive").join(name) } else { place.to_owned() };
        if self.to.join(&path).exists() {
            // Somebody's by the same name, from the data directory.
            path = Path::new("archive/elsewhere").join(name);
        }
        let to = self.to.join(&path);
        to.parent().map_or(Ok(()), make_private).map_err(|error| refused(&to, error))?;
        match fs::copy(&from, &to) {
            Ok(bytes) => self.tell(bytes),
            Err(error) if is_of_the_target(&error) => return Err(refused(&to, error)),
            Err(error) => {
                drop(fs::remove_file(&to));
                return Ok(Err(cannot(&format!("read {}", from.display()), error).chain()));
            }
        }
        archived.place = in_words(&path);
        Ok(Ok(Some(path)))
    }

    /// Whether the copy holds the very file that was put away.
    fn is_whole(&self, archived: &Archived, file_id: &Salt) -> bool {
        let read = || -> Result<(), Error> {
            let mut unpack = Unpack::begin(&archived.file(self.to), archived, file_id, None)?;
            while unpack.slice()? > 0 {}
            unpack.finish()
        };
        read().is_ok()
    }
}

fn damaged(archive: &Path) -> String {
    format!("{} is damaged, or holds something else: bring it back from an earlier backup", archive.display())
}

fn is_of_the_target(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge)
}

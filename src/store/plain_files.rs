//! Files of the directory that SQLite has nothing to do with.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Raw files that were put away.
pub(super) fn archived_files(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = below(&directory.join("archive"))?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "zst"));
    Ok(files)
}

/// What plugins keep.
pub(super) fn files_of_plugins(directory: &Path) -> io::Result<Vec<PathBuf>> {
    below(&directory.join("plugins"))
}

/// All files below a directory, in order; none if there is no such directory.
pub(super) fn below(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let (mut files, mut waiting) = (Vec::new(), vec![directory.to_owned()]);
    while let Some(directory) = waiting.pop() {
        let entries = match fs::read_dir(&directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            // A link leads elsewhere: what is there is not ours.
            match entry.file_type()? {
                kind if kind.is_dir() => waiting.push(entry.path()),
                kind if kind.is_file() => files.push(entry.path()),
                _ => {}
            }
        }
    }
    files.sort();
    Ok(files)
}

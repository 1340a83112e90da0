use std::{
    ffi::OsStr,
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
};

use crate::{
    error::Error,
    import::fault::{fault, unreadable},
};

/// A file to read.
#[derive(Debug)]
pub(super) struct LegacyFile {
    pub(super) path: PathBuf,
    pub(super) form: Form,
    pub(super) bytes: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Sessions, or errors.
    Json,
    /// When users were last seen.
    Usage,
    Sqlite,
}

/// Files as they are named, and of directories what the panel put there. Each once.
pub(super) fn all_of(paths: &[PathBuf]) -> Result<Vec<LegacyFile>, Error> {
    let mut files: Vec<LegacyFile> = Vec::new();
    for path in paths {
        let about = fs::metadata(path).map_err(|error| unreadable(path, error))?;
        let named = if about.is_dir() { within(path)? } else { vec![path.clone()] };
        for path in named {
            let file = look(path)?;
            if !files.iter().any(|known| same(&known.path, &file.path)) {
                files.push(file);
            }
        }
    }
    Ok(files)
}

const NAMES: [&str; 4] = ["app_analytics.json", "error_analytics.json", "app_usage.json", "analytics.db"];

fn within(directory: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut found = Vec::new();
    let archive = directory.join("analytics_archive");
    // A directory may be the archive itself.
    for directory in [&archive, directory] {
        let entries = match fs::read_dir(directory) {
            Ok(entries) => entries,
            Err(_) if directory == archive && !archive.exists() => continue,
            Err(error) => return Err(unreadable(directory, error)),
        };
        for entry in entries {
            let path = entry.map_err(|error| unreadable(directory, error))?.path();
            if path.file_name().and_then(OsStr::to_str).is_some_and(is_month) && path.is_file() {
                found.push(path);
            }
        }
    }
    found.sort();
    found.extend(NAMES.map(|name| directory.join(name)).into_iter().filter(|path| path.is_file()));
    if found.is_empty() {
        return Err(fault(format!(
            "{} holds nothing to import: it should have app_analytics.json, analytics_archive/2025-12.json, error_analytics.json, app_usage.json or analytics.db",
            directory.display()
        )));
    }
    Ok(found)
}

/// `2025-12.json`
fn is_month(name: &str) -> bool {
    let shape = b"dddd-dd.json";
    name.len() == shape.len()
        && name.bytes().zip(shape).all(|(have, want)| if *want == b'd' { have.is_ascii_digit() } else { have == *want })
}

fn look(path: PathBuf) -> Result<LegacyFile, Error> {
    let mut start = [0; 16];
    let opened = File::open(&path).and_then(|mut file| {
        let about = file.metadata()?;
        let mut read = 0;
        while read < start.len() {
            match file.read(&mut start[read..])? {
                0 => break,
                more => read += more,
            }
        }
        Ok(about.len())
    });
    let bytes = opened.map_err(|error| unreadable(&path, error))?;
    let usage = path.file_name().and_then(OsStr::to_str).is_some_and(|name| name.contains("app_usage"));
    let form = match &start {
        b"SQLite format 3\0" => Form::Sqlite,
        _ if usage => Form::Usage,
        _ => Form::Json,
    };
    Ok(LegacyFile { path, form, bytes })
}

fn same(one: &Path, other: &Path) -> bool {
    one == other || matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_gives_what_the_panel_put_there_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("analytics_archive")).unwrap();
        for name in ["app_analytics.json", "app_usage.json", "notes.json", "analytics_archive/2025-11.json", "analytics_archive/old.json"] {
            fs::write(dir.path().join(name), "{}").unwrap();
        }
        fs::write(dir.path().join("analytics.db"), "SQLite format 3\0...").unwrap();
        let paths = [dir.path().to_owned(), dir.path().join("./app_usage.json")];
        let found: Vec<_> = all_of(&paths).unwrap().into_iter().map(|file| (file.path, file.form)).collect();
        let expected = [
            ("analytics_archive/2025-11.json", Form::Json),
            ("app_analytics.json", Form::Json),
            ("app_usage.json", Form::Usage),
            ("analytics.db", Form::Sqlite),
        ];
        assert_eq!(found, expected.map(|(name, form)| (dir.path().join(name), form)));
    }

    #[test]
    fn paths_without_anything_to_import_say_what_is_looked_for() {
        let dir = tempfile::tempdir().unwrap();
        assert!(all_of(&[dir.path().to_owned()]).unwrap_err().to_string().contains("app_analytics.json"));
        let error = all_of(&[dir.path().join("gone.json")]).unwrap_err();
        assert!(error.to_string().contains("gone.json: look at how the path is spelt"), "{error}");
    }
}

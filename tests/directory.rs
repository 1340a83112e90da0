//! A directory that cannot be used is said at the start, in one sentence with the way out.

mod common;

use std::{collections::BTreeMap, fs, path::Path, process::Command, time::Duration};

use common::{as_child, child, parts};
use rusqlite::Connection;
use tower_analytics::{Analytics, Ask, Clock, ErrorKind, Hit};

/// A directory with ten hits, as a clean stop leaves it.
fn filled() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let clock = Clock::manual(std::time::UNIX_EPOCH + Duration::from_secs(1_767_225_600));
    let analytics = Analytics::builder(directory.path()).clock(clock).build().unwrap();
    (0..10).for_each(|_| analytics.record(&Hit::new("GET", "/items")));
    analytics.shutdown(Duration::from_secs(10)).unwrap();
    directory
}

/// It is refused, and so again; the message is one sentence that begins in lower case or with the path, and says what to do.
#[track_caller]
fn refused(directory: &Path, kind: ErrorKind, what_to_do: &str) {
    for _ in 0..2 {
        let error = Analytics::open(directory).map(drop).unwrap_err();
        let message = error.to_string();
        assert_eq!(error.kind(), kind, "{error:?}");
        assert!(!error.is_retryable() && message.contains(what_to_do), "{error:?}");
        assert!(message.starts_with(|c: char| c.is_lowercase() || c == '/') && !message.ends_with('.'), "{message}");
    }
}

fn hits(directory: &Path) -> u64 {
    let analytics = Analytics::open(directory).unwrap();
    analytics.flush().unwrap();
    analytics.reports().stats(&Ask::all_time()).unwrap().total_hits
}

fn bytes(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap());
    let content = |entry: fs::DirEntry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap());
    files.map(content).collect()
}

#[test]
fn a_file_in_the_directorys_place_or_above_it_is_said() {
    let file = tempfile::NamedTempFile::new().unwrap();
    refused(file.path(), ErrorKind::Directory, "check that it exists and who owns it");
    refused(&file.path().join("data"), ErrorKind::Directory, "check that it exists and who owns it");
}

/// Permissions do not bind root, so root looks as somebody else.
#[test]
#[cfg(unix)]
fn a_directory_that_may_not_be_written_is_said() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    if let Some(directory) = as_child() {
        refused(&directory.join("empty"), ErrorKind::Directory, "who owns it");
        refused(&directory.join("filled"), ErrorKind::Directory, "who owns it");
        return refused(&directory.join("half"), ErrorKind::Directory, "who owns");
    }
    let directory = tempfile::tempdir().unwrap();
    set(directory.path(), 0o755);
    fs::create_dir(directory.path().join("empty")).unwrap();
    for name in ["filled", "half"] {
        fs::rename(filled().keep(), directory.path().join(name)).unwrap();
        set(&directory.path().join(name).join("analytics.db"), 0o444);
    }
    for name in ["empty", "filled"] {
        set(&directory.path().join(name), 0o555);
    }
    // Only the files are not ours.
    set(&directory.path().join("half"), 0o777);
    set(&directory.path().join("half").join("lock"), 0o666);
    let root = fs::metadata(directory.path()).unwrap().uid() == 0;
    let through: &[&str] = if root { &["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] } else { &["env"] };
    let exe = directory.path().join("test");
    fs::copy(std::env::current_exe().unwrap(), &exe).unwrap();
    set(&exe, 0o755);
    let mut command: Command = child(through, &exe, "a_directory_that_may_not_be_written_is_said", directory.path());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_damaged_analytics_db_is_said_and_moving_all_away_helps() {
    let directory = filled();
    let main = directory.path().join("analytics.db");
    fs::write(&main, "this is no database ".repeat(1000)).unwrap();
    refused(directory.path(), ErrorKind::Directory, "restore it from a backup, or move the whole directory away to begin anew");
    fs::write(&main, "").unwrap();
    refused(directory.path(), ErrorKind::Directory, "restore it, or move these files away to begin anew");
    fs::remove_file(&main).unwrap();
    refused(directory.path(), ErrorKind::Directory, "restore it, or move these files away to begin anew");
    fs::rename(directory.path().join("analytics-202601.db"), directory.path().join("old")).unwrap();
    assert_eq!(hits(directory.path()), 0);
}

#[test]
fn a_damaged_part_is_said_and_moving_it_away_helps() {
    let directory = filled();
    let part = parts(directory.path()).remove(0).1;
    let good = fs::read(&part).unwrap();
    fs::write(&part, "this is no database ".repeat(1000)).unwrap();
    refused(directory.path(), ErrorKind::Directory, "analytics-202601.db, the file is damaged, restore it from a backup or move it away");
    // The middle alone: seen when it is read.
    let mut torn = good.clone();
    torn[4096..].fill(0xa5);
    fs::write(&part, torn).unwrap();
    refused(directory.path(), ErrorKind::Directory, "analytics-202601.db, the file is damaged, restore it from a backup or move it away");
    fs::rename(&part, directory.path().join("bad")).unwrap();
    assert_eq!(hits(directory.path()), 10, "it goes on without that month's raw hits; what was counted of them stays");
    fs::write(&part, good).unwrap();
    assert_eq!(hits(directory.path()), 10, "and has it again when it is restored");
    fs::write(&part, "").unwrap();
    assert_eq!(hits(directory.path()), 10, "an emptied one is one that is gone, and no fault");
}

#[test]
fn a_directory_from_a_newer_version_is_left_as_it_is() {
    for journal in ["delete", "wal", "left behind"] {
        let directory = filled();
        let main = Connection::open(directory.path().join("analytics.db")).unwrap();
        let version: i64 = main.query_row("pragma user_version", [], |row| row.get(0)).unwrap();
        main.pragma_update(None, "user_version", version + 1).unwrap();
        let copy = tempfile::tempdir().unwrap();
        if journal == "left behind" {
            // As after a crash: the version stands in the WAL alone.
            for name in ["analytics.db", "analytics.db-wal", "analytics-202601.db", "lock"] {
                fs::copy(directory.path().join(name), copy.path().join(name)).unwrap();
            }
        } else {
            main.pragma_update(None, "journal_mode", journal).unwrap();
        }
        drop(main);
        let directory = if journal == "left behind" { copy } else { directory };
        let before = bytes(directory.path());
        refused(directory.path(), ErrorKind::NewerSchema, "update this program, or point it at another directory");
        let mut after = bytes(directory.path());
        // Memory that readers share, made anew by each that comes; and a log in which nothing stands.
        after.remove("analytics.db-shm");
        after.retain(|name, content| before.contains_key(name) || !content.is_empty());
        assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>(), "{journal}");
        assert!(before == after, "{journal}: a file has changed");
    }
}

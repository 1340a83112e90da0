//! Who records: whoever holds the lock.

use std::path::Path;

use crate::store::is_free;

/// Who holds the lock, in words; none if nobody does.
pub(super) fn of(directory: &Path) -> Option<String> {
    if is_free(directory) {
        return None;
    }
    Some(process(&directory.join("lock")).map_or_else(
        || "somebody records here".to_owned(),
        |(pid, name)| format!("process {pid}{} records here", name.map(|name| format!(" ({name})")).unwrap_or_default()),
    ))
}

/// What the kernel knows of a lock: `1: FLOCK  ADVISORY  WRITE 4711 08:01:393218 0 EOF`. In a container it may not know the process.
#[cfg(target_os = "linux")]
fn process(lock: &Path) -> Option<(u32, Option<String>)> {
    let inode = std::os::unix::fs::MetadataExt::ino(&std::fs::metadata(lock).ok()?).to_string();
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    let pid = locks.lines().find_map(|line| {
        let mut words = line.split_whitespace().skip(1);
        let (kind, _, mode, pid, place) = (words.next()?, words.next()?, words.next()?, words.next()?, words.next()?);
        let is_it = kind == "FLOCK" && mode == "WRITE" && place.rsplit(':').next() == Some(&inode);
        pid.parse::<u32>().ok().filter(|pid| is_it && *pid > 0)
    })?;
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).ok();
    Some((pid, name.map(|name| name.trim_end().to_owned())))
}

#[cfg(not(target_os = "linux"))]
fn process(_: &Path) -> Option<(u32, Option<String>)> {
    None
}

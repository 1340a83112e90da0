//! What the operating system says: rights, owners, space, logs that grow.

use std::{
    fs::{self, Metadata},
    path::Path,
};

use super::{Finding, Severity};
use crate::report::parts::PartRow;

pub(super) fn is_there(directory: &Path, findings: &mut Vec<Finding>) -> bool {
    let refused = match fs::read_dir(directory) {
        Ok(_) => return true,
        Err(error) => error,
    };
    let what = format!("the directory {} cannot be read: {refused}", directory.display());
    findings.push(Finding::new(Severity::Problem, "directory", what, "check --data, and who owns the directory"));
    false
}

/// A writer keeps logs below 32 MiB, but for a moment.
const LARGE_LOG: u64 = 64 << 20;

pub(super) fn files(directory: &Path, is_recording: bool, findings: &mut Vec<Finding>) {
    rights(directory, is_recording, findings);
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries.filter_map(Result::ok) {
        let (name, Ok(meta)) = (entry.file_name().to_string_lossy().into_owned(), entry.metadata()) else { continue };
        if name.ends_with("-wal") && meta.len() > LARGE_LOG {
            let what = format!("{name} has {} MB", meta.len() >> 20);
            let remedy = match is_recording {
                true => "a reader that never ends keeps it from being moved into its file: end it, or restart the service",
                false => "start the service once, or stop whoever has it open: it is moved into its file then",
            };
            findings.push(Finding::new(Severity::Warning, "large_log", what, remedy));
        }
        if name == "access.db" || name == "access.db-wal" {
            private(&name, &meta, findings);
        }
    }
}

#[cfg(unix)]
fn private(name: &str, meta: &Metadata, findings: &mut Vec<Finding>) {
    let mode = std::os::unix::fs::PermissionsExt::mode(&meta.permissions()) & 0o777;
    if mode & 0o077 != 0 {
        let what = format!("{name} holds the sign-in, and others may open it: its mode is {mode:o}");
        findings.push(Finding::new(Severity::Problem, "access_mode", what, format!("chmod 600 {name}; a service that starts does so too")));
    }
}

#[cfg(not(unix))]
fn private(_: &str, _: &Metadata, _: &mut Vec<Finding>) {}

#[cfg(unix)]
fn rights(directory: &Path, is_recording: bool, findings: &mut Vec<Finding>) {
    use std::os::unix::fs::MetadataExt;

    use rustix::fs::{Access, StatVfsMountFlags};

    let is_read_only = rustix::fs::statvfs(directory).is_ok_and(|stat| stat.f_flag.contains(StatVfsMountFlags::RDONLY));
    let severity = if is_recording { Severity::Note } else { Severity::Problem };
    if is_read_only {
        let remedy = "mount it for writing; reports and verify work as it is";
        findings.push(Finding::new(Severity::Problem, "read_only", "the file system is read-only: nothing can be recorded", remedy));
    } else if rustix::fs::access(directory, Access::WRITE_OK | Access::EXEC_OK).is_err() {
        let me = rustix::process::geteuid().as_raw();
        let what = format!("this user ({me}) cannot write in {}", directory.display());
        findings.push(Finding::new(severity, "rights", what, "run this as the user of the service, or give the directory to that user"));
    }
    let Ok(owner) = fs::metadata(directory).map(|meta| meta.uid()) else { return };
    let Ok(entries) = fs::read_dir(directory) else { return };
    let is_foreign = |entry: fs::DirEntry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_ours = name.contains(".db") || name == "lock";
        entry.metadata().ok().filter(|meta| is_ours && meta.uid() != owner).map(|meta| format!("{name} ({})", meta.uid()))
    };
    let mut foreign: Vec<String> = entries.filter_map(Result::ok).filter_map(is_foreign).collect();
    if !foreign.is_empty() {
        foreign.sort_unstable();
        let what = format!("the directory belongs to user {owner}, and these files to another: {}", foreign.join(", "));
        let remedy = "chown them to the user of the service: it cannot write them otherwise";
        findings.push(Finding::new(Severity::Problem, "owner", what, remedy));
    }
}

#[cfg(not(unix))]
fn rights(_: &Path, _: bool, _: &mut Vec<Finding>) {}

/// Below this a log alone may not fit.
#[cfg(unix)]
const LEAST: u64 = 128 << 20;

/// Whoever vacuums, seals or copies a part needs room for it once more.
#[cfg(unix)]
pub(super) fn space(directory: &Path, parts: &[PartRow], findings: &mut Vec<Finding>) {
    let Ok(stat) = rustix::fs::statvfs(directory) else { return };
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    let largest = parts.iter().filter_map(|part| part.bytes).max().unwrap_or_default();
    let needed = LEAST.max(largest.saturating_add(largest / 4));
    if free < needed {
        let severity = if free < LEAST / 4 { Severity::Problem } else { Severity::Warning };
        let what = format!("{} MB are free, and the largest part has {}: {} should be", free >> 20, largest >> 20, needed >> 20);
        findings.push(Finding::new(
            severity,
            "disk_space",
            what,
            "make room, or put old months away: `tower-analytics archive --older-than 90d`",
        ));
    }
}

#[cfg(not(unix))]
pub(super) fn space(_: &Path, _: &[PartRow], _: &mut Vec<Finding>) {}

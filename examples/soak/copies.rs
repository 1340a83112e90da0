//! Backups, looked through and deleted, while recording and all other work go on.

use std::{fs, path::Path, thread, time::Duration};

use tower_analytics::{Error, Reports};

use crate::tally::Tally;

/// So often in turn a backup may find that months came and went all the time while it copied: it says then that it is to be made again.
const TRIES: u32 = 3;

pub(crate) fn run(reports: &Reports, scratch: &Path, tally: &Tally) {
    let (to, mut tries) = (scratch.join("backup"), 0);
    while !tally.is_over() {
        tries += 1;
        match reports.backup(&to, |_, _| {}) {
            Err(error) if error.is_retryable() && tries < TRIES => drop(tally.work("backup begun anew", Ok(()))),
            backup => {
                tries = 0;
                if tally.work("backup", backup).is_some() {
                    verify(&to, tally);
                }
            }
        }
        thread::sleep(Duration::from_secs(1));
    }
}

fn verify(backup: &Path, tally: &Tally) {
    let faults = tally.work("verify", faults(backup)).unwrap_or_default();
    faults.into_iter().for_each(|fault| tally.failed(format!("a backup is not sound: {fault}")));
    drop(fs::remove_dir_all(backup));
}

fn faults(directory: &Path) -> Result<Vec<String>, Error> {
    let verified = Reports::open(directory)?.verify(|_, _| {})?;
    Ok(verified.faults.iter().map(|fault| format!("{}, {}, {}: {}", fault.file, fault.table, fault.key, fault.what)).collect())
}

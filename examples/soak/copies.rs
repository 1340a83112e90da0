//! Backups, looked through and deleted, while recording and all other work go on.

use std::{fs, path::Path, thread, time::Duration};

use tower_analytics::{Error, Reports};

use crate::tally::Tally;

pub(crate) fn run(reports: &Reports, scratch: &Path, tally: &Tally) {
    let to = scratch.join("backup");
    while !tally.is_over() {
        if tally.work("backup", reports.backup(&to, |_, _| {})).is_some() {
            if let Some(faults) = tally.work("verify", faults(&to)) {
                faults.into_iter().for_each(|fault| tally.failed(format!("a backup is not sound: {fault}")));
            }
            drop(fs::remove_dir_all(&to));
        }
        thread::sleep(Duration::from_secs(1));
    }
}

fn faults(directory: &Path) -> Result<Vec<String>, Error> {
    let verified = Reports::open(directory)?.verify(|_, _| {})?;
    Ok(verified.faults.iter().map(|fault| format!("{}, {}, {}: {}", fault.file, fault.table, fault.key, fault.what)).collect())
}

//! How far long work has come, for people at a terminal.

use std::io::{IsTerminal, Write, stderr};

/// Says how much is done of how much; nothing where nobody looks.
pub(super) fn progress(done: u64, total: u64) {
    let mut err = stderr().lock();
    if total > 0 && err.is_terminal() {
        let percent = u128::from(done.min(total)) * 100 / u128::from(total);
        drop(write!(err, "\r{percent:3} %"));
        drop(err.flush());
    }
}

/// Takes the line away.
pub(super) fn end() {
    let mut err = stderr().lock();
    if err.is_terminal() {
        drop(write!(err, "\r\x1b[K"));
    }
}

//! Whether the files are whole, as far as that is seen in a moment.

use std::{path::Path, time::Duration};

use super::{Finding, Severity};
use crate::store::quick;

/// Whoever asks waits for it.
const LIMIT: Duration = Duration::from_secs(2);

/// Only what nobody has said before.
pub(super) fn check(directory: &Path, findings: &mut Vec<Finding>) {
    // Somebody began to record meanwhile: what was read may be half of one state and half of another.
    let Ok(found) = quick(directory, LIMIT) else { return };
    for (file, what) in found.damaged {
        let is_said = |finding: &Finding| matches!(finding.code, "part_damaged" | "unreadable") && finding.what.contains(&file);
        if findings.iter().any(is_said) {
            continue;
        }
        let is_part = file != "analytics.db" && file != "access.db";
        let code = if is_part { "part_damaged" } else { "file_damaged" };
        let remedy = "`tower-analytics verify` says more; restore it from a backup";
        findings.push(Finding::new(Severity::Problem, code, format!("{file} is damaged: {}", what.trim()), remedy));
    }
    if !found.unchecked.is_empty() {
        let what = format!(
            "after {} s there was no more time to look at the pages of {}: `tower-analytics verify` does",
            LIMIT.as_secs(),
            found.unchecked.join(", ")
        );
        findings.push(Finding::new(Severity::Note, "not_all_checked", what, "`tower-analytics verify` looks into every byte"));
    }
}

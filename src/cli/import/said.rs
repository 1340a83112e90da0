use crate::{cli::output, error::Error, import::Report};

/// What came of an import, for people or as JSON.
pub(super) fn say(report: &Report, dry_run: bool, json: bool) -> Result<(), Error> {
    if json {
        return output::json(&serde_json::to_value(report).unwrap_or_default());
    }
    let done = if dry_run { "Would import" } else { "Imported" };
    output::line(format!("{done} {} sessions with {} hits, {} of them actions.", report.sessions, report.hits, report.actions))?;
    let more = [
        (report.records, "records were read"),
        (report.known, "sessions are known from an earlier import"),
        (report.merged, "records went on with a session of the same id"),
        (report.repeated, "records stood in two files"),
        (report.seen_later, "users have a time at which they were last seen besides their sessions"),
        (report.grouped_errors, "errors are counted in groups, and listed one by one only in part"),
        (report.differing, "stored sums differ from what the sessions say; the sessions count"),
    ];
    for (count, what) in more.into_iter().filter(|(count, _)| *count > 0) {
        output::line(format!("  {count} {what}"))?;
    }
    for (why, count) in &report.notes {
        output::line(format!("  {count} {why}"))?;
    }
    for (segment, count) in &report.unmatched {
        output::line(format!("  {count} requests below {segment} that no route template covers: see --routes"))?;
    }
    for (field, count) in &report.unknown_fields {
        output::line(format!("  {count} times a field {field:?} that nobody knows"))?;
    }
    for text in report.differences.iter().chain(&report.examples) {
        output::line(format!("  - {text}"))?;
    }
    Ok(())
}

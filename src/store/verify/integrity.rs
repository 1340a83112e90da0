//! What SQLite itself says of a file.

use super::{
    found::{Found, RESTORE_FILE},
    listed::Listed,
    look::Look,
};

pub(super) fn check(look: &mut Look, file: &str, listed: &[Listed], found: &mut Found) {
    let is_ours = file == "analytics.db" || file == "access.db";
    if !is_ours && !listed.iter().any(|part| part.file == file) {
        found.note(format!("{file} is not listed in analytics.db: a service that starts takes it up"));
    }
    let words = look.open(file).and_then(|connection| {
        let mut statement = connection.prepare("pragma integrity_check(20)")?;
        statement.query_map([], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()
    });
    for word in found.of_file(file, "", words).unwrap_or_default().into_iter().filter(|word| word != "ok") {
        found.add(file, "", "", format!("SQLite's integrity check: {word}"), RESTORE_FILE);
    }
}

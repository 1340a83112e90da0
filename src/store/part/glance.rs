use std::path::Path;

use rusqlite::ErrorCode;

use crate::store::connection::reader;

/// Whether a raw file begins as a database does and has all the pages that it says. More than its head is not read: bytes that
/// flipped further on are for whoever reads all of it.
///
/// SQLite looks, and not we: to close a file by other means takes all of SQLite's locks on it away.
pub(crate) fn looks_whole(file: &Path) -> bool {
    let look = || -> rusqlite::Result<bool> {
        let database = reader(file)?;
        let number = |sql: &str| database.query_row(sql, [], |row| row.get::<_, i64>(0));
        let has_tables = number("select count(*) from sqlite_schema")? > 0;
        let bytes = number("pragma page_count")? * number("pragma page_size")?;
        let length = |file: &Path| std::fs::metadata(file).map_or(0, |about| about.len());
        // What stands in a log may not be in the file yet.
        Ok(has_tables && (length(&file.with_extension("db-wal")) > 0 || length(file) >= bytes.unsigned_abs()))
    };
    match look() {
        Ok(is_whole) => is_whole,
        // Somebody makes it a plain file just now.
        Err(error) => matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_head_and_all_pages_make_a_database_look_whole() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("analytics-202611.db");
        for page_size in [512, 4096, 65_536] {
            drop(fs::remove_file(&file));
            let database = rusqlite::Connection::open(&file).unwrap();
            database.pragma_update(None, "page_size", page_size).unwrap();
            database.execute_batch("create table t (x); insert into t values (zeroblob(200000))").unwrap();
            drop(database);
            assert!(looks_whole(&file), "{page_size}");
            let whole = fs::read(&file).unwrap();
            for bad in [&whole[..whole.len() - 1], &whole[..99], b"", &[vec![0xa5; 16], whole[16..].to_vec()].concat()] {
                fs::write(&file, bad).unwrap();
                assert!(!looks_whole(&file), "{page_size}, {} bytes", bad.len());
            }
        }
        fs::remove_file(&file).unwrap();
        assert!(!looks_whole(&file), "there is none");
    }
}

//! A database file without what is no longer in it: free pages, and the log of what was.

use std::time::Duration;

use rusqlite::Connection;

/// Writes the file anew, without free pages and without what is left of deleted rows in used ones.
pub(super) fn compact(connection: &Connection) -> rusqlite::Result<()> {
    // One that is kept ready and half read would be in the way.
    connection.flush_prepared_statement_cache();
    connection.execute_batch("vacuum")
}

/// Brings the write-ahead log into the file, and its length to nothing. `false` if somebody reads from it just now.
pub(super) fn empty_log(connection: &Connection) -> rusqlite::Result<bool> {
    connection.busy_timeout(MOMENT)?;
    let emptied = connection.query_row("pragma wal_checkpoint(truncate)", [], |row| Ok(row.get::<_, i64>(0)? == 0));
    connection.busy_timeout(PATIENCE)?;
    emptied
}

/// So long whoever reads is waited for, before others get their turn.
const MOMENT: Duration = Duration::from_millis(50);
/// As every connection that writes has it.
const PATIENCE: Duration = Duration::from_secs(2);

/// Pages of the file, and how many of them are free.
pub(super) fn pages(connection: &Connection) -> rusqlite::Result<(i64, i64)> {
    let number = |pragma: &str| connection.query_row(&format!("pragma {pragma}"), [], |row| row.get(0));
    Ok((number("page_count")?, number("freelist_count")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_deleted_is_in_no_file_any_more_unless_somebody_still_reads_it() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("x.db");
        let connection = crate::store::connection::writer(&file, true, crate::store::connection::Synchronous::Normal).unwrap();
        let secret = "4f1c0a7e55d94b6f8f5c2a91b3d7e608";
        let holds = || {
            let mut files = std::fs::read_dir(directory.path()).unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
            files.any(|bytes| bytes.windows(secret.len()).any(|window| window == secret.as_bytes()))
        };
        connection.execute_batch("create table t (x text)").unwrap();
        for n in 0..2000 {
            connection.execute("insert into t values (?)", [format!("{n} {}", if n % 2 == 0 { secret } else { "another" })]).unwrap();
        }
        connection.execute_batch("delete from t where x like '%4f1c%'").unwrap();
        assert!(holds() && pages(&connection).unwrap().0 > 10);
        let reader = crate::store::connection::reader(&file).unwrap();
        reader.execute_batch("begin; select * from t").unwrap();
        assert!(reader.query_row("select count(*) from t", [], |row| row.get::<_, i64>(0)).unwrap() == 1000);
        compact(&connection).unwrap();
        assert!(!empty_log(&connection).unwrap() && holds());
        reader.execute_batch("commit").unwrap();
        assert!(empty_log(&connection).unwrap() && !holds());
        assert_eq!(pages(&connection).unwrap().1, 0);
    }
}

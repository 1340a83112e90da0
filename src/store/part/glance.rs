//! What a glance at a raw file that nobody writes says of it, without SQLite.

use std::{
    fs::{self, File},
    io::Read,
    path::Path,
};

/// Whether it begins as a database does and has all the pages that it says. More than its head is not read: bytes that flipped further
/// on are for whoever reads all of it.
pub(crate) fn looks_whole(file: &Path) -> bool {
    let look = || -> std::io::Result<bool> {
        let mut head = [0; 100];
        let mut database = File::open(file)?;
        database.read_exact(&mut head)?;
        let number = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let page = match u16::from_be_bytes([head[16], head[17]]) {
            1 => 65_536,
            bytes => u64::from(bytes),
        };
        // An old version of SQLite may have left the number of pages as it was; what stands in a log may not be in the file yet.
        let is_said = number(24) == number(92) && fs::metadata(file.with_extension("db-wal")).map_or(0, |log| log.len()) == 0;
        let bytes = if is_said { page * u64::from(number(28)) } else { 0 };
        Ok(head.starts_with(b"SQLite format 3\0") && database.metadata()?.len() >= bytes)
    };
    look().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_and_all_pages_make_a_databaselook_whole() {
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

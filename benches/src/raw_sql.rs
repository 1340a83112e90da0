//! The same hits as rows of one table, and questions asked of them in SQL: what roll-ups have to be faster than.

use std::{ops::Range, path::Path};

use rusqlite::{Connection, params};

/// Rows lie in the order of time, so that a range is one piece of the file with every column in it; the index has all that
/// the filter that crosses dimensions asks for.
const TABLES: &str = "
    create table hits (
        bot integer not null, at integer not null, part integer not null, id integer not null, user integer, endpoint integer not null,
        platform text not null, version text not null, opens integer not null, failed integer not null, head_us integer not null,
        primary key (bot, at, part, id)
    ) strict, without rowid;";
const INDEX: &str = "create index cross_filter on hits (bot, platform, endpoint, at, user); analyze;";

/// Builds the file beside the directory's own, unless it is there.
pub fn open(directory: &Path) -> Connection {
    let file = directory.join("raw-rows.sqlite");
    if !directory.join("raw-rows.done").exists() {
        eprintln!("{}: a table of raw rows", directory.display());
        drop(std::fs::remove_file(&file));
        build(&Connection::open(&file).expect("a file"), directory).expect("raw rows");
        std::fs::write(directory.join("raw-rows.done"), "").expect("a file");
    }
    let connection = Connection::open(&file).expect("a file");
    connection.execute_batch("pragma query_only = on; pragma cache_size = -65536; pragma mmap_size = 4000000000;").expect("pragmas");
    connection
}

fn build(to: &Connection, directory: &Path) -> rusqlite::Result<()> {
    to.execute_batch("pragma journal_mode = off; pragma synchronous = off; pragma cache_size = -262144;")?;
    to.execute_batch(TABLES)?;
    to.execute("attach ? as main_file", [directory.join("analytics.db").to_string_lossy()])?;
    to.execute_batch("create table endpoints as select number, route from main_file.endpoints")?;
    let mut parts = to.prepare("select number, month, file from main_file.parts order by month")?;
    let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, String>(2)?));
    // What is still being read cannot be detached.
    let all = parts.query_map([], read)?.collect::<rusqlite::Result<Vec<_>>>()?;
    for (number, month, file) in all {
        to.execute("attach ? as part", [directory.join(file).to_string_lossy()])?;
        // Of the packed outcome only what the questions need: the opening of a session, and a status of 500 or more.
        let copy = format!(
            "insert into hits
             select d.bot <> '', unixepoch('{year}-{of:02}-01') * 1000 + h.at, ?1, h.id, case when h.user < 2147483648 then h.user end,
                 h.endpoint, d.platform, d.app_version, h.outcome >> 13 & 1, h.outcome & 1023 >= 500, h.head_us
             from part.session_actions_{month} h join main_file.devices d on d.number = h.device order by 1, 2",
            year = month / 100,
            of = month % 100
        );
        to.execute(&copy, params![number])?;
        to.execute_batch("detach part")?;
    }
    drop(parts);
    to.execute_batch(INDEX)
}

/// Asks for some moments' hits of people, reads every row of the answer, and gives how many there were.
pub fn ask(connection: &Connection, sql: &str, at: &Range<i64>) -> usize {
    let mut statement = connection.prepare_cached(sql).expect("a legal question");
    let mut rows = statement.query([at.start, at.end]).expect("an answer");
    let mut count = 0;
    while rows.next().expect("a row").is_some() {
        count += 1;
    }
    count
}

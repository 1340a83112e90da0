//! The derived tables as they are, for comparing one state with another byte by byte.

use std::{collections::BTreeMap, path::Path};

use rusqlite::{Connection, types::Value};

const DERIVED: [(&str, &str); 4] = [
    ("aggregated_metrics", "part, audience, slot"),
    ("daily_metrics", "part, audience, dimension, day, value"),
    ("part_totals", "part, audience, dimension, value"),
    ("user_totals", "part, user"),
];

pub(crate) type Tables = BTreeMap<&'static str, Vec<Vec<Value>>>;

/// All rows in the order of their keys, without the row ids that SQLite gives.
pub(crate) fn derived(directory: &Path) -> Tables {
    let main = Connection::open(directory.join("analytics.db")).unwrap();
    DERIVED.map(|(table, key)| (table, rows(&main, table, key))).into()
}

fn rows(main: &Connection, table: &str, key: &str) -> Vec<Vec<Value>> {
    let mut statement = main.prepare(&format!("select * from {table} order by {key}")).unwrap();
    let columns: Vec<usize> = (0..statement.column_count()).filter(|n| statement.column_name(*n).unwrap() != "id").collect();
    let row = |row: &rusqlite::Row<'_>| columns.iter().map(|n| row.get(*n)).collect();
    statement.query_map([], row).unwrap().map(Result::unwrap).collect()
}

/// Shows the first row that differs.
pub(crate) fn assert_same(before: &Tables, after: &Tables) {
    for (table, rows) in before {
        let differs = rows.iter().zip(&after[table]).find(|(a, b)| a != b);
        assert!(differs.is_none(), "{table}: {differs:?}");
        assert_eq!(rows.len(), after[table].len(), "rows of {table}");
    }
}

use std::collections::HashSet;

use crate::{
    error::Error,
    store::{Context, Snapshot},
};

/// The devices that are bots: they are an audience of their own, and the questions here are about people.
pub(super) fn devices(snapshot: &Snapshot<'_>) -> Result<HashSet<u32>, Error> {
    let read = || -> rusqlite::Result<HashSet<u32>> {
        let mut statement = snapshot.main().prepare_cached("select number from devices where bot <> ''")?;
        statement.query_map([], |row| row.get(0))?.collect()
    };
    read().context("read devices")
}

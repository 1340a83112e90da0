use std::path::Path;

use crate::{
    error::{Error, ErrorKind},
    store::{
        connection::{Context, reader},
        part_key::PartKey,
        raw::for_month,
    },
};

/// Whether a raw file is whole, so that it may be all that is left of its month: every page, and as many hits as were counted of it.
pub(in crate::store) fn is_fit(file: &Path, key: PartKey, hits: Option<i64>) -> Result<(), Error> {
    let look = || -> rusqlite::Result<Option<String>> {
        let raw = reader(file)?;
        let word: String = raw.query_row("pragma quick_check(1)", [], |row| row.get(0))?;
        if word != "ok" {
            return Ok(Some(word));
        }
        let sql = for_month("select count(*) from session_actions_NNNNNN", key.month);
        let here: i64 = raw.query_row(&sql, [], |row| row.get(0))?;
        Ok(hits.filter(|hits| *hits != here).map(|hits| format!("it holds {here} hits, and {hits} were counted")))
    };
    match look().context(&format!("look whether {key} is whole"))? {
        None => Ok(()),
        Some(what) => {
            let message =
                format!("{key} is damaged and stays where it is ({what}): `tower-analytics verify` says more, restore it from a backup");
            Err(Error::new(ErrorKind::Directory, message))
        }
    }
}

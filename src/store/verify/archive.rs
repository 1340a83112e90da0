//! What was put away of a part: whether it is the very file, and whole.

use std::fs;

use super::{found::Found, listed::Listed, look::Look};
use crate::{
    error::Error,
    store::{
        archive::Unpack,
        backup::{Backup, MANIFEST},
    },
};

const REMEDY: &str = "bring this archive back from a backup, or mount the disk that it is on";

pub(super) fn check(look: &Look, part: &Listed, found: &mut Found) {
    let Some(archived) = &part.archived else {
        return found.add("analytics.db", "parts", &part.file, "it does not say where the raw file was put", REMEDY);
    };
    let file = look.path(&archived.place);
    if !file.exists() && was_left_out(look, part) {
        return found.note(format!("{} is not here: this backup was made without it", archived.place));
    }
    let read = || -> Result<(), Error> {
        let mut unpack = Unpack::begin(&file, archived, &part.file_id, None)?;
        while unpack.slice()? > 0 {}
        unpack.finish()
    };
    match read() {
        Ok(()) => found.read_archive(),
        Err(error) => found.add(&archived.place, "", "", error.chain(), REMEDY),
    }
}

/// Whether a backup says so of itself.
fn was_left_out(look: &Look, part: &Listed) -> bool {
    let backup = fs::read_to_string(look.path(MANIFEST)).ok().and_then(|text| serde_json::from_str::<Backup>(&text).ok());
    backup.is_some_and(|backup| backup.without_raw.contains(&part.month.to_string()))
}

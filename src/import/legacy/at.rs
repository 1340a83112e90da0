use std::{io, path::Path};

use crate::{
    error::Error,
    import::{counted::Place, fault::fault},
};

/// Where in a file reading is.
pub(super) struct At {
    place: Place,
    list: &'static str,
    /// 0 outside of records.
    record: u64,
    byte: u64,
    /// Whether any key of ours was there.
    pub(super) any: bool,
}

impl At {
    pub(super) fn new(place: Place) -> Self {
        Self { place, list: "", record: 0, byte: 0, any: false }
    }

    /// A record begins; its first byte was just given.
    pub(super) fn begin(&mut self, list: &'static str) {
        self.record = if self.list == list { self.record + 1 } else { 1 };
        self.list = list;
        self.byte = self.place.bytes().saturating_sub(1);
        self.place.begin();
    }

    /// The same of a value whose key was just read.
    pub(super) fn begin_value(&mut self, list: &'static str) {
        self.begin(list);
        self.byte = self.place.bytes();
    }

    pub(super) fn end(&mut self) {
        (self.list, self.record) = ("", 0);
        self.place.begin();
    }

    pub(super) fn fault(&self, file: &Path, error: serde_json::Error) -> Error {
        let bytes = self.place.bytes();
        let place = match self.record {
            0 => format!("byte {bytes}"),
            record => format!("record {record} of {}, which begins at byte {} (read up to byte {bytes})", self.list, self.byte),
        };
        // What the file says, not what the disk does.
        let is_io = error.is_io() && error.io_error_kind() != Some(io::ErrorKind::InvalidData);
        let advice = if error.is_eof() {
            "the file is cut off: get the whole of it"
        } else if is_io {
            "see that disk and file are whole"
        } else {
            "put this right in a copy of the file"
        };
        let why = if is_io { "it cannot be read".to_owned() } else { without_position(&error) };
        let error_of = fault(format!("{}: {place}: {why}; {advice}, then import again. Nothing was imported", file.display()));
        if is_io { error_of.with_source(error) } else { error_of }
    }
}

/// serde_json counts lines, of which these files have one.
fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(why, _)| why.to_owned())
}

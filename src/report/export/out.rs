use std::io::{self, Write};

use serde::Serialize;

use crate::{
    error::{Error, ErrorKind},
    spreadsheet::{self, Lines},
};

/// How rows are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExportFormat {
    /// RFC 4180, a header first; what begins like a formula is defused with an apostrophe. Of no rows nothing is written.
    #[default]
    Csv,
    /// A JSON object a line.
    Ndjson,
}

/// Where rows go, and how they look there.
pub(super) struct Out<'a> {
    to: To<'a>,
    rows: u64,
}

enum To<'a> {
    Csv(Box<Lines<&'a mut dyn Write>>),
    Ndjson(&'a mut dyn Write),
}

impl<'a> Out<'a> {
    pub(super) fn new(format: ExportFormat, to: &'a mut dyn Write) -> Self {
        let to = match format {
            ExportFormat::Csv => To::Csv(Box::new(Lines::new(to))),
            ExportFormat::Ndjson => To::Ndjson(to),
        };
        Self { to, rows: 0 }
    }

    pub(super) fn row<T: Serialize>(&mut self, row: &T) -> Result<(), Error> {
        self.rows += 1;
        match &mut self.to {
            To::Csv(lines) => lines.add(row).map_err(|error| refused(spreadsheet::into_io(error))),
            To::Ndjson(to) => json(to, row).and_then(|()| to.write_all(b"\n").map_err(refused)),
        }
    }

    /// Everything is written; gives how many rows that were.
    pub(super) fn end(self) -> Result<u64, Error> {
        match self.to {
            To::Csv(lines) => lines.end().map_err(spreadsheet::into_io).and_then(|to| to.flush()),
            To::Ndjson(to) => to.flush(),
        }
        .map_err(refused)?;
        Ok(self.rows)
    }
}

pub(super) fn json<T: Serialize + ?Sized>(to: &mut dyn Write, value: &T) -> Result<(), Error> {
    serde_json::to_writer(to, value).map_err(|error| refused(error.into()))
}

/// Whoever reads may have gone, which is no fault of ours: the cause says so.
pub(super) fn refused(error: io::Error) -> Error {
    let message = "the export cannot be written: look for a full disk, a quota, or a reader that has gone";
    Error::new(ErrorKind::Output, message).with_source(error)
}

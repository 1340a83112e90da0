//! Lists for spreadsheets: RFC 4180, and nothing in them that a spreadsheet would run.

use std::io::{self, Write};

use csv::{QuoteStyle, ReaderBuilder, Terminator, WriterBuilder};
use serde::Serialize;

/// A header line and one line for each row, row by row. The rows are structs of plain values.
pub(crate) struct Lines<W: Write> {
    out: csv::Writer<W>,
    /// Rows whose fields are still as they came.
    plain: csv::Writer<Vec<u8>>,
    waiting: usize,
}

/// So many rows are looked through at once.
const AT_ONCE: usize = 512;

impl<W: Write> Lines<W> {
    pub(crate) fn new(out: W) -> Self {
        let out = WriterBuilder::new().terminator(Terminator::CRLF).quote_style(QuoteStyle::Necessary).from_writer(out);
        Self { out, plain: csv::Writer::from_writer(Vec::new()), waiting: 0 }
    }

    pub(crate) fn add<T: Serialize>(&mut self, row: T) -> Result<(), csv::Error> {
        self.plain.serialize(row)?;
        self.waiting += 1;
        if self.waiting < AT_ONCE { Ok(()) } else { self.pass_on() }
    }

    fn pass_on(&mut self) -> Result<(), csv::Error> {
        // The header was written with the first row.
        let next = WriterBuilder::new().has_headers(false).from_writer(Vec::new());
        let plain = std::mem::replace(&mut self.plain, next).into_inner().map_err(|error| error.into_error())?;
        self.waiting = 0;
        let mut lines = ReaderBuilder::new().has_headers(false).from_reader(plain.as_slice());
        for line in lines.records() {
            self.out.write_record(line?.iter().map(defused))?;
        }
        Ok(())
    }

    /// All lines are written.
    pub(crate) fn end(mut self) -> Result<W, csv::Error> {
        self.pass_on()?;
        self.out.into_inner().map_err(|error| error.into_error().into())
    }
}

/// All of a short list.
#[cfg(feature = "dashboard")]
pub(crate) fn write<T: Serialize>(rows: impl IntoIterator<Item = T>) -> Result<String, csv::Error> {
    let mut lines = Lines::new(Vec::new());
    rows.into_iter().try_for_each(|row| lines.add(row))?;
    Ok(String::from_utf8_lossy(&lines.end()?).into_owned())
}

/// The fault of the file or pipe that was written to.
pub(crate) fn into_io(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

/// What begins like a formula gets an apostrophe before it (OWASP, CSV injection); numbers stay numbers.
fn defused(field: &str) -> String {
    let is_formula = field.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) && field.parse::<f64>().is_err();
    if is_formula { format!("'{field}") } else { field.to_owned() }
}

#[cfg(all(test, feature = "dashboard"))]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Row {
        name: &'static str,
        hits: i64,
        share: Option<f64>,
    }

    fn one(name: &'static str) -> String {
        write([Row { name, hits: -5, share: None }]).unwrap()
    }

    #[test]
    fn lines_end_and_fields_are_quoted_as_rfc_4180_says() {
        assert_eq!(one("a, \"b\"\nc"), "name,hits,share\r\n\"a, \"\"b\"\"\nc\",-5,\r\n");
    }

    #[test]
    fn formulas_are_defused_and_numbers_are_not() {
        for formula in ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1"] {
            assert!(one(formula).contains(&format!("'{formula}")), "{formula}");
        }
        assert!(one("plain").starts_with("name,hits,share\r\nplain,-5,"));
    }

    #[test]
    fn a_long_list_has_one_header() {
        let text = write((0..AT_ONCE as i64 * 2 + 1).map(|hits| Row { name: "=x", hits, share: Some(0.5) })).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!((lines.len(), lines[0], lines[1], lines[1025]), (1026, "name,hits,share", "'=x,0,0.5", "'=x,1024,0.5"));
    }
}

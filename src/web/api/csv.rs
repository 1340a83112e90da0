//! Lists for spreadsheets: RFC 4180, and nothing in them that a spreadsheet would run.

use csv::{QuoteStyle, ReaderBuilder, Terminator, WriterBuilder};
use serde::Serialize;

/// A header line and one line for each row. The rows are structs of plain values.
pub(in crate::web) fn write<T: Serialize>(rows: impl IntoIterator<Item = T>) -> Result<String, csv::Error> {
    let mut plain = WriterBuilder::new().from_writer(Vec::new());
    for row in rows {
        plain.serialize(row)?;
    }
    let plain = plain.into_inner().map_err(|error| error.into_error())?;
    let mut safe = WriterBuilder::new().terminator(Terminator::CRLF).quote_style(QuoteStyle::Necessary).from_writer(Vec::new());
    let mut lines = ReaderBuilder::new().has_headers(false).from_reader(plain.as_slice());
    for line in lines.records() {
        safe.write_record(line?.iter().map(defused))?;
    }
    let safe = safe.into_inner().map_err(|error| error.into_error())?;
    Ok(String::from_utf8_lossy(&safe).into_owned())
}

/// What begins like a formula gets an apostrophe before it (OWASP, CSV injection); numbers stay numbers.
fn defused(field: &str) -> String {
    let is_formula = field.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) && field.parse::<f64>().is_err();
    if is_formula { format!("'{field}") } else { field.to_owned() }
}

#[cfg(test)]
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
}

use std::{
    fmt::Display,
    io::{self, Write},
};

use crate::error::{Error, ErrorKind};

/// One line for whoever or whatever reads the output. A reader that has gone, such as `head`, is no fault; a full disk is one.
pub(super) fn line(text: impl Display) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::new(ErrorKind::Storage, "the output cannot be written").with_source(error))
        }
        _ => Ok(()),
    }
}

/// One document, for programs.
pub(super) fn json(value: &serde_json::Value) -> Result<(), Error> {
    line(format!("{value:#}"))
}

/// The same, of anything that can be told so.
pub(super) fn serialized(value: &impl serde::Serialize) -> Result<(), Error> {
    let value = serde_json::to_value(value);
    json(&value.map_err(|error| Error::new(ErrorKind::Output, "the answer cannot be written as JSON").with_source(error))?)
}

/// A word to people, beside the output.
pub(super) fn note(text: impl Display) {
    drop(writeln!(io::stderr(), "{text}"));
}

/// Text of others without what could steer a terminal.
pub(super) fn printable(text: &str) -> String {
    text.chars()
        .flat_map(|letter| {
            let is_plain = !letter.is_control() || letter == '\n';
            let escaped = (!is_plain).then(|| letter.escape_unicode());
            is_plain.then_some(letter).into_iter().chain(escaped.into_iter().flatten())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_steers_a_terminal_is_spelled_out() {
        assert_eq!(super::printable("a\nb\u{1b}[2J\u{9b}é"), "a\nb\\u{1b}[2J\\u{9b}é");
    }
}

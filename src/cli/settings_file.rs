//! A settings file, with everything that is wrong in it and where.

use std::{fs, ops::Range, path::Path};

use serde::Deserialize;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::{
    config::Config,
    error::{Error, ErrorKind},
};

/// What the file says, as far as it could be understood.
pub(super) struct Read {
    pub(super) config: Config,
    pub(super) has_data: bool,
    /// One line each.
    pub(super) faults: Vec<String>,
}

/// More than these nobody reads at once.
const MOST_FAULTS: usize = 50;

pub(super) fn read(path: &Path) -> Result<Read, Error> {
    let text = fs::read_to_string(path).map_err(|error| {
        Error::new(ErrorKind::Config, format!("the settings file {} cannot be read: check --config", path.display())).with_source(error)
    })?;
    Ok(understand(&text))
}

fn understand(text: &str) -> Read {
    let (mut table, wrong) = DeTable::parse_recoverable(text);
    let mut faults: Vec<String> = wrong.iter().map(|error| fault(text, error, "")).collect();
    let has_data = table.get_ref().contains_key("data");
    if !faults.is_empty() {
        faults.truncate(MOST_FAULTS);
        return Read { config: Config::default(), has_data, faults };
    }
    // Deserialising ends at the first fault. What is at fault is taken away, so that the next one is found.
    loop {
        let error = match Config::deserialize(toml::Deserializer::from(table.clone())) {
            Ok(config) => return Read { config, has_data, faults },
            Err(error) => error,
        };
        let taken = error.span().and_then(|span| take(table.get_mut(), &span));
        faults.push(fault(text, &error, taken.as_deref().unwrap_or_default()));
        if taken.is_none() || faults.len() == MOST_FAULTS {
            return Read { config: Config::default(), has_data, faults };
        }
    }
}

/// Takes the innermost entry away that reaches over this part of the text; its name, with those of the tables around it.
fn take(table: &mut DeTable<'_>, at: &Range<usize>) -> Option<String> {
    let covers = |span: Range<usize>| span.start <= at.start && at.end <= span.end;
    let mut found = None;
    for (key, value) in table.iter_mut() {
        if let Some(inner) = take_in(value, at) {
            return Some(format!("{}.{inner}", key.get_ref()));
        }
        if covers(key.span()) || covers(value.span()) {
            found = Some(key.get_ref().to_string());
        }
    }
    table.remove(found.as_deref()?);
    found
}

fn take_in(value: &mut Spanned<DeValue<'_>>, at: &Range<usize>) -> Option<String> {
    match value.get_mut() {
        DeValue::Table(table) => take(table, at),
        DeValue::Array(list) => list.iter_mut().find_map(|item| take_in(item, at)),
        _ => None,
    }
}

/// A line number, the key and what is wrong with it, but never the value or the line: they may hold a secret.
fn fault(text: &str, error: &toml::de::Error, key: &str) -> String {
    let message = error.message();
    let said = match message.split_once(", expected ") {
        Some((what, expected)) if what.starts_with("invalid type") || what.starts_with("invalid value") => format!("must be {expected}"),
        _ if message.starts_with("invalid ") && !key.is_empty() => "has a value of the wrong kind".to_owned(),
        _ => message.to_owned(),
    };
    let line = error.span().and_then(|span| text.get(..span.start)).map_or(1, |before| before.matches('\n').count() + 1);
    if key.is_empty() { format!("line {line}: {said}") } else { format!("line {line}: {key}: {said}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_faults_are_found_with_their_lines_and_no_value_is_shown() {
        let text = r#"
data = 7
lisen = "127.0.0.1:1"
time_zone = "UTC"

[recording]
batch_hits = "many"
batch_sice = 5

[auth]
leeway_s = "hunter1"

[[auth.issuer]]
isuer = "a"
keys = { hmac = 123456, hmacc = "hunter2" }
role_paths = [7]
"#;
        let read = understand(text);
        let expected = [
            "line 2: data: must be",
            "line 3: lisen: unknown field `lisen`, expected one of `data`, `listen`",
            "line 7: recording.batch_hits: must be usize",
            "line 8: recording.batch_sice: unknown field",
            "line 11: auth.leeway_s: must be u64",
            "line 14: auth.issuer.isuer: unknown field",
            "line 15: auth.issuer.keys.hmac: must be a string",
            "line 15: auth.issuer.keys.hmacc: unknown field",
            "line 16: auth.issuer.role_paths:",
        ];
        for part in expected {
            assert!(read.faults.iter().any(|fault| fault.starts_with(part)), "{part} in {:#?}", read.faults);
        }
        assert_eq!(read.faults.len(), expected.len(), "{:#?}", read.faults);
        let shown = read.faults.join("\n");
        assert!(!shown.contains("hunter") && !shown.contains("123456") && read.has_data, "{shown}");
        assert_eq!(read.config.time_zone, "UTC");
    }

    #[test]
    fn what_is_no_toml_is_said_with_its_line_and_without_its_text() {
        for text in ["a = \n\n[auth]\nhmac = hunter2\n", "\n\n\n[auth\n", "x = \"hunter2\nx = 1\n", "[auth]\n[auth]\n", "\u{0}", "= ="] {
            let read = understand(text);
            assert!(!read.faults.is_empty() && read.faults.iter().all(|fault| fault.starts_with("line ")), "{text:?} {:?}", read.faults);
            assert!(!read.faults.join(" ").contains("hunter"), "{:?}", read.faults);
        }
    }

    #[test]
    fn an_empty_file_is_all_defaults() {
        let read = understand("");
        assert!(read.faults.is_empty() && !read.has_data && read.config == Config::default());
    }
}

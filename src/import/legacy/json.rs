use std::{fmt, io, path::Path};

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{
    errors::{Errors, FailureSeed},
    fields::Key,
    record::{Record, RecordSeed},
    rows::Rows,
    stored::{Entries, Stored},
};
use crate::{
    error::Error,
    import::{
        content::Content,
        counted::{Counted, Place},
        fault::fault,
        found::Found,
        source::Progress,
    },
};

/// Where what is read goes.
pub(super) struct Gathered<'a> {
    pub(super) rows: &'a mut Rows,
    pub(super) errors: &'a mut Errors,
    pub(super) stored: &'a mut Stored,
    pub(super) found: &'a mut Found,
}

/// Reads a file of sessions or of errors, one record in memory at a time.
pub(super) fn read(file: &Path, number: u32, to: Gathered<'_>, progress: &Progress) -> Result<Content, Error> {
    let (mut reader, place) = Counted::open(file, progress)?;
    let mut at = At::new(place);
    let mut json = serde_json::Deserializer::from_reader(&mut reader);
    let top = Top { number, to, at: &mut at };
    let result = top.deserialize(&mut json).and_then(|()| json.end());
    drop(json);
    result.map_err(|error| at.fault(file, error))?;
    if !at.any {
        let message = format!(
            "{} has neither sessions nor errors: it should be the panel's app_analytics.json, error_analytics.json, or a month of its archive",
            file.display()
        );
        return Err(fault(message));
    }
    Ok(reader.content())
}

/// Where in a file reading is.
pub(super) struct At {
    place: Place,
    list: &'static str,
    /// 0 outside of records.
    record: u64,
    byte: u64,
    /// Whether any key of ours was there.
    any: bool,
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

    fn end(&mut self) {
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

struct Top<'a, 'b> {
    number: u32,
    to: Gathered<'a>,
    at: &'b mut At,
}

impl<'de> DeserializeSeed<'de> for Top<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Top<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object such as {\"sessions\": [..]}")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        const KEYS: &[&str] = &["sessions", "daily_stats", "user_stats", "errors", "error_groups", "daily_error_counts", "last_updated"];
        let Self { number, to: Gathered { rows, errors, stored, found }, at } = self;
        let mut record = Record::default();
        while let Some(key) = map.next_key_seed(Key(KEYS))? {
            at.any |= key.is_ok();
            match key {
                Ok(name @ "sessions") => {
                    let each = Sessions { number, record: &mut record, rows: &mut *rows, found: &mut *found };
                    map.next_value_seed(List { name, at: &mut *at, each })?;
                }
                Ok(name @ "errors") => {
                    let each = Failures { errors: &mut *errors, found: &mut *found };
                    map.next_value_seed(List { name, at: &mut *at, each })?;
                }
                Ok(name @ ("daily_stats" | "user_stats" | "error_groups")) => {
                    let entries = Entries { name, file: number, stored: &mut *stored, texts: &mut rows.texts, found: &mut *found };
                    map.next_value_seed(entries.with(&mut *at))?;
                }
                Ok(_) => drop(map.next_value::<IgnoredAny>()?),
                Err(unknown) => {
                    found.unknown_field(&unknown);
                    map.next_value::<IgnoredAny>()?;
                }
            }
            at.end();
        }
        Ok(())
    }
}

/// What is done with each element of a list.
trait Each {
    fn read<'de, D: Deserializer<'de>>(&mut self, element: D) -> Result<(), D::Error>;
}

struct Sessions<'a> {
    number: u32,
    record: &'a mut Record,
    rows: &'a mut Rows,
    found: &'a mut Found,
}

impl Each for Sessions<'_> {
    fn read<'de, D: Deserializer<'de>>(&mut self, element: D) -> Result<(), D::Error> {
        RecordSeed { record: &mut *self.record, found: &mut *self.found }.deserialize(element)?;
        self.rows.add(self.number, self.record, self.found).map_err(D::Error::custom)
    }
}

struct Failures<'a> {
    errors: &'a mut Errors,
    found: &'a mut Found,
}

impl Each for Failures<'_> {
    fn read<'de, D: Deserializer<'de>>(&mut self, element: D) -> Result<(), D::Error> {
        FailureSeed { errors: &mut *self.errors, found: &mut *self.found }.deserialize(element)
    }
}

/// A list of records; null is an empty one.
struct List<'a, E> {
    name: &'static str,
    at: &'a mut At,
    each: E,
}

impl<'de, E: Each> DeserializeSeed<'de> for List<'_, E> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, E: Each> Visitor<'de> for List<'_, E> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list for {}", self.name)
    }

    fn visit_unit<R>(self) -> Result<(), R> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(Element(&mut self))?.is_some() {}
        Ok(())
    }
}

struct Element<'a, 'b, E>(&'a mut List<'b, E>);

impl<'de, E: Each> DeserializeSeed<'de> for Element<'_, '_, E> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.0.at.begin(self.0.name);
        self.0.each.read(deserializer)
    }
}

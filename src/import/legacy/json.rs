use std::{fmt, path::Path};

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{
    at::At,
    errors::{Errors, FailureSeed},
    fields::Key,
    record::{Record, RecordSeed},
    rows::Rows,
    stored::{Entries, Stored},
};
use crate::{
    error::Error,
    import::{content::Content, counted::Counted, fault::fault, found::Found, source::Progress},
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

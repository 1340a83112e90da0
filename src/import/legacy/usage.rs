use std::{fmt, path::Path};

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};

use super::{
    at::At,
    fields::{Text, Time},
    who::Who,
};
use crate::{
    clock::Millis,
    error::Error,
    hit::bounded_user,
    import::{content::Content, counted::Counted, found::Found, source::Progress},
};

/// Reads `{discord_id: last_seen}`.
pub(super) fn read(file: &Path, found: &mut Found, progress: &Progress) -> Result<Content, Error> {
    let (mut reader, place) = Counted::open(file, progress)?;
    let mut at = At::new(place);
    let mut json = serde_json::Deserializer::from_reader(&mut reader);
    let result = Users { found, at: &mut at }.deserialize(&mut json).and_then(|()| json.end());
    drop(json);
    result.map_err(|error| at.fault(file, error))?;
    Ok(reader.content())
}

struct Users<'a> {
    found: &'a mut Found,
    at: &'a mut At,
}

impl<'de> DeserializeSeed<'de> for Users<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Users<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of users and when they were last seen")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut id = String::new();
        while map.next_key_seed(Text("a user", &mut id))?.is_some() {
            if let Some(seen) = map.next_value_seed(Seen(self.at))?.filter(|_| Who::of(&id) == Who::User) {
                self.found.last_seen.push((bounded_user(&id).into_owned(), seen));
            }
        }
        Ok(())
    }
}

struct Seen<'a>(&'a mut At);

impl<'de> DeserializeSeed<'de> for Seen<'_> {
    type Value = Option<Millis>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        self.0.begin_value("users");
        Time("last seen").deserialize(deserializer)
    }
}

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};

use super::fields::{Integer, Text};

/// `{"user.get_members": 3}`, in its order; null is none. A key that comes twice has its last value, as in every reader of JSON.
pub(super) struct CountsSeed<'a>(pub(super) &'static str, pub(super) &'a mut Vec<(String, u64)>);

impl<'de> DeserializeSeed<'de> for CountsSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for CountsSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object of endpoints and counts for {}", self.0)
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self(field, counts) = self;
        let mut name = String::new();
        while map.next_key_seed(Text(field, &mut name))?.is_some() {
            let count = map.next_value_seed(Integer(field))?.unwrap_or(0);
            let count = u64::try_from(count).map_err(|_| A::Error::custom(format!("{field} says {count} of {name:?}")))?;
            // A map of a few is looked through faster than hashed; one of very many is nobody's.
            match counts.iter_mut().take(64).find(|(known, _)| *known == name) {
                Some(known) => known.1 = count,
                None => counts.push((std::mem::take(&mut name), count)),
            }
        }
        Ok(())
    }
}

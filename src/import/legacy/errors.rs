use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::fields::{Key, Names, Text, Time};
use crate::{
    clock::Millis,
    facts::cut,
    hit::bounded_user,
    import::{
        found::{Found, Noted},
        source::SourceId,
    },
};

/// Errors of their own, as `error_analytics.json` lists them: at most the last thousand.
#[derive(Default)]
pub(super) struct Errors {
    pub(super) list: Vec<Failure>,
}

/// One error, as much of it as is kept.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) source: SourceId,
    pub(super) at: Millis,
    pub(super) user: Box<str>,
    pub(super) name: Box<str>,
    pub(super) endpoint: Box<str>,
    pub(super) kind: Box<str>,
    pub(super) message: Box<str>,
}

/// Reads one object of `errors`.
pub(super) struct FailureSeed<'a> {
    pub(super) errors: &'a mut Errors,
    pub(super) found: &'a mut Found,
}

impl<'de> DeserializeSeed<'de> for FailureSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

/// Traces and what was asked are known and not kept: they may say anything about anybody.
const FIELDS: Names = &["timestamp", "user_id", "username", "endpoint", "error_type", "message", "stacktrace", "request_data", "signature"];

impl<'de> Visitor<'de> for FailureSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an error as an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let (mut at, [mut user, mut name, mut endpoint, mut kind, mut message]) = (None, <[String; 5]>::default());
        while let Some(key) = map.next_key_seed(Key(FIELDS))? {
            match key {
                Ok(field @ "timestamp") => at = map.next_value_seed(Time(field))?,
                Ok(field @ "user_id") => map.next_value_seed(Text(field, &mut user))?,
                Ok(field @ "username") => map.next_value_seed(Text(field, &mut name))?,
                Ok(field @ "endpoint") => map.next_value_seed(Text(field, &mut endpoint))?,
                Ok(field @ "error_type") => map.next_value_seed(Text(field, &mut kind))?,
                Ok(field @ "message") => map.next_value_seed(Text(field, &mut message))?,
                Ok(_) => drop(map.next_value::<IgnoredAny>()?),
                Err(unknown) => {
                    self.found.unknown_field(&unknown);
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        let Some(at) = at else {
            self.found.note(Noted::NoTime);
            return Ok(());
        };
        let parts = [user.as_bytes(), endpoint.as_bytes(), kind.as_bytes(), message.as_bytes()];
        let source = SourceId::of(&[b"error", &at.to_le_bytes(), parts[0], parts[1], parts[2], parts[3]]);
        let kept = |text: &str, most: usize| text[..cut(text.as_bytes(), most)].into();
        self.errors.list.push(Failure {
            source,
            at,
            user: (*bounded_user(&user)).into(),
            name: kept(&name, 256),
            endpoint: kept(&endpoint, 512),
            kind: kept(&kind, 256),
            message: kept(&message, 1024),
        });
        Ok(())
    }
}

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{
    counts::CountsSeed,
    fields::{Integer, Key, Names, Text, Time},
};
use crate::{clock::Millis, import::found::Found};

/// One session as its source says it; used again for the next, so that its texts keep their room.
#[derive(Debug, Default)]
pub(super) struct Record {
    pub(super) session_id: String,
    pub(super) user: String,
    pub(super) name: String,
    pub(super) device: String,
    pub(super) platform: String,
    pub(super) version: String,
    pub(super) address: String,
    pub(super) started: Option<Millis>,
    pub(super) ended: Option<Millis>,
    pub(super) actions: Option<i64>,
    pub(super) endpoints: Vec<(String, u64)>,
    pub(super) screens: Vec<(String, u64)>,
}

impl Record {
    pub(super) fn clear(&mut self) {
        let Self { session_id, user, name, device, platform, version, address, started, ended, actions, endpoints, screens } = self;
        [session_id, user, name, device, platform, version, address].into_iter().for_each(String::clear);
        (*started, *ended, *actions) = (None, None, None);
        endpoints.clear();
        screens.clear();
    }
}

/// Reads one object of `sessions`.
pub(super) struct RecordSeed<'a> {
    pub(super) record: &'a mut Record,
    pub(super) found: &'a mut Found,
}

impl<'de> DeserializeSeed<'de> for RecordSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

/// What a record may hold; the last two are known and not needed.
const FIELDS: Names = &[
    "session_id",
    "discord_id",
    "username",
    "device_info",
    "platform",
    "app_version",
    "started_at",
    "ended_at",
    "ip_address",
    "screens_visited",
    "actions_count",
    "endpoints_used",
    "duration_minutes",
    "session_ids_processed",
];

impl<'de> Visitor<'de> for RecordSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a session as an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { record, found } = self;
        record.clear();
        while let Some(key) = map.next_key_seed(Key(FIELDS))? {
            match key {
                Ok(field @ "session_id") => map.next_value_seed(Text(field, &mut record.session_id))?,
                Ok(field @ "discord_id") => map.next_value_seed(Text(field, &mut record.user))?,
                Ok(field @ "username") => map.next_value_seed(Text(field, &mut record.name))?,
                Ok(field @ "device_info") => map.next_value_seed(Text(field, &mut record.device))?,
                Ok(field @ "platform") => map.next_value_seed(Text(field, &mut record.platform))?,
                Ok(field @ "app_version") => map.next_value_seed(Text(field, &mut record.version))?,
                Ok(field @ "ip_address") => map.next_value_seed(Text(field, &mut record.address))?,
                Ok(field @ "started_at") => record.started = map.next_value_seed(Time(field))?,
                Ok(field @ "ended_at") => record.ended = map.next_value_seed(Time(field))?,
                Ok(field @ "actions_count") => record.actions = map.next_value_seed(Integer(field))?,
                Ok(field @ "endpoints_used") => map.next_value_seed(CountsSeed(field, &mut record.endpoints))?,
                Ok(field @ "screens_visited") => map.next_value_seed(ScreensSeed(field, &mut record.screens))?,
                Ok(_) => drop(map.next_value::<IgnoredAny>()?),
                Err(unknown) => {
                    found.unknown_field(&unknown);
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// Screens by name, in their order; null is none.
pub(super) struct ScreensSeed<'a>(pub(super) &'static str, pub(super) &'a mut Vec<(String, u64)>);

impl<'de> DeserializeSeed<'de> for ScreensSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ScreensSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of names for {}", self.0)
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let mut name = String::new();
        while list.next_element_seed(Text(self.0, &mut name))?.is_some() {
            self.1.push((std::mem::take(&mut name), 1));
        }
        Ok(())
    }
}

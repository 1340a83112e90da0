//! Fields as old versions wrote them: missing, null, numbers where texts are meant.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, Visitor};

use super::time;
use crate::clock::Millis;

pub(super) type Names = &'static [&'static str];

/// A key: one of the known names, or what it says.
pub(super) struct Key(pub(super) Names);

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Result<&'static str, String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key {
    type Value = Result<&'static str, String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().find(|name| **name == text).copied().ok_or_else(|| text.to_owned()))
    }
}

/// A text, put into a buffer; null is empty, and a whole number is its digits.
pub(super) struct Text<'a>(pub(super) &'static str, pub(super) &'a mut String);

impl<'de> DeserializeSeed<'de> for Text<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for Text<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a text for {}", self.0)
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.1.clear();
        self.1.push_str(text);
        Ok(())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.visit_str(&number.to_string())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.visit_str(&number.to_string())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.visit_str("")
    }
}

/// A time; null and an empty text are none.
pub(super) struct Time(pub(super) &'static str);

impl<'de> DeserializeSeed<'de> for Time {
    type Value = Option<Millis>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for Time {
    type Value = Option<Millis>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a time such as \"2025-12-01T10:00:00\" for {}", self.0)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        if text.is_empty() {
            return Ok(None);
        }
        time::parse(text).map(Some).map_err(|why| E::custom(format!("{} {why}", self.0)))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

/// A whole number; null is none.
pub(super) struct Integer(pub(super) &'static str);

impl<'de> DeserializeSeed<'de> for Integer {
    type Value = Option<i64>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for Integer {
    type Value = Option<i64>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number for {}", self.0)
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Some(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Some(i64::try_from(number).unwrap_or(i64::MAX)))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        // JSON knows one kind of number: `3.0` is a whole one.
        if number.fract() == 0.0 && number.abs() < 1e15 {
            return Ok(Some(number as i64));
        }
        Err(E::invalid_value(serde::de::Unexpected::Float(number), &self))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

//! JSON as a token must have it: an object, no member twice at any depth, bounded. Two members of one name are read
//! differently by different parsers, and what the issuer checked is then not what we see.

use std::{borrow::Cow, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

#[derive(Debug, PartialEq)]
pub(super) enum Json<'a> {
    Null,
    Bool(bool),
    Number(f64),
    Text(Cow<'a, str>),
    List(Vec<Self>),
    Object(Object<'a>),
}

#[derive(Debug, Default, PartialEq)]
pub(super) struct Object<'a>(Vec<(Cow<'a, str>, Json<'a>)>);

/// How deep and how many members in all.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) depth: usize,
    pub(super) members: usize,
}

impl<'a> Object<'a> {
    /// `None` if it is anything else than one object within the bounds.
    pub(super) fn parse(text: &'a [u8], bounds: Bounds) -> Option<Self> {
        let mut json = serde_json::Deserializer::from_slice(text);
        let mut left = bounds.members;
        let value = Node { depth: bounds.depth, left: &mut left }.deserialize(&mut json).ok()?;
        json.end().ok()?;
        match value {
            Json::Object(object) => Some(object),
            _ => None,
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Json<'a>> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The value at the end of a path of keys.
    pub(super) fn at(&self, path: &[String]) -> Option<&Json<'a>> {
        let (first, rest) = path.split_first()?;
        match (self.get(first)?, rest) {
            (value, []) => Some(value),
            (Json::Object(object), rest) => object.at(rest),
            _ => None,
        }
    }
}

impl Json<'_> {
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

struct Node<'l> {
    depth: usize,
    left: &'l mut usize,
}

/// With serde_json's `arbitrary_precision`, which another crate may have turned on, a number comes as an object of this one member.
const NUMBER: &str = "$serde_json::private::Number";

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Json<'de>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Json::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Json::Number(value as f64))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Json::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Json::Number(value))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Json::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Json::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let depth = self.depth.checked_sub(1).ok_or_else(|| A::Error::custom("too deep"))?;
        let mut list = Vec::new();
        while let Some(value) = seq.next_element_seed(Node { depth, left: &mut *self.left })? {
            list.push(value);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let depth = self.depth.checked_sub(1).ok_or_else(|| A::Error::custom("too deep"))?;
        let mut members: Vec<(Cow<'de, str>, Json<'de>)> = Vec::new();
        while let Some(Key(key)) = map.next_key()? {
            *self.left = self.left.checked_sub(1).ok_or_else(|| A::Error::custom("too many members"))?;
            if members.iter().any(|(name, _)| *name == key) {
                return Err(A::Error::custom("a member twice"));
            }
            let value = map.next_value_seed(Node { depth, left: &mut *self.left })?;
            if key == NUMBER {
                let number = value.text().and_then(|text| text.parse().ok()).filter(|number: &f64| number.is_finite());
                return number.map(Json::Number).ok_or_else(|| A::Error::custom("no number"));
            }
            members.push((key, value));
        }
        Ok(Json::Object(Object(members)))
    }
}

/// A name, borrowed where no escape stands in it.
#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { depth: 4, members: 5 };

    fn is_good(text: &str) -> bool {
        Object::parse(text.as_bytes(), BOUNDS).is_some()
    }

    #[test]
    fn only_one_object_without_doubles_is_taken() {
        for good in ["{}", r#" {"a":[1,2.5,-3,"x",null,true]} "#, r#"{"a":{"a":{"a":[]}}}"#, r#"{"a":1,"b":{"a":1}}"#] {
            assert!(is_good(good), "{good}");
        }
        for bad in [
            "",
            "[]",
            "1",
            "null",
            "{",
            "{} {}",
            "{}x",
            "{'a':1}",
            "{a:1}",
            "{/**/}",
            "\u{feff}{}",
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":1}"#,
            r#"{"x":{"a":1,"a":1}}"#,
            r#"{"a":1e400}"#,
            r#"{"a":"\ud800"}"#,
            r#"{"a":{"a":{"a":[[]]}}}"#,
            r#"{"a":1,"b":1,"c":1,"d":{"e":1,"f":1}}"#,
            "{\"a\":\"\n\"}",
        ] {
            assert!(!is_good(bad), "{bad}");
        }
        assert!(Object::parse(b"{\"a\":\"\xff\"}", BOUNDS).is_none());
    }

    #[test]
    fn numbers_come_in_either_form() {
        let object = Object::parse(br#"{"a":{"$serde_json::private::Number":"5"},"b":5}"#, BOUNDS).unwrap();
        assert_eq!(object.get("a"), object.get("b"));
    }
}

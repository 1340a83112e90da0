//! Whether an answer says what it must, field by field; none may be missing or more than expected.

use serde::Serialize;
use serde_json::Value;

#[track_caller]
pub(crate) fn assert_says<T: Serialize + ?Sized>(what: &dyn std::fmt::Debug, found: &T, expected: &Value) {
    let found = serde_json::to_value(found).unwrap();
    if let Some((place, found, expected)) = difference("", &found, expected) {
        panic!("{what:?}\n  at {place}\n  found    {found}\n  expected {expected}");
    }
}

fn difference(place: &str, found: &Value, expected: &Value) -> Option<(String, String, String)> {
    let differ = || Some((place.to_owned(), shortened(found), shortened(expected)));
    match (found, expected) {
        (Value::Object(one), Value::Object(other)) => {
            let more =
                other.keys().find(|key| !one.contains_key(*key)).map(|key| (format!("{place}.{key}"), "nothing".into(), "it".into()));
            more.or_else(|| {
                one.iter().find_map(|(key, value)| match other.get(key) {
                    Some(expected) => difference(&format!("{place}.{key}"), value, expected),
                    None => Some((format!("{place}.{key}"), shortened(value), "nothing".to_owned())),
                })
            })
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            let mut pairs = one.iter().zip(other).enumerate();
            pairs.find_map(|(n, (found, expected))| difference(&format!("{place}[{n}]"), found, expected))
        }
        (Value::Number(one), Value::Number(other)) => {
            let (one, other) = (one.as_f64().unwrap(), other.as_f64().unwrap());
            // Percentiles are off by a thirty-second at most, as they say.
            let field = place.rsplit('.').next().unwrap_or_default();
            let tolerance = if ["p50", "p95", "p99"].iter().any(|name| field.starts_with(name)) { 1.0 / 32.0 } else { 1e-9 };
            if (one - other).abs() <= other.abs() * tolerance + 1e-9 { None } else { differ() }
        }
        _ if found == expected => None,
        _ => differ(),
    }
}

fn shortened(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(1500) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

//! How answers look outside: RFC 3339 in UTC, durations in seconds, latencies in milliseconds.

use std::time::{Duration, SystemTime};

use serde::{Serializer, ser::SerializeStruct};

use crate::{
    clock::to_millis,
    report::base::{buckets::time_text, metric::Latency},
};

pub(in crate::report) fn time<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time_text(to_millis(*time)))
}

pub(in crate::report) fn some_time<S: Serializer>(at: &Option<SystemTime>, serializer: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => time(at, serializer),
        None => serializer.serialize_none(),
    }
}

pub(in crate::report) fn seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}

pub(in crate::report) fn millis<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_micros() as f64 / 1e3)
}

impl serde::Serialize for Latency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Latency", 3)?;
        for (name, value) in [("p50", self.p50), ("p95", self.p95), ("p99", self.p99)] {
            fields.serialize_field(name, &(value.as_micros() as f64 / 1e3))?;
        }
        fields.end()
    }
}

#[cfg(feature = "dashboard")]
impl schemars::JsonSchema for Latency {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Latency".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let number = |what: &str| serde_json::json!({"type": "number", "minimum": 0, "description": what});
        schemars::json_schema!({
            "type": "object",
            "description": "Milliseconds to the head of the response; off by 1/32 at most",
            "properties": {
                "p50": number("The median"),
                "p95": number("Nineteen of twenty took at most so long"),
                "p99": number("All but one of a hundred took at most so long"),
            },
            "required": ["p50", "p95", "p99"],
        })
    }
}

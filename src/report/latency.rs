use std::time::Duration;

use serde::Serialize;

use super::base::{
    group,
    grouping::{Asked, Bucket},
    json,
    view::View,
};
use crate::error::Error;

/// How many hits took how long to the head of the response.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct LatencySteps {
    /// Steps of a quarter of an octave, from the first to the last that has a hit.
    pub steps: Vec<LatencyStep>,
}

/// The hits that took about as long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct LatencyStep {
    /// The least, in milliseconds.
    #[serde(rename = "from_ms", serialize_with = "json::millis")]
    #[cfg_attr(feature = "dashboard", schemars(with = "f64"))]
    pub from: Duration,
    /// What all of them stay below.
    #[serde(rename = "to_ms", serialize_with = "json::millis")]
    #[cfg_attr(feature = "dashboard", schemars(with = "f64"))]
    pub to: Duration,
    /// Hits.
    pub hits: u64,
}

pub(super) fn ask(view: &mut View<'_, '_>) -> Result<LatencySteps, Error> {
    let span = view.span.clone();
    let metrics = group::series(view, &span, Bucket::One, 1, Asked { latency: true, ..Asked::default() })?;
    let steps = metrics.iter().flat_map(|metric| metric.latency_steps());
    let step = |(from, to, hits)| LatencyStep { from: Duration::from_micros(from), to: Duration::from_micros(to), hits };
    Ok(LatencySteps { steps: steps.map(step).collect() })
}

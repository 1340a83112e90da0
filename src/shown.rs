use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A named group of endpoints, part of [`Config`](crate::Config). Mapped when a question is asked, so that a change shows at once on old hits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Feature {
    /// What filters and links name it by, such as `checkout`.
    pub key: String,
    /// What people call it, such as `Checkout`.
    pub name: String,
    /// Its endpoint patterns, such as `POST /orders` or `/pay/{*rest}`. Of features that cover the same endpoint the first has it.
    pub endpoints: Vec<String>,
}

impl Feature {
    /// A feature.
    pub fn new<T: Into<String>>(key: impl Into<String>, name: impl Into<String>, endpoints: impl IntoIterator<Item = T>) -> Self {
        Self { key: key.into(), name: name.into(), endpoints: endpoints.into_iter().map(Into::into).collect() }
    }
}

/// What the writer's settings say of how answers look; it lies in the store, so that a reader in another process answers the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Shown {
    pub(crate) features: Vec<Feature>,
    /// Names of endpoints for people.
    pub(crate) endpoint_names: BTreeMap<String, String>,
}

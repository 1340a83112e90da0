use std::collections::BTreeMap;

use roaring::RoaringBitmap;
use rusqlite::Connection;

use crate::{
    pattern::Endpoints,
    shown::{Feature, Shown},
    store::{MetaKey, meta_get},
};

/// What endpoints are called, and the features they belong to; mapped anew for each question, so that a changed mapping shows
/// at once on old data.
#[derive(Default)]
pub(in crate::report) struct Names {
    endpoints: BTreeMap<u32, EndpointName>,
    features: Vec<(Feature, Endpoints)>,
}

pub(in crate::report) struct EndpointName {
    /// As in `GET /items/{id}`.
    pub(in crate::report) endpoint: String,
    pub(in crate::report) route: String,
    /// For people.
    pub(in crate::report) name: String,
    pub(in crate::report) feature: String,
}

impl Names {
    pub(in crate::report) fn load(main: &Connection) -> rusqlite::Result<Self> {
        let shown: Option<String> = meta_get(main, MetaKey::Shown)?;
        let shown: Shown = shown.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default();
        let pattern = |feature: Feature| {
            let mut endpoints = Endpoints::default();
            // Read when the settings were checked.
            feature.endpoints.iter().for_each(|pattern| drop(endpoints.insert(pattern)));
            (feature, endpoints)
        };
        let features: Vec<_> = shown.features.into_iter().map(pattern).collect();
        let mut statement = main.prepare_cached("select number, method, route from endpoints")?;
        let mut rows = statement.query([])?;
        let mut endpoints = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let (method, route): (String, String) = (row.get(1)?, row.get(2)?);
            let endpoint = format!("{method} {route}").trim_start().to_owned();
            let feature = features.iter().find(|(_, patterns)| patterns.cover(&method, &route));
            let feature = feature.map_or_else(|| first_segment(&route).to_owned(), |(feature, _)| feature.key.clone());
            let name = shown.endpoint_names.get(&endpoint).or_else(|| shown.endpoint_names.get(&route)).cloned();
            let name = name.unwrap_or_else(|| readable(&method, &route));
            endpoints.insert(row.get(0)?, EndpointName { endpoint, route, name, feature });
        }
        Ok(Self { endpoints, features })
    }

    pub(in crate::report) fn endpoint(&self, number: i64) -> Option<&EndpointName> {
        self.endpoints.get(&u32::try_from(number).ok()?)
    }

    /// `GET /items/{id}`, or nothing for one whose name was lost with a damaged file.
    pub(in crate::report) fn text(&self, number: i64) -> String {
        self.endpoint(number).map(|endpoint| endpoint.endpoint.clone()).unwrap_or_default()
    }

    pub(in crate::report) fn endpoints_called(&self, name: &str) -> RoaringBitmap {
        self.numbers(|endpoint| endpoint.endpoint == name || endpoint.route == name)
    }

    pub(in crate::report) fn endpoints_of(&self, feature: &str) -> RoaringBitmap {
        self.numbers(|endpoint| endpoint.feature == feature)
    }

    fn numbers(&self, is_wanted: impl Fn(&EndpointName) -> bool) -> RoaringBitmap {
        self.endpoints.iter().filter(|(_, endpoint)| is_wanted(endpoint)).map(|(number, _)| *number).collect()
    }

    /// What people call a feature: as configured, or its path segment.
    pub(in crate::report) fn feature_name(&self, key: &str) -> String {
        let configured = self.features.iter().find(|(feature, _)| feature.key == key);
        configured.map_or_else(|| capitalized(key), |(feature, _)| feature.name.clone())
    }
}

/// The feature of what no pattern covers: its first segment that is not `api` or a version.
fn first_segment(route: &str) -> &str {
    let is_prefix =
        |segment: &str| segment.eq_ignore_ascii_case("api") || segment.strip_prefix('v').is_some_and(|rest| rest.parse::<u32>().is_ok());
    let mut segments = route.split('/').filter(|segment| !segment.is_empty());
    segments.clone().find(|segment| !is_prefix(segment)).or_else(|| segments.next()).unwrap_or("/")
}

/// `GET /users/{id}` as `Users › id`, `POST /orders` as `Orders (POST)`.
fn readable(method: &str, route: &str) -> String {
    let words = |segment: &str| capitalized(&segment.trim_matches(['{', '}', '*']).replace(['-', '_'], " "));
    let mut segments = route.split('/').filter(|segment| !segment.is_empty());
    let first = segments.next().map_or_else(|| "/".to_owned(), words);
    let rest = segments.map(|segment| match segment.starts_with('{') {
        true => segment.trim_matches(['{', '}', '*']).to_owned(),
        false => words(segment),
    });
    let name = std::iter::once(first).chain(rest).collect::<Vec<_>>().join(" › ");
    if matches!(method, "" | "GET") { name } else { format!("{name} ({method})") }
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_have_names_for_people() {
        assert_eq!(readable("GET", "/users/{id}"), "Users › id");
        assert_eq!(readable("POST", "/user-groups/{id}/members"), "User groups › id › Members (POST)");
        assert_eq!(readable("", "(unmatched)"), "(unmatched)");
        assert_eq!(readable("GET", "/"), "/");
    }

    #[test]
    fn what_no_feature_covers_falls_under_its_first_segment() {
        assert_eq!(first_segment("/api/v1/things/{id}"), "things");
        assert_eq!(
            (first_segment("/items"), first_segment("/"), first_segment("/api"), first_segment("(unmatched)")),
            ("items", "/", "api", "(unmatched)")
        );
        assert_eq!(first_segment("/shop.Cart/Add"), "shop.Cart");
    }
}

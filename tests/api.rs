//! The JSON API over the router: what it answers, what it refuses, and that it is what its own description says.

use std::time::Duration;

use axum::{Router, body::Body};
use http_body_util::BodyExt;
use hyper::{Request, StatusCode, header};
use serde_json::Value;
use tower::ServiceExt;
use tower_analytics::{Analytics, Clock, Head, Hit, Role};

struct Api {
    analytics: Analytics,
    clock: Clock,
    app: Router,
}

struct Reply {
    status: StatusCode,
    headers: hyper::HeaderMap,
    text: String,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error} in {}", self.text))
    }
}

/// Whoever says a role in `x-role` has it.
fn guard(head: &Head<'_>) -> Option<Role> {
    match head.header("x-role")? {
        "user" => Some(Role::User),
        "mod" => Some(Role::Mod),
        _ => None,
    }
}

impl Api {
    fn new() -> Self {
        let (analytics, clock) = Analytics::testing();
        let app = Router::new().merge(analytics.dashboard(guard)).layer(analytics.layer());
        Self { analytics, clock, app }
    }

    /// Three days of two people, a visitor and a bot.
    fn with_traffic() -> Self {
        let api = Self::new();
        for hour in 0..72 {
            for (user, agent) in [("ann", "okhttp/5"), ("=cmd", "okhttp/5"), ("", "Mozilla/5.0 Firefox/140.0"), ("", "Googlebot/2.1")] {
                let mut hit = Hit::new("GET", ["/items", "/items/{id}", "/orders"][hour % 3]);
                hit.set_user(user);
                hit.set_client(if user == "ann" { "ios" } else { "" }, if user.is_empty() { "" } else { "3.10" }, "", agent);
                hit.set_address([10, 1, 2, hour as u8].into());
                hit.set_times(Duration::from_millis(5 + hour as u64), Duration::ZERO);
                if hour % 10 == 0 {
                    hit.set_status(500);
                    hit.set_error("Broken", "it said \"no\" 7 times");
                }
                api.analytics.record(&hit);
            }
            api.clock.advance(Duration::from_secs(3600));
        }
        api.analytics.flush().unwrap();
        api
    }

    async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        let mut request = Request::get(format!("/analytics/api/{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let text = String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Reply { status, headers, text }
    }

    async fn get(&self, path: &str) -> Reply {
        self.get_with(path, &[("x-role", "mod")]).await
    }

    /// Every path of the description, those that name one thing with one that is there.
    async fn paths(&self) -> (Vec<(String, Value)>, Value) {
        let document = self.get("openapi.json").await.json();
        let session = self.get("sessions?limit=1").await.json()["sessions"][0]["session_id"].as_str().unwrap().to_owned();
        let path = |path: &str| path.replace("{session_id}", &session).replace("{user_id}", "ann").replacen("/api/", "", 1);
        let paths = document["paths"].as_object().unwrap().iter().map(|(name, operation)| (path(name), operation["get"].clone()));
        (paths.collect(), document)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_path_answers_what_its_description_says() {
    let api = Api::with_traffic();
    let (paths, document) = api.paths().await;
    assert!(paths.len() >= 30, "{}", paths.len());
    for (path, operation) in paths {
        for query in ["", "?days=2", "?days=2&bots=include", "?from=2026-01-01T05:07:00Z&to=2026-01-03"] {
            let known = |name: &str| operation["parameters"].as_array().unwrap().iter().any(|param| param["name"] == *name);
            if (query.contains("days") && !known("days"))
                || (query.contains("bots") && !known("bots"))
                || (query.contains("from") && !known("from"))
            {
                continue;
            }
            let reply = api.get(&format!("{path}{query}")).await;
            assert_eq!(reply.status, StatusCode::OK, "{path}{query}: {}", reply.text);
            let kind = reply.headers[header::CONTENT_TYPE].to_str().unwrap().split(';').next().unwrap().to_owned();
            let content = &operation["responses"]["200"]["content"][&kind];
            assert!(content.is_object(), "{path}{query} answered {kind}");
            if kind == "application/json" {
                fits(&document, &content["schema"], &reply.json(), &format!("{path}{query}"));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_store_is_answered_with_nothing_rather_than_an_error() {
    let api = Api::new();
    for path in api.get("openapi.json").await.json()["paths"].as_object().unwrap().keys() {
        let path = path.replacen("/api/", "", 1);
        let reply = api.get(&path.replace("{session_id}", "202601-1").replace("{user_id}", "ann")).await;
        let expected = if path.contains('{') { StatusCode::NOT_FOUND } else { StatusCode::OK };
        assert_eq!(reply.status, expected, "{path}: {}", reply.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_named_with_what_is_allowed() {
    let api = Api::with_traffic();
    for (query, parameter, says) in [
        ("stats?days=0", "days", "from 1 to 100000"),
        ("stats?days=week", "days", "whole number"),
        ("stats?days=7&from=2026-01-01", "days", "one of them"),
        ("stats?from=yesterday", "from", "2026-11-02"),
        ("stats?to=2026-13-01", "to", "2026-11-02"),
        ("stats?status=teapot", "status", "4xx"),
        ("stats?bots=yes", "bots", "exclude, only, include"),
        ("stats?dayz=7", "dayz", "allowed are days"),
        ("stats?days=7&days=8", "days", "twice"),
        ("chart/peak-hours?tz=Mars/Olympus", "tz", "Europe/Berlin"),
        ("chart/traffic?interval=minute", "interval", "15min"),
        ("chart/traffic?interval=15min&from=1990-01-01", "interval", "longer interval"),
        ("chart/user-growth?interval=hour", "interval", "day, week, month"),
        ("users?limit=1001", "limit", "1000"),
        ("users?cursor=abc", "cursor", "next_cursor"),
        ("users?order=name", "order", "first_seen"),
        ("inactive-users?idle_days=-1", "idle_days", "whole number"),
        ("features/comparison?other_from=2026-01-01", "other_to", "other_to"),
        ("health?verbose=1", "verbose", "none"),
    ] {
        let reply = api.get(query).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{query}: {}", reply.text);
        let problem = reply.json();
        assert_eq!(problem["parameter"], parameter, "{query}");
        assert!(problem["error"].as_str().unwrap().contains(says), "{query}: {problem}");
    }
    for (path, what) in [("session/202601-999", "session"), ("session/nonsense", "session"), ("user/nobody", "user")] {
        let reply = api.get(path).await;
        assert_eq!((reply.status, reply.json()["error"].as_str().unwrap().contains(what)), (StatusCode::NOT_FOUND, true), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_see_it_is_told_so_in_json() {
    let api = Api::with_traffic();
    for (headers, status) in [(&[][..], StatusCode::UNAUTHORIZED), (&[("x-role", "user")][..], StatusCode::FORBIDDEN)] {
        for path in ["stats", "users.csv", "session/202601-1", "openapi.json"] {
            let reply = api.get_with(path, headers).await;
            assert_eq!(reply.status, status, "{path}");
            assert!(reply.json()["error"].is_string());
        }
        // Monitors hear whether it works, and nothing else.
        let health = api.get_with("health", headers).await;
        assert_eq!((health.status, health.text.as_str()), (StatusCode::OK, r#"{"status":"recording"}"#));
    }
    assert_eq!(api.get("health").await.json()["detail"]["counters"]["written"], 288);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_known_is_not_sent_again() {
    let api = Api::with_traffic();
    for path in ["stats", "users", "users.csv"] {
        let first = api.get(path).await;
        let tag = first.headers[header::ETAG].to_str().unwrap().to_owned();
        let again = api.get_with(path, &[("x-role", "mod"), ("if-none-match", &format!("\"other\", {tag}"))]).await;
        assert_eq!(
            (again.status, again.text.as_str(), again.headers[header::ETAG].to_str().unwrap()),
            (StatusCode::NOT_MODIFIED, "", &*tag)
        );
        let mut hit = Hit::new("GET", "/items");
        hit.set_user(&format!("new, {path}"));
        api.analytics.record(&hit);
        let analytics = api.analytics.clone();
        tokio::task::spawn_blocking(move || analytics.flush().unwrap()).await.unwrap();
        let changed = api.get_with(path, &[("x-role", "mod"), ("if-none-match", &tag)]).await;
        assert_eq!(changed.status, StatusCode::OK, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_csv_for_whoever_wants_it() {
    let api = Api::with_traffic();
    let reply = api.get("users.csv?limit=1").await;
    assert_eq!(reply.headers[header::CONTENT_TYPE], "text/csv; charset=utf-8");
    let lines: Vec<&str> = reply.text.split("\r\n").collect();
    assert!(lines[0].starts_with("user_id,user_name,first_seen,"), "{}", lines[0]);
    assert!(lines[1].starts_with("'=cmd,"), "a formula is text: {}", lines[1]);
    assert_eq!(lines.len(), 3);
    let cursor = reply.headers["x-next-cursor"].to_str().unwrap();
    let next = api.get(&format!("users.csv?limit=1&cursor={cursor}")).await;
    assert!(next.text.contains("\r\nann,") && !next.headers.contains_key("x-next-cursor"), "{}", next.text);
    let accepted = api.get_with("users?limit=1", &[("x-role", "mod"), ("accept", "text/csv")]).await;
    assert_eq!(accepted.text, reply.text);
    let browser = api.get_with("users", &[("x-role", "mod"), ("accept", "text/html,*/*")]).await;
    assert!(browser.json()["users"].is_array());
    assert!(api.get("errors.csv?list=errors").await.text.contains("Broken"));
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_the_api_say_every_session_once() {
    let api = Api::with_traffic();
    let (mut seen, mut path) = (Vec::new(), "sessions?limit=7&bots=include".to_owned());
    loop {
        let answer = api.get(&path).await.json();
        seen.extend(answer["sessions"].as_array().unwrap().iter().map(|session| session["session_id"].as_str().unwrap().to_owned()));
        let Some(cursor) = answer["next_cursor"].as_str() else { break };
        path = format!("sessions?limit=7&bots=include&cursor={cursor}");
    }
    let all = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!((seen.len(), all), (288, 288));
}

/// As much of JSON Schema as the description uses.
fn fits(document: &Value, schema: &Value, value: &Value, at: &str) {
    if let Some(reference) = schema["$ref"].as_str() {
        return fits(document, document.pointer(reference.trim_start_matches('#')).unwrap(), value, at);
    }
    if let Some(all) = schema["allOf"].as_array() {
        return all.iter().for_each(|schema| fits(document, schema, value, at));
    }
    if let Some(any) = schema["anyOf"].as_array() {
        let null = any.iter().any(|schema| schema["type"] == "null");
        let other = any.iter().find(|schema| schema["type"] != "null").unwrap();
        return if value.is_null() { assert!(null, "{at} is null") } else { fits(document, other, value, at) };
    }
    let kinds: Vec<&str> = match &schema["type"] {
        Value::String(kind) => vec![kind],
        Value::Array(kinds) => kinds.iter().map(|kind| kind.as_str().unwrap()).collect(),
        _ => panic!("{at}: no type in {schema}"),
    };
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    assert!(kinds.contains(&kind) || (kind == "integer" && kinds.contains(&"number")), "{at} is {kind}, not {kinds:?}");
    if let Some(minimum) = schema["minimum"].as_f64() {
        assert!(value.as_f64().is_none_or(|value| value >= minimum), "{at} is {value}");
    }
    if let Value::Array(items) = value {
        items.iter().enumerate().for_each(|(place, item)| fits(document, &schema["items"], item, &format!("{at}[{place}]")));
    }
    if let (Value::Object(fields), Some(properties)) = (value, schema["properties"].as_object()) {
        for name in schema["required"].as_array().into_iter().flatten() {
            assert!(fields.contains_key(name.as_str().unwrap()), "{at} has no {name}");
        }
        for (name, schema) in properties {
            if let Some(value) = fields.get(name) {
                fits(document, schema, value, &format!("{at}.{name}"));
            }
        }
    }
}

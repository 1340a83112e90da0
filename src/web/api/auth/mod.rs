//! The sign-in for programs: who one is, who else is in, and which tokens count no more.

mod counters;
mod revocations;
mod session;
mod sessions;

use std::sync::Arc;

use axum::{Json, body::Body, response::IntoResponse, response::Response};
use http::{HeaderMap, StatusCode};
use serde::{Serialize, de::DeserializeOwned};

use super::problem::Problem;
use crate::{
    auth::signin::sign_in::SignIn,
    error::{Error, ErrorKind},
    web::{host::Host, login::open, site::Site},
};

pub(crate) fn register(host: &mut Host) {
    counters::register(host);
    session::register(host);
    sessions::register(host);
    revocations::register(host);
}

/// In bytes.
const LONGEST_BODY: usize = 16 * 1024;

fn sign_in_of(site: &Site) -> Result<&Arc<SignIn>, Problem> {
    open(site).map(|(_, sign_in)| sign_in).ok_or_else(Problem::unknowable)
}

/// A question to access.db, whose faults are said as the store's are.
async fn asked<T: Send + 'static>(site: &Site, question: impl FnOnce(&SignIn) -> Result<T, Error> + Send + 'static) -> Result<T, Problem> {
    let sign_in = Arc::clone(sign_in_of(site)?);
    crate::auth::signin::sign_in::off_thread(move || question(&sign_in)).await.map_err(|error| match error.kind() {
        ErrorKind::Full => Problem::new(StatusCode::INSUFFICIENT_STORAGE, error.to_string()),
        _ => error.into(),
    })
}

/// A body of JSON, read after everything else was checked.
async fn read<T: DeserializeOwned>(headers: &HeaderMap, body: Body) -> Result<T, Problem> {
    let kind = headers.get(http::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json")) {
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "JSON, please: `Content-Type: application/json`"));
    }
    let too_long = |_| Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("at most {LONGEST_BODY} bytes"));
    let bytes = axum::body::to_bytes(body, LONGEST_BODY).await.map_err(too_long)?;
    serde_json::from_slice(&bytes)
        .map_err(|error| Problem::new(StatusCode::BAD_REQUEST, format!("the body is not as it should be: {error}")))
}

fn answer<T: Serialize>(result: Result<T, Problem>) -> Response {
    match result {
        Ok(answer) => Json(answer).into_response(),
        Err(problem) => problem.into_response(),
    }
}

fn done(result: Result<(), Problem>) -> Response {
    match result {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(problem) => problem.into_response(),
    }
}

/// Seconds since 1970.
fn seconds(millis: crate::clock::Millis) -> i64 {
    millis.div_euclid(1000)
}

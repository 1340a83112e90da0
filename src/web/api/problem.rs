use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use schemars::JsonSchema;
use serde::Serialize;

use crate::error::{Error, ErrorKind};

/// Why there is no answer, and what to do about it.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::web) struct Problem {
    #[serde(skip)]
    status: StatusCode,
    /// One sentence for people.
    error: String,
    /// The parameter that was wrong, if one was.
    parameter: Option<String>,
}

impl Problem {
    pub(in crate::web) fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self { status, error: error.into(), parameter: None }
    }

    pub(in crate::web) fn wrong(parameter: &str, error: impl Into<String>) -> Self {
        Self { parameter: Some(parameter.to_owned()), ..Self::new(StatusCode::BAD_REQUEST, error) }
    }

    /// What to say about it.
    pub(in crate::web) fn message(&self) -> &str {
        &self.error
    }

    pub(in crate::web) fn of_role(is_signed_in: bool) -> Self {
        match is_signed_in {
            false => Self::new(StatusCode::UNAUTHORIZED, "sign in first, or send a token"),
            true => Self::new(StatusCode::FORBIDDEN, "your role does not include this"),
        }
    }

    pub(in crate::web) fn forged() -> Self {
        let error = "this may be another site's doing: send the request from a page of this origin, as JSON or with the session's `csrf` \
                     value in X-Analytics-CSRF; or with a bearer token and no cookie";
        Self::new(StatusCode::FORBIDDEN, error)
    }

    pub(in crate::web) fn unknowable() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "who you are cannot be known now; the server's log says why")
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let status = match error.kind() {
            ErrorKind::Question => StatusCode::BAD_REQUEST,
            ErrorKind::NoRaw => StatusCode::UNPROCESSABLE_ENTITY,
            ErrorKind::Timeout | ErrorKind::Cancelled => StatusCode::SERVICE_UNAVAILABLE,
            // Written by the plugin's author for whoever looks at it; the causes are for the log.
            ErrorKind::Plugin => {
                tracing::error!(error = %error.chain(), "a plugin could not answer");
                StatusCode::INTERNAL_SERVER_ERROR
            }
            _ => {
                // What went wrong goes to the log; who asks hears no more than that it did.
                tracing::error!(error = %error.chain(), "a question could not be answered");
                return Self::new(StatusCode::INTERNAL_SERVER_ERROR, "the store could not answer; the server's log says what is wrong");
            }
        };
        let parameter = error.parameter().map(str::to_owned);
        Self { parameter, ..Self::new(status, error.to_string()) }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(&self)).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"analytics\""));
        }
        response
    }
}

use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use http::{StatusCode, header};

use super::links::Links;
use crate::error::Error;

/// A page that could not be shown, and what to do about it.
pub(super) struct Fault {
    status: StatusCode,
    title: &'static str,
    what: String,
    links: Option<Links>,
    can_leave: bool,
}

#[derive(Template)]
#[template(path = "fault.html")]
struct FaultPage<'a> {
    title: &'a str,
    what: &'a str,
    /// Whether whoever sees it may go on to the first page.
    goes_on: bool,
    links: Option<&'a Links>,
    can_leave: bool,
}

impl Fault {
    pub(super) fn sign_in() -> Self {
        let what = "This page is for people who are signed in. The server that you started prints a sign-in link when it starts; \
                    in an app, its own sign-in decides who may see this.";
        Self { status: StatusCode::UNAUTHORIZED, title: "Please sign in", what: what.to_owned(), links: None, can_leave: false }
    }

    pub(super) fn forbidden() -> Self {
        let what = "You are signed in, but your role does not include this page.";
        Self { status: StatusCode::FORBIDDEN, title: "Not for your role", what: what.to_owned(), links: None, can_leave: false }
    }

    #[cfg(feature = "cli")]
    pub(super) fn link_is_over() -> Self {
        let what = "A sign-in link works once and for ten minutes. Start the server again for a new one.";
        Self { status: StatusCode::GONE, title: "This link is over", what: what.to_owned(), links: None, can_leave: false }
    }

    pub(super) fn cross_site() -> Self {
        let what = "Another site may have sent you here with a form, or something in between has taken out what browsers say about that. \
                    Open the page itself, and press the button there.";
        Self { status: StatusCode::FORBIDDEN, title: "Not from another site", what: what.to_owned(), links: None, can_leave: false }
    }

    pub(super) fn unknowable() -> Self {
        let what = "Who you are cannot be known now, so nobody is let in. The server's log says why; it is tried again by itself.";
        Self { status: StatusCode::SERVICE_UNAVAILABLE, title: "Not now", what: what.to_owned(), links: None, can_leave: false }
    }

    /// Brings a button to sign out with.
    pub(super) fn leaving(self, can_leave: bool) -> Self {
        Self { can_leave, ..self }
    }

    /// The address says something that cannot be.
    pub(super) fn wrong(what: &str) -> Self {
        Self { status: StatusCode::BAD_REQUEST, title: "That cannot be shown", what: format!("{what}."), links: None, can_leave: false }
    }

    pub(super) fn missing(what: &str) -> Self {
        Self { status: StatusCode::NOT_FOUND, title: "Not found", what: what.to_owned(), links: None, can_leave: false }
    }

    pub(super) fn with(self, links: Links) -> Self {
        Self { links: Some(links), ..self }
    }
}

impl From<Error> for Fault {
    /// What went wrong goes to the log; the page says no more than that it did.
    fn from(error: Error) -> Self {
        tracing::error!(error = %error.chain(), "a page could not be answered");
        let what = "The store could not answer. Requests to your service go on; the server's log says what is wrong.";
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, title: "That did not work", what: what.to_owned(), links: None, can_leave: false }
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let goes_on = matches!(self.status, StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND | StatusCode::INTERNAL_SERVER_ERROR);
        let page = FaultPage { title: self.title, what: &self.what, goes_on, links: self.links.as_ref(), can_leave: self.can_leave };
        let body = page.render().unwrap_or_else(|_| self.title.to_owned());
        let mut response = (self.status, Html(body)).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer realm=\"analytics\""));
        }
        response
    }
}

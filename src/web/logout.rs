//! Signing out: a page with one button, because a link must not change anything, and what the button does.

use askama::Template;
use axum::{
    Extension,
    extract::State,
    response::{Html, IntoResponse, Redirect, Response},
    routing::get,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};

use super::{assets, fault::Fault, guarded::Granted, host::Host, links::Links, login, seen::Seen, site::Site, who::cookie_for};
use crate::{
    access::Role,
    auth::{
        audit,
        signin::{
            cookies::SessionCookie,
            csrf::{self, Change},
            sign_in::off_thread,
        },
    },
};

#[derive(Template)]
#[template(path = "logout.html")]
struct LogoutPage {
    links: Links,
    name: String,
}

pub(crate) fn register(host: &mut Host) {
    host.page("logout", Role::Anyone, get(show).post(sign_out));
}

async fn show(Extension(links): Extension<Links>, Extension(granted): Extension<Granted>) -> Response {
    let Some(who) = granted.0.filter(|who| who.session.is_some()) else { return Redirect::to(&links.to("login")).into_response() };
    let page = LogoutPage { name: who.name.unwrap_or_default(), links: links.clone() };
    page.render().map_or_else(|_| Fault::unknowable().with(links).into_response(), |html| Html(html).into_response())
}

async fn sign_out(
    State(site): State<Site>,
    Extension(links): Extension<Links>,
    Extension(granted): Extension<Granted>,
    Extension(seen): Extension<Seen>,
    headers: HeaderMap,
) -> Response {
    if csrf::check(&Method::POST, &headers, &seen.own, Change::Form).is_err() {
        return Fault::cross_site().with(links).into_response();
    }
    let Some((auth, shared)) = login::open(&site) else { return Fault::unknowable().with(links).into_response() };
    if let Ok(Some(token)) = SessionCookie::find(&headers, auth.config().login.insecure_cookies_for_loopback) {
        let db = std::sync::Arc::clone(shared.db());
        match off_thread(move || db.end(&token)).await {
            Ok(true) => audit::signed_out(granted.0.and_then(|who| who.name).as_deref()),
            Ok(false) => {}
            Err(error) => return Fault::from(error).with(links).into_response(),
        }
    }
    let mut response = Redirect::to(&links.to("login")).into_response();
    let answer = response.headers_mut();
    if let Some(cookie) = cookie_for(auth, &seen).and_then(SessionCookie::clear) {
        answer.append(header::SET_COOKIE, cookie);
    }
    // Neither cookies nor storage: those of the app that we live in would go too.
    answer.insert(HeaderName::from_static("clear-site-data"), HeaderValue::from_static("\"cache\""));
    response
}

impl LogoutPage {
    fn style(&self) -> String {
        self.links.to(assets::style())
    }
}

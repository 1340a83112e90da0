//! The page behind the one-time link: one button, which exchanges it for a session.

use askama::Template;
use axum::{
    Extension,
    extract::Path,
    response::{Html, IntoResponse, Redirect, Response},
    routing::get,
};
use http::{HeaderMap, HeaderValue, header};

use super::{assets, fault::Fault, host::Host, links::Links};
use crate::{
    access::Role,
    auth::{LINK_COOKIE, OneTimeLink},
};

#[derive(Template)]
#[template(path = "link.html")]
struct LinkPage {
    links: Links,
    action: String,
}

pub(super) fn register(host: &mut Host, link: OneTimeLink) {
    let show = {
        let link = link.clone();
        async move |Extension(links): Extension<Links>, Path(secret): Path<String>| {
            if !link.is_good(&secret) {
                return Fault::link_is_over().with(links).into_response();
            }
            let page = LinkPage { action: links.to(&format!("link/{secret}")), links };
            page.render().map_or_else(|_| Fault::link_is_over().into_response(), |html| Html(html).into_response())
        }
    };
    let exchange = async move |Extension(links): Extension<Links>, Path(secret): Path<String>, headers: HeaderMap| {
        if !is_same_origin(&headers) {
            return Fault::cross_site().with(links).into_response();
        }
        match link.exchange(&secret) {
            Ok(Some(session)) => signed_in(&links, &session),
            Ok(None) => Fault::link_is_over().with(links).into_response(),
            Err(error) => Fault::from(error).with(links).into_response(),
        }
    };
    host.route("link/{secret}", Role::Anyone, get(show).post(exchange));
}

fn signed_in(links: &Links, session: &str) -> Response {
    let cookie = format!("{LINK_COOKIE}={session}; Path={}; HttpOnly; SameSite=Lax", links.home());
    let mut response = Redirect::to(links.home()).into_response();
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// A form on another site must not sign anybody in. Browsers say where a form comes from; what is no browser has no cookies to lose.
fn is_same_origin(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => origin.split_once("://").map(|(_, host)| host) == text("host"),
        (None, None) => true,
    }
}

impl LinkPage {
    fn style(&self) -> String {
        self.links.to(assets::style())
    }
}

//! The page behind the one-time link: it makes the first admin.

use askama::Template;
use axum::{
    Extension,
    extract::{Path, Request, State},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use http::StatusCode;

use super::{
    assets,
    fault::Fault,
    form::Form,
    host::Host,
    links::Links,
    login::{self, signed_in},
    seen::Seen,
    site::Site,
    who::cookie_for,
};
use crate::{
    access::Role,
    auth::{
        OneTimeLink,
        signin::{
            csrf::{self, Change},
            passwords::Password,
        },
    },
    error::ErrorKind,
};

#[derive(Template)]
#[template(path = "setup.html")]
struct SetupPage {
    links: Links,
    action: String,
    name: String,
    problem: Option<String>,
}

pub(super) fn register(host: &mut Host, link: OneTimeLink) {
    let show = {
        let link = link.clone();
        async move |Extension(links): Extension<Links>, Path(secret): Path<String>| {
            if !link.is_good(&secret) {
                return Fault::link_is_over().with(links).into_response();
            }
            page(links, &secret, "admin".to_owned(), None)
        }
    };
    let create = async move |State(site): State<Site>,
                             Extension(links): Extension<Links>,
                             Extension(seen): Extension<Seen>,
                             Path(secret): Path<String>,
                             request: Request| { make_admin(&site, links, &seen, &link, &secret, request).await };
    host.page("link/{secret}", Role::Anyone, get(show).post(create));
}

async fn make_admin(site: &Site, links: Links, seen: &Seen, link: &OneTimeLink, secret: &str, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    if csrf::check(&parts.method, &parts.headers, &seen.own, Change::SignIn).is_err() {
        return Fault::cross_site().with(links).into_response();
    }
    if !link.is_good(secret) {
        return Fault::link_is_over().with(links).into_response();
    }
    let Some((auth, shared)) = login::open(site) else { return Fault::unknowable().with(links).into_response() };
    let form = match Form::read(&parts.headers, body).await {
        Ok(form) => form,
        Err(status) => return status.into_response(),
    };
    let field = |name: &str| form.only(name).ok().flatten().unwrap_or_default();
    let name = field("username");
    let Some(cookie) = cookie_for(auth, seen) else {
        let problem = "This needs https, or a browser on the machine itself: over plain http anybody on the way could read the password.";
        return page(links, secret, name, Some(problem.to_owned()));
    };
    let password = field("password");
    if password != field("again") {
        return page(links, secret, name, Some("These are two different passwords.".to_owned()));
    }
    let password = match Password::chosen(password) {
        Ok(password) => password,
        Err(problem) => return page(links, secret, name, Some(format!("Sorry, {problem}."))),
    };
    match shared.first_admin(name.clone(), password).await {
        Ok(Some(begun)) => {
            link.use_up();
            signed_in(cookie, &begun, links.home())
        }
        Ok(None) => {
            link.use_up();
            Fault::link_is_over().with(links).into_response()
        }
        Err(error) if error.kind() == ErrorKind::Question => page(links, secret, name, Some(error.to_string())),
        Err(error) => Fault::from(error).with(links).into_response(),
    }
}

fn page(links: Links, secret: &str, name: String, problem: Option<String>) -> Response {
    let status = if problem.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let page = SetupPage { action: links.to(&format!("link/{secret}")), links: links.clone(), name, problem };
    page.render().map_or_else(|_| Fault::unknowable().with(links).into_response(), |html| (status, Html(html)).into_response())
}

impl SetupPage {
    fn style(&self) -> String {
        self.links.to(assets::style())
    }
}

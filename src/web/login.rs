//! The form to sign in with. Works without scripts, and with password managers: the fields, their names and the answers (303 after a
//! success, 401 after a failure) are what these look for.

use askama::Template;
use axum::{
    Extension,
    extract::{RawQuery, Request, State},
    response::{Html, IntoResponse, Redirect, Response},
    routing::get,
};
use http::{HeaderValue, StatusCode, header};

use super::{
    assets,
    fault::Fault,
    form::Form,
    guarded::Granted,
    host::Host,
    links::Links,
    seen::Seen,
    site::Site,
    who::{Who, cookie_for},
};
use crate::{
    access::Role,
    auth::{
        Auth,
        signin::{
            cookies::SessionCookie,
            csrf::{self, Change},
            next::Next,
            passwords::Password,
            session::Begun,
            sign_in::{Applicant, NotIn, SignIn, off_thread},
        },
    },
    layer::{Proxies, head_of},
};

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    links: Links,
    next: String,
    /// Filled in again after a failure.
    name: String,
    problem: Option<String>,
    /// Nobody can sign in yet: how somebody gets to.
    has_users: bool,
    /// Over plain http there is no form: a password must not be sent to learn that it should not have been.
    has_form: bool,
}

const NEEDS_HTTPS: &str = "Signing in needs https: over plain http anybody on the way could take over your session.";

/// In bytes.
const LONGEST_NAME: usize = 256;

pub(crate) fn register(host: &mut Host) {
    host.page("login", Role::Anyone, get(show).post(sign_in));
}

async fn show(
    State(site): State<Site>,
    Extension(links): Extension<Links>,
    Extension(granted): Extension<Granted>,
    Extension(seen): Extension<Seen>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Response {
    if let Some(wanted) = original_target(&request, &site.proxies, &links) {
        // A proxy asked on behalf of whoever it has not let in. With a good credential, signing in once more would change nothing.
        return match granted.0.filter(Who::is_by_credential) {
            Some(who) => Fault::forbidden().leaving(who.can_leave()).with(links).into_response(),
            None => to_form(&links, &wanted),
        };
    }
    let is_in = granted.0.is_some_and(|who| who.session.is_some());
    let next = Form::parse(query.unwrap_or_default().as_bytes()).only("next").unwrap_or_default();
    let next = Next::of(next.as_deref(), links.home());
    if is_in {
        return Redirect::to(next.as_str()).into_response();
    }
    let has_cookie = site.auth.as_ref().is_some_and(|auth| cookie_for(auth, &seen).is_some());
    let problem = (!has_cookie).then(|| NEEDS_HTTPS.to_owned());
    page(&site, links, next, String::new(), problem, StatusCode::OK).await
}

async fn sign_in(
    State(site): State<Site>,
    Extension(links): Extension<Links>,
    Extension(seen): Extension<Seen>,
    request: Request,
) -> Response {
    if let Some(wanted) = original_target(&request, &site.proxies, &links) {
        // The form of a page that a proxy guards.
        return to_form(&links, &wanted);
    }
    let (parts, body) = request.into_parts();
    if csrf::check(&parts.method, &parts.headers, &seen.own, Change::SignIn).is_err() {
        return Fault::cross_site().with(links).into_response();
    }
    let Some((auth, shared)) = open(&site) else { return Fault::unknowable().with(links).into_response() };
    let form = match Form::read(&parts.headers, body).await {
        Ok(form) => form,
        Err(status) => return (status, "a form with `username` and `password`, please\n").into_response(),
    };
    let (Ok(name), Ok(password), Ok(next)) = (form.only("username"), form.only("password"), form.only("next")) else {
        return (StatusCode::BAD_REQUEST, "a field is there twice\n").into_response();
    };
    let (Some(name), Some(password)) = (name, password) else {
        return (StatusCode::BAD_REQUEST, "`username` or `password` is missing\n").into_response();
    };
    let next = Next::of(next.as_deref(), links.home());
    let Some(cookie) = cookie_for(auth, &seen) else {
        let problem = Some(NEEDS_HTTPS.to_owned());
        return page(&site, links, next, name, problem, StatusCode::FORBIDDEN).await;
    };
    let wrong = Some("Sign-in failed. Check the name and the password.".to_owned());
    let Some(password) = Password::new(password).filter(|_| name.len() <= LONGEST_NAME) else {
        return page(&site, links, next, String::new(), wrong, StatusCode::UNAUTHORIZED).await;
    };
    let before = SessionCookie::find(&parts.headers, auth.config().login.insecure_cookies_for_loopback).ok().flatten();
    match shared.admit(Applicant { name: name.clone(), password, address: seen.client, before }).await {
        Ok(begun) => signed_in(cookie, &begun, next.as_str()),
        Err(NotIn::Wrong) => page(&site, links, next, name, wrong, StatusCode::UNAUTHORIZED).await,
        Err(NotIn::Wait(wait)) => {
            let problem = Some(format!("Too many attempts. Try again in {} seconds.", wait.seconds()));
            let response = page(&site, links, next, name, problem, StatusCode::TOO_MANY_REQUESTS).await;
            after(response, wait.seconds())
        }
        Err(NotIn::Busy) => {
            let problem = Some("Too many people sign in at this moment. Try again in some seconds.".to_owned());
            after(page(&site, links, next, name, problem, StatusCode::SERVICE_UNAVAILABLE).await, 5)
        }
        Err(NotIn::Broken(error)) => Fault::from(error).with(links).into_response(),
    }
}

/// The sign-in of a site that has one.
pub(super) fn open(site: &Site) -> Option<(&Auth, &std::sync::Arc<SignIn>)> {
    let auth = site.auth.as_ref()?;
    Some((auth, auth.sign_in().ok()??))
}

/// The answer that gives a browser its session.
pub(super) fn signed_in(cookie: SessionCookie, begun: &Begun, next: &str) -> Response {
    let mut response = Redirect::to(next).into_response();
    if let Some(cookie) = cookie.set(&begun.token) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// What a request wanted that a trusted proxy has sent here instead: NGINX cannot put it into a query without losing parts of it.
fn original_target(request: &Request, proxies: &Proxies, links: &Links) -> Option<String> {
    let head = head_of(request, None, proxies);
    let wanted = head.header("x-original-uri").filter(|_| head.is_from_trusted_proxy())?;
    let path = wanted.split(['?', '#']).next().unwrap_or_default();
    (path != links.to("login")).then(|| wanted.to_owned())
}

fn to_form(links: &Links, wanted: &str) -> Response {
    let next = Next::of(Some(wanted), links.home());
    Redirect::to(&links.sign_in_for(next.as_str())).into_response()
}

async fn page(site: &Site, links: Links, next: Next, name: String, problem: Option<String>, status: StatusCode) -> Response {
    let Some((_, shared)) = open(site) else { return Fault::unknowable().with(links).into_response() };
    let db = std::sync::Arc::clone(shared.db());
    let has_users = match off_thread(move || db.has_users()).await {
        Ok(has_users) => has_users,
        Err(error) => return Fault::from(error).with(links).into_response(),
    };
    let has_form = problem.as_deref() != Some(NEEDS_HTTPS);
    let page = LoginPage { next: next.to_string(), links: links.clone(), name, problem, has_users, has_form };
    let Ok(html) = page.render() else { return Fault::unknowable().with(links).into_response() };
    let mut response = (status, Html(html)).into_response();
    if status == StatusCode::UNAUTHORIZED {
        let realm = site.auth.as_ref().map(|auth| auth.config().realm.clone()).unwrap_or_default();
        if let Ok(challenge) = HeaderValue::from_str(&format!("Bearer realm=\"{realm}\"")) {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
    }
    response
}

fn after(mut response: Response, seconds: u64) -> Response {
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

impl LoginPage {
    fn style(&self) -> String {
        self.links.to(assets::style())
    }
}

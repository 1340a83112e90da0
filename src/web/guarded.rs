//! Who may come in: what every route goes through.

use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Redirect, Response},
    routing::{MethodRouter, get},
};
use http::{HeaderValue, Method, header};

use super::{
    api::Problem,
    fault::Fault,
    host::Route,
    links::Links,
    site::Site,
    slash,
    who::{Seen, Unknowable, Who, is_forged},
};
use crate::{access::Role, layer::head_of};

/// Whoever asks, if they are known; for routes that say more to some.
#[derive(Clone, Debug)]
pub(super) struct Granted(pub(super) Option<Who>);

impl Granted {
    pub(super) fn role(&self) -> Option<Role> {
        self.0.as_ref().map(|who| who.role)
    }
}

/// All of them, each closed to roles below the one it takes; pages also with a slash at the end, as closed.
pub(super) fn router(routes: Vec<Route>, site: Site) -> Router {
    let mut router = Router::new();
    for Route { path, role, methods, is_data } in routes {
        let guarded = |methods: MethodRouter<Site>| methods.layer(middleware::from_fn_with_state((site.clone(), role, is_data), check));
        let (base, is_first) = (&site.base_path, path.is_empty());
        let path = if is_first { base.to_string() } else { format!("{base}/{path}") };
        if !is_data {
            // The first page itself: NGINX leads from `/analytics` to `/analytics/` where its location ends so, and would be led back for ever.
            let with_slash = if is_first { methods.clone() } else { get(slash::to_page) };
            router = router.route(&format!("{path}/"), guarded(with_slash));
        }
        router = router.route(&path, guarded(methods));
    }
    router.with_state(site)
}

async fn check(State((site, needed, is_data)): State<(Site, Role, bool)>, mut request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let links = Links::of(&parts, &site.base_path, site.public_url.as_deref());
    request = Request::from_parts(parts, body);
    // Asked for every request, before its body is read, so that a session that ended is a session that ended.
    let head = head_of(&request, None, &site.proxies);
    let seen = Seen::of(&head, &site);
    // What everybody gets, caches may keep and other sites may cause: no place for a session's next token.
    let who = match Who::of(&site, &head, &seen, needed != Role::Anyone).await {
        Ok(who) => who,
        Err(Unknowable) if needed == Role::Anyone => None,
        Err(Unknowable) => return refused(Refusal::Unknowable, is_data, links, &request),
    };
    let refusal = match who.as_ref().map(|who| who.role) {
        _ if needed == Role::Anyone => None,
        None => Some(Refusal::Stranger { has_form: site.has_form() }),
        Some(role) if role < needed => Some(Refusal::Role { can_leave: who.as_ref().is_some_and(Who::can_leave) }),
        Some(_) if is_forged(request.method(), request.headers(), &seen, who.as_ref(), is_data) => Some(Refusal::Forged),
        Some(_) => None,
    };
    #[cfg(feature = "auth")]
    if let (Some(Refusal::Role { .. }), Some(who)) = (refusal, &who) {
        crate::auth::audit::forbidden(who.name.as_deref().unwrap_or_default(), request.uri().path());
    }
    let cookie = who.as_ref().and_then(|who| who.cookie.clone());
    let mut response = match refusal {
        Some(refusal) => refused(refusal, is_data, links, &request),
        None => {
            request.extensions_mut().insert(links.of_leaver(who.as_ref().and_then(Who::leaver)));
            request.extensions_mut().insert(seen);
            request.extensions_mut().insert(Granted(who));
            next.run(request).await
        }
    };
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

/// Why a route does not answer.
#[derive(Clone, Copy)]
enum Refusal {
    Stranger { has_form: bool },
    Role { can_leave: bool },
    Forged,
    Unknowable,
}

fn refused(refusal: Refusal, is_data: bool, links: Links, request: &Request) -> Response {
    if is_data {
        return match refusal {
            Refusal::Stranger { .. } => Problem::of_role(false),
            Refusal::Role { .. } => Problem::of_role(true),
            Refusal::Forged => Problem::forged(),
            Refusal::Unknowable => Problem::unknowable(),
        }
        .into_response();
    }
    match refusal {
        // Whoever opens a page gets to sign in and comes back; nothing else is ever redirected.
        Refusal::Stranger { has_form: true } if matches!(*request.method(), Method::GET | Method::HEAD) => {
            Redirect::to(&links.sign_in(request.uri())).into_response()
        }
        Refusal::Stranger { .. } => Fault::sign_in().with(links).into_response(),
        Refusal::Role { can_leave } => Fault::forbidden().leaving(can_leave).with(links).into_response(),
        Refusal::Forged => Fault::cross_site().with(links).into_response(),
        Refusal::Unknowable => Fault::unknowable().with(links).into_response(),
    }
}

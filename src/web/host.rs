use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::MethodRouter,
};

use super::{
    api::Problem,
    dashboard::{Hub, Plugged},
    fault::Fault,
    links::Links,
};
use crate::{
    access::{Guard, Role},
    analytics::Analytics,
    layer::{Proxies, head_of},
    report::Reports,
};

/// Where capabilities register. There is no way to a route without saying the role it takes.
#[derive(Default)]
pub(crate) struct Host {
    routes: Vec<Route>,
}

struct Route {
    /// Below the base path; empty for the base path itself.
    path: String,
    role: Role,
    methods: MethodRouter<Site>,
    /// For programs: what goes wrong is said in JSON.
    is_data: bool,
}

/// The role of whoever asks, if there is one; for routes that say more to some.
#[derive(Clone, Copy, Debug)]
pub(super) struct Granted(pub(super) Option<Role>);

/// What every handler may ask for.
#[derive(Clone)]
pub(crate) struct Site {
    pub(super) reports: Reports,
    /// The recorder of this process, if it is the one that records.
    pub(super) recording: Option<Analytics>,
    /// Where those join who watch what goes on.
    pub(super) hub: Hub,
    /// Plugins that have a page.
    pub(super) plugged: Vec<Arc<Plugged>>,
    pub(super) guard: Arc<dyn Guard>,
    pub(super) base_path: Arc<str>,
    pub(super) public_url: Option<Arc<str>>,
    pub(super) proxies: Proxies,
}

impl Host {
    pub(super) fn route(&mut self, path: impl Into<String>, role: Role, methods: MethodRouter<Site>) {
        self.routes.push(Route { path: path.into(), role, methods, is_data: false });
    }

    /// A route for programs.
    pub(super) fn data(&mut self, path: impl Into<String>, role: Role, methods: MethodRouter<Site>) {
        self.routes.push(Route { path: path.into(), role, methods, is_data: true });
    }

    pub(super) fn into_router(self, site: Site) -> Router {
        let mut router = Router::new();
        for Route { path, role, methods, is_data } in self.routes {
            let guarded = methods.layer(middleware::from_fn_with_state((site.clone(), role, is_data), check));
            let path = if path.is_empty() { site.base_path.to_string() } else { format!("{}/{path}", site.base_path) };
            router = router.route(&path, guarded);
        }
        router.with_state(site)
    }

    #[cfg(test)]
    pub(super) fn declared(&self) -> Vec<(String, Role)> {
        self.routes.iter().map(|route| (route.path.clone(), route.role)).collect()
    }
}

async fn check(State((site, needed, is_data)): State<(Site, Role, bool)>, mut request: Request, next: Next) -> Response {
    // Asked for every request, so that a session that ended is a session that ended.
    let role = site.guard.role(&head_of(&request, None, &site.proxies));
    let (parts, body) = request.into_parts();
    let links = Links::of(&parts, &site.base_path, site.public_url.as_deref());
    request = Request::from_parts(parts, body);
    let denied = match role {
        _ if needed == Role::Anyone => None,
        None => Some(Fault::sign_in()),
        Some(role) if role < needed => Some(Fault::forbidden()),
        Some(_) => None,
    };
    match denied {
        Some(_) if is_data => return Problem::of_role(role.is_some()).into_response(),
        Some(fault) => return fault.with(links).into_response(),
        None => {}
    }
    request.extensions_mut().insert(links);
    request.extensions_mut().insert(Granted(role));
    next.run(request).await
}

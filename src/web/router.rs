use std::{collections::BTreeSet, fmt, sync::Arc};

use axum::Router;

#[cfg(feature = "cli")]
use super::setup;
use super::{
    api::{Document, Problem},
    dashboard, guarded, headers,
    host::Host,
    site::Site,
};
#[cfg(all(test, feature = "cli"))]
use crate::access::Role;
#[cfg(feature = "cli")]
use crate::auth::OneTimeLink;
use crate::{
    access::Guard,
    analytics::Analytics,
    config::Config,
    error::{Error, ErrorKind},
    layer::Proxies,
    report::{Cancel, Reports},
};

/// The pages, ready to be merged into any axum router, **before** the layer is added:
/// `.merge(analytics.dashboard(guard)).layer(analytics.layer())`.
///
/// Its routes all lie below the base path, it has no fallback, and it keeps its own requests from being recorded.
#[must_use = "pages are seen once they are merged into a router"]
pub struct Dashboard {
    site: Site,
    /// What plugins bring, our own first.
    hosts: Vec<Host>,
}

impl Dashboard {
    /// With nothing in it.
    pub(crate) fn new(reports: Reports, recording: Option<Analytics>, config: &Config, guard: impl Guard) -> Self {
        #[cfg(feature = "auth")]
        let auth = auth_of(&guard, config);
        let site = Site {
            hub: dashboard::Hub::new(reports.clone(), recording.clone()),
            plugged: Vec::new(),
            document: Arc::default(),
            reports,
            recording,
            guard: Arc::new(guard),
            #[cfg(feature = "auth")]
            auth,
            base_path: config.base_path.as_str().into(),
            public_url: config.public_url.as_deref().map(Into::into),
            // They were read once when the settings were checked.
            proxies: Proxies::new(&config.trusted_proxies).unwrap_or_default(),
        };
        Self { site, hosts: Vec::new() }
    }

    /// Where a plugin of this name registers.
    pub(crate) fn host(&self, name: &'static str) -> Host {
        let directory = self.site.recording.as_ref().map(|analytics| analytics.config().data.join("plugins").join(name));
        Host::new(name, self.site.reports.clone(), directory)
    }

    pub(crate) fn names(&self) -> BTreeSet<&'static str> {
        self.hosts.iter().map(|host| host.name).collect()
    }

    /// Takes what plugins bring; it was checked.
    pub(crate) fn add(&mut self, hosts: Vec<Host>) {
        for mut host in hosts {
            self.site.plugged.extend(host.settle());
            self.hosts.push(host);
        }
    }

    /// The guard, if it is one.
    #[cfg(feature = "auth")]
    pub(crate) fn auth(&self) -> Option<&crate::auth::Auth> {
        self.site.auth.as_ref()
    }

    #[cfg(feature = "auth")]
    pub(crate) fn base_path(&self) -> &str {
        &self.site.base_path
    }

    /// What is to be closed before a server can drain, if nobody records here; otherwise [`Analytics::closing`] does it.
    #[cfg(feature = "cli")]
    pub(crate) fn hub(&self) -> dashboard::Hub {
        self.site.hub.clone()
    }

    /// Whoever has the link makes the first admin.
    #[cfg(feature = "cli")]
    pub(crate) fn with_link(mut self, link: OneTimeLink) -> Self {
        let mut host = self.host("setup");
        setup::register(&mut host, link);
        self.add(vec![host]);
        self
    }

    #[cfg(all(test, feature = "cli"))]
    fn declared(&self) -> Vec<(String, Role, bool)> {
        let routes = self.hosts.iter().flat_map(|host| &host.routes);
        routes.map(|route| (route.path.clone(), route.role, route.is_data)).collect()
    }
}

/// The guard as what it is, and the data directory for its sign-in.
#[cfg(feature = "auth")]
fn auth_of(guard: &dyn std::any::Any, config: &Config) -> Option<crate::auth::Auth> {
    let auth = guard.downcast_ref::<crate::auth::Auth>()?;
    // What went wrong is in the log; until it is right nobody is let in.
    drop(auth.attach(&config.data));
    Some(auth.clone())
}

impl<S: Clone + Send + Sync + 'static> From<Dashboard> for Router<S> {
    fn from(dashboard: Dashboard) -> Self {
        let Dashboard { mut site, mut hosts } = dashboard;
        Host::start(&mut hosts, site.recording.as_ref().map(Analytics::recorder));
        let (mut routes, mut beside, mut document) = (Vec::new(), Vec::new(), Document::default());
        for host in hosts {
            routes.extend(host.routes);
            beside.extend(host.beside);
            document.extend(host.document);
        }
        site.document = Arc::new(document);
        let pages = headers::add(guarded::router(routes, site));
        beside.into_iter().fold(pages, Router::merge).with_state(())
    }
}

impl fmt::Debug for Dashboard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dashboard").field("base_path", &self.site.base_path).finish_non_exhaustive()
    }
}

/// Every blocking question goes through here, the wait for a connection included; it is ended when nobody waits any more.
pub(super) async fn answered<T: Send + 'static>(
    cancel: Cancel,
    question: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    struct OnDrop(Cancel);
    impl Drop for OnDrop {
        fn drop(&mut self) {
            self.0.cancel();
        }
    }
    let cancel = OnDrop(cancel);
    let answer = tokio::task::spawn_blocking(question).await;
    drop(cancel);
    answer.unwrap_or_else(|error| Err(Error::new(ErrorKind::Storage, "a question panicked").with_source(error).into()))
}

#[cfg(all(test, feature = "cli"))]
mod tests {
    use axum::body::Body;
    use http::{Request, StatusCode, header};
    use tower::ServiceExt;

    use super::*;
    use crate::{access::Head, clock::Clock};

    const ROLES: [Option<Role>; 5] = [None, Some(Role::Anyone), Some(Role::User), Some(Role::Mod), Some(Role::Admin)];

    /// Asks every route with every method, and looks whether it is closed to this role exactly if it should be.
    async fn walk(dashboard: Dashboard, role: Option<Role>, token: Option<&str>, has_form: bool) {
        let declared = dashboard.declared();
        assert!(declared.len() >= 30, "{declared:?}");
        let app: Router = dashboard.into();
        for (path, needed, is_data) in declared {
            for method in ["GET", "HEAD", "POST", "DELETE"] {
                let path = ["{secret}", "{session_id}", "{user_id}", "{id}"]
                    .iter()
                    .fold(path.clone(), |path, name| path.replace(name, "202611-1"));
                let uri = format!("/analytics{}{path}", if path.is_empty() { "" } else { "/" });
                let request =
                    Request::builder().method(method).uri(&uri).header("host", "localhost").header("sec-fetch-site", "same-origin");
                let request = token.iter().fold(request, |request, token| request.header("authorization", format!("Bearer {token}")));
                let request = request.header("content-type", "application/json").body(Body::empty()).unwrap();
                let response = app.clone().oneshot(request).await.unwrap();
                let status = response.status();
                let to_form =
                    response.headers().get(header::LOCATION).is_some_and(|to| to.to_str().unwrap().starts_with("/analytics/login"));
                let denied = to_form || matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
                let what = format!("{method} {uri} as {role:?}: {status}");
                match role {
                    // The form itself says 403 to who is not from here, 401 to who is not known.
                    _ if needed == Role::Anyone => assert!(!to_form || path == "logout", "{what}"),
                    None => {
                        let is_page = matches!(method, "GET" | "HEAD") && !is_data;
                        assert!(denied && to_form == (has_form && is_page), "{what}");
                        assert!(to_form || status == StatusCode::UNAUTHORIZED, "{what}");
                    }
                    Some(role) => assert_eq!(status == StatusCode::FORBIDDEN, role < needed, "{what}"),
                }
                if !is_data && method == "GET" {
                    let with_slash = Request::get(format!("{uri}/")).header("host", "localhost");
                    let with_slash =
                        token.iter().fold(with_slash, |request, token| request.header("authorization", format!("Bearer {token}")));
                    let answer = app.clone().oneshot(with_slash.body(Body::empty()).unwrap()).await.unwrap();
                    let leads_to = answer.headers().get(header::LOCATION).map(|to| to.to_str().unwrap());
                    let is_page = leads_to == Some(&*uri) || path.is_empty() && answer.status() == StatusCode::OK;
                    let is_closed = denied && needed != Role::Anyone;
                    assert!(if is_closed { answer.status() == status && !is_page } else { is_page }, "{what}, with a slash {leads_to:?}");
                    assert!(answer.extensions().get::<crate::Skip>().is_some(), "{uri}/");
                }
                assert!(response.headers().contains_key(header::CONTENT_SECURITY_POLICY), "{uri}");
                assert!(response.headers().contains_key(header::CACHE_CONTROL), "{uri}");
                assert!(response.extensions().get::<crate::Skip>().is_some(), "{uri}");
            }
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn every_route_is_closed_to_roles_below_the_one_it_declares() {
        for role in ROLES {
            let (analytics, _) = Analytics::testing();
            let (link, _) = OneTimeLink::new(Clock::system()).unwrap();
            walk(analytics.dashboard(move |_: &Head<'_>| role).with_link(link), role, None, false).await;
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn every_route_is_closed_to_tokens_of_roles_below_the_one_it_declares() {
        const SECRET: &[u8] = b"an example, and too well known to be a secret";
        for (role, name) in [(None, ""), (Some(Role::User), "guest"), (Some(Role::Mod), "mod"), (Some(Role::Admin), "admin")] {
            let (analytics, _) = Analytics::testing();
            let (link, _) = OneTimeLink::new(Clock::system()).unwrap();
            let claims = serde_json::json!({"user": "ann", "role": name, "exp": 4_000_000_000_u64});
            let header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256);
            let token = jsonwebtoken::encode(&header, &claims, &jsonwebtoken::EncodingKey::from_secret(SECRET)).unwrap();
            let dashboard = analytics.dashboard(crate::Auth::hs256(SECRET).unwrap()).with_link(link);
            walk(dashboard, role, role.map(|_| &*token), true).await;
        }
    }

    #[tokio::test]
    async fn a_question_ends_when_nobody_waits_for_it_any_more() {
        let cancel = Cancel::new();
        let (seen, (done, ended)) = (cancel.clone(), std::sync::mpsc::channel());
        let question = move || {
            while !seen.is_cancelled() {
                std::thread::yield_now();
            }
            done.send(()).map_err(|_| Problem::of_role(true))
        };
        // As when the connection is closed: what waits is dropped.
        tokio::time::timeout(std::time::Duration::from_millis(5), answered(cancel, question)).await.unwrap_err();
        ended.recv_timeout(std::time::Duration::from_secs(60)).unwrap();
    }
}

use std::{fmt, net::IpAddr, sync::Arc};

use tower_layer::Layer;

use super::{
    proxies::Proxies,
    service::AnalyticsService,
    shared::{Shared, UserOf},
};
use crate::{access::Head, error::Error, pattern::Routes, recorder::Recorder, user::User};

/// Records every request that passes. See the [module docs](crate::layer) for examples and for what is recorded when.
#[derive(Clone)]
pub struct AnalyticsLayer {
    pub(super) shared: Arc<Shared>,
    pub(super) peer: Option<IpAddr>,
}

impl AnalyticsLayer {
    /// A layer that gives its hits to this recorder.
    #[must_use]
    pub fn new(recorder: Recorder) -> Self {
        Self { shared: Arc::new(Shared { recorder, routes: None, user: None, proxies: Proxies::default() }), peer: None }
    }

    fn change(mut self, with: impl FnOnce(&mut Shared)) -> Self {
        with(Arc::make_mut(&mut self.shared));
        self
    }

    /// Templates to match paths against where axum's `MatchedPath` is absent, such as `/items/{id}` and
    /// `/files/{*rest}`. Defaults to none: such requests then share the endpoint `(unmatched)`.
    ///
    /// # Errors
    ///
    /// If a template cannot be read or collides with another.
    pub fn routes<T: AsRef<str>>(self, templates: impl IntoIterator<Item = T>) -> Result<Self, Error> {
        let mut routes = Routes::default();
        for template in templates {
            routes.insert(template.as_ref())?;
        }
        Ok(self.change(|shared| shared.routes = Some(routes)))
    }

    /// Says whose request it is, where neither the response nor the request carries a [`User`]. Runs once for every
    /// request, before it is handled: look, do not block. Defaults to nobody, so that hits belong to visitors.
    #[must_use]
    pub fn user(self, user: impl Fn(&Head<'_>) -> Option<User> + Send + Sync + 'static) -> Self {
        self.user_arc(Some(Arc::new(user)))
    }

    pub(crate) fn user_arc(self, user: Option<Arc<UserOf>>) -> Self {
        self.change(|shared| shared.user = user)
    }

    /// Networks whose forwarding headers are believed; the client is then the right-most hop that is none of them.
    /// Defaults to loopback, `["127.0.0.0/8", "::1/128"]`.
    ///
    /// # Errors
    ///
    /// If one is no network or address.
    pub fn trusted_proxies<T: AsRef<str>>(self, networks: impl IntoIterator<Item = T>) -> Result<Self, Error> {
        let proxies = Proxies::new(networks)?;
        Ok(self.proxies(proxies))
    }

    pub(crate) fn proxies(self, proxies: Proxies) -> Self {
        self.change(|shared| shared.proxies = proxies)
    }

    /// The peer of this connection, where the server does not put it on the requests (hyper by hand).
    /// Defaults to what axum's `ConnectInfo<SocketAddr>` or a `SocketAddr` extension says, else unknown.
    #[must_use]
    pub fn peer(mut self, peer: IpAddr) -> Self {
        self.peer = Some(peer);
        self
    }
}

impl<S> Layer<S> for AnalyticsLayer {
    type Service = AnalyticsService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        AnalyticsService { inner, shared: Arc::clone(&self.shared), peer: self.peer }
    }
}

impl fmt::Debug for AnalyticsLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnalyticsLayer").field("recorder", &self.shared.recorder).field("peer", &self.peer).finish_non_exhaustive()
    }
}

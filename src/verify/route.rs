use axum::{
    Router,
    extract::{Request, State},
    response::Response,
    routing::any,
};
use http::{Method, header};

use super::answer;
use crate::auth::Auth;

/// Answers whether a request may pass, for NGINX's `auth_request` and its like: `{base}/auth/verify/{policy}`, and `{base}/auth/verify`
/// for the policy `default`. Merges into any axum router, with or without the dashboard. A dashboard whose guard is an [`Auth`] brings
/// these routes along; do not merge both.
///
/// | answer | when |
/// |---|---|
/// | 200 | the request's token, or its session of the sign-in, is good and meets the policy; headers say who it is |
/// | 401 | no token, or one that is not good |
/// | 403 | the token is good, but does not meet the policy |
/// | 404 | no such policy; NGINX then answers 500 |
/// | 405 | neither GET nor HEAD |
/// | 503 | there are no keys yet, or whether the token is revoked cannot be known; NGINX then answers 500 |
///
/// Never anything else: no redirect, no 304, no 206. The body is not read, so that NGINX need not send one. It should not stand behind
/// layers that compress, redirect or add ETags. Its answers are not counted as traffic.
///
/// ```
/// # fn main() -> Result<(), tower_analytics::Error> {
/// use axum::Router;
/// use tower_analytics::{Auth, Verify};
///
/// let auth = Auth::hs256("an example, and too well known to be a secret")?;
/// let app: Router = Router::new().merge(Verify::new(auth));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "nobody is asked until it is merged into a router"]
pub struct Verify {
    auth: Auth,
    base_path: String,
}

impl Verify {
    /// The routes below `/analytics`.
    pub fn new(auth: Auth) -> Self {
        Self { auth, base_path: "/analytics".to_owned() }
    }

    /// Where the routes are, without a slash at the end. Defaults to `/analytics`.
    ///
    /// # Panics
    ///
    /// When merged, if axum cannot have it as a path.
    pub fn base_path(self, path: impl Into<String>) -> Self {
        Self { base_path: path.into(), ..self }
    }
}

impl<S: Clone + Send + Sync + 'static> From<Verify> for Router<S> {
    fn from(verify: Verify) -> Self {
        let at = format!("{}/auth/verify", verify.base_path);
        // All that lies below is ours: what an app answers to paths it does not know (a page, say) would let everybody in.
        let routes = [at.clone(), format!("{at}/"), format!("{at}/{{*policy}}")];
        routes.into_iter().fold(Router::new(), |router, path| router.route(&path, any(answer))).with_state((verify.auth, at.into()))
    }
}

async fn answer(State((auth, at)): State<(Auth, std::sync::Arc<str>)>, request: Request) -> Response {
    // As it was sent: a name is not decoded, trimmed or lowered until it fits.
    let policy = match request.uri().path().strip_prefix(&*at) {
        Some("") => Some("default"),
        Some(rest) => rest.strip_prefix('/'),
        None => None,
    };
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return answer::wrong_method();
    }
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.or_else(|| request.uri().authority().map(http::uri::Authority::as_str));
    let Some(policy) = policy else { return answer::no_such_policy(request.uri().path()) };
    match auth.decide(policy, request.headers(), host).await {
        Some(decision) => answer::of(&auth, policy, decision),
        None => answer::no_such_policy(request.uri().path()),
    }
}

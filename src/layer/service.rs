use std::{
    net::IpAddr,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::{ResponseBody, ResponseFuture, pending::Pending, shared::Shared};

/// The service that [`AnalyticsLayer`](super::AnalyticsLayer) makes of yours. See the [module docs](crate::layer).
#[derive(Clone, Debug)]
pub struct AnalyticsService<S> {
    pub(super) inner: S,
    pub(super) shared: Arc<Shared>,
    pub(super) peer: Option<IpAddr>,
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for AnalyticsService<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    ResBody: Body,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        // Before the inner call: if that panics, the guard is there to say so.
        let pending = Pending::start(&self.shared, self.peer, &request);
        ResponseFuture { inner: self.inner.call(request), pending }
    }
}

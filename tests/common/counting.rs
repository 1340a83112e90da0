//! Counts requests independently of the crate, outermost.

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll},
};

use axum::{
    body::{Body, Bytes},
    extract::MatchedPath,
    http::Request,
    response::Response,
};
use hyper::body::Frame;
use tower::Service;

use super::Counts;

/// Outside of everything: counts a request by its head's status, 499 without one, and knows which still live.
#[derive(Clone)]
pub(crate) struct Counting<S> {
    pub(crate) inner: S,
    pub(crate) counted: Counted,
}

#[derive(Clone, Default)]
pub(crate) struct Counted {
    pub(crate) counts: Arc<Mutex<Counts>>,
    pub(crate) alive: Arc<AtomicUsize>,
}

/// One request; lies in the future, then in the body, each time after what it watches, so that it is dropped after it.
struct Watched {
    counted: Counted,
    endpoint: String,
    status: u16,
}

impl Drop for Watched {
    fn drop(&mut self) {
        *self.counted.counts.lock().unwrap().entry((std::mem::take(&mut self.endpoint), self.status)).or_default() += 1;
        self.counted.alive.fetch_sub(1, SeqCst);
    }
}

struct WatchedBody {
    inner: Body,
    _watched: Watched,
}

impl hyper::body::Body for WatchedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.inner).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        self.inner.size_hint()
    }
}

impl<S> Service<Request<Body>> for Counting<S>
where
    S: Service<Request<Body>, Response = Response>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let template = request.extensions().get::<MatchedPath>().map(|matched| format!("{} {}", request.method(), matched.as_str()));
        self.counted.alive.fetch_add(1, SeqCst);
        let endpoint = template.unwrap_or_else(|| "(unmatched)".to_owned());
        let watched = Watched { counted: self.counted.clone(), endpoint, status: 499 };
        let answer = self.inner.call(request);
        Box::pin(async move {
            // All of it, not the field alone: it counts when this future goes.
            let mut watched = watched;
            let response = answer.await?;
            watched.status = response.status().as_u16();
            Ok(response.map(|inner| Body::new(WatchedBody { inner, _watched: watched })))
        })
    }
}

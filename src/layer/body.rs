use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::pending::Pending;

pin_project! {
    /// The response body of [`AnalyticsService`](super::AnalyticsService): counts bytes, and carries the guard that records.
    pub struct ResponseBody<B> {
        #[pin]
        pub(super) inner: B,
        pub(super) pending: Pending,
    }
}

impl<B: Body> Body for ResponseBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let mut this = self.project();
        // As in the future: a panic in the body drops it here.
        let mut pending = this.pending.take();
        if pending.is_done() {
            return this.inner.poll_frame(cx);
        }
        let polled = this.inner.as_mut().poll_frame(cx);
        let ended = match &polled {
            Poll::Pending => false,
            Poll::Ready(None) => true,
            Poll::Ready(Some(Err(_))) => {
                pending.failed();
                return polled;
            }
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(data) = frame.data_ref() {
                    pending.add_bytes(data.remaining() as u64);
                }
                if let Some(trailers) = frame.trailers_ref() {
                    pending.trailers(trailers);
                }
                // hyper may not poll again after the last frame, nor after the declared length.
                frame.is_trailers() || pending.has_declared_length() || this.inner.is_end_stream()
            }
        };
        if ended {
            pending.completed();
        } else {
            *this.pending = pending;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl<B> fmt::Debug for ResponseBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody").finish_non_exhaustive()
    }
}

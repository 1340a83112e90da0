use std::{net::IpAddr, sync::Arc, thread};

use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body::Body;

use super::{ErrorNote, Skip, client, draft::Draft, endpoint, identity, number::number, shared::Shared};
use crate::{
    hit::{Field, Outcome},
    user::User,
};

/// The guard: whatever becomes of the request, its `Drop` records it, once. Empty when that is done.
#[derive(Default)]
pub(super) struct Pending(Option<Box<Draft>>);

impl Pending {
    /// Takes down what the request says; nothing of it is needed afterwards.
    pub(super) fn start<B>(shared: &Arc<Shared>, peer: Option<IpAddr>, request: &Request<B>) -> Self {
        let mut draft = Draft::take();
        draft.course.started = Some(shared.recorder.clock().tick());
        let method = request.method();
        draft.course.no_body = method == Method::HEAD;
        draft.course.connect = method == Method::CONNECT;
        draft.put(Field::Method, method.as_str().as_bytes());
        endpoint::note(&mut draft, request, shared.routes.as_ref());
        client::note(&mut draft, request.headers());
        identity::note(&mut draft, request, shared, peer);
        draft.shared = Some(Arc::clone(shared));
        Self(Some(draft))
    }

    pub(super) fn is_done(&self) -> bool {
        self.0.is_none()
    }

    /// Leaves an empty guard behind.
    pub(super) fn take(&mut self) -> Self {
        Self(self.0.take())
    }

    /// Takes down the head of the response; the guard that comes back is empty if there is no body to wait for.
    pub(super) fn head<B: Body>(mut self, response: &Response<B>) -> Self {
        let Some(draft) = &mut self.0 else {
            return self;
        };
        draft.course.head = draft.shared.as_ref().map(|shared| shared.recorder.clock().tick());
        let (status, extensions) = (response.status(), response.extensions());
        draft.facts.status = status.as_u16();
        if draft.facts.made_up && endpoint::is_known(draft, response) {
            draft.facts.made_up = false;
        }
        if !extensions.is_empty() {
            draft.course.skip = extensions.get::<Skip>().is_some();
            if let Some(user) = extensions.get::<User>() {
                draft.put_user(user);
            }
            if let Some(note) = extensions.get::<ErrorNote>() {
                draft.put_error(note);
            }
        }
        let body = response.body();
        for (name, value) in response.headers() {
            match name.as_str() {
                "content-length" => draft.course.declared = number(value),
                "grpc-status" => draft.facts.grpc = endpoint::grpc_status(value),
                _ => {}
            }
        }
        draft.course.declared = draft.course.declared.or_else(|| body.size_hint().exact());
        let no_body = draft.course.no_body
            || (draft.course.connect && status.is_success())
            || status.is_informational()
            || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
            || body.is_end_stream();
        if no_body {
            draft.course.at_head = true;
            self.completed();
            return Self::default();
        }
        self
    }

    pub(super) fn add_bytes(&mut self, bytes: u64) {
        if let Some(draft) = &mut self.0 {
            draft.facts.bytes_out += bytes;
        }
    }

    pub(super) fn trailers(&mut self, trailers: &HeaderMap) {
        if let Some(draft) = &mut self.0 {
            draft.facts.grpc = trailers.get("grpc-status").and_then(endpoint::grpc_status).or(draft.facts.grpc);
        }
    }

    pub(super) fn has_declared_length(&self) -> bool {
        self.0.as_ref().is_some_and(|draft| draft.course.declared.is_some_and(|declared| draft.facts.bytes_out >= declared))
    }

    pub(super) fn completed(mut self) {
        if let Some(draft) = &mut self.0 {
            draft.course.end = Some(Outcome::Completed);
        }
    }

    pub(super) fn failed(mut self) {
        if let Some(draft) = &mut self.0 {
            draft.course.end = Some(Outcome::Failed);
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        let Some(mut draft) = self.0.take() else {
            return;
        };
        if let Some(shared) = draft.shared.take().filter(|_| !draft.course.skip) {
            end(&mut draft, &shared);
            shared.recorder.take(&draft.facts, &draft.text);
        }
        draft.put_back();
    }
}

fn end(draft: &mut Draft, shared: &Shared) {
    let clock = shared.recorder.clock();
    let (facts, course) = (&mut draft.facts, &draft.course);
    // What ends at the head ended when the head was read.
    let now = course.head.filter(|_| course.at_head).unwrap_or_else(|| clock.tick());
    facts.at = Some(clock.millis_at(now));
    let started = course.started.unwrap_or(now);
    facts.outcome = match course.end {
        Some(outcome) => outcome,
        None if thread::panicking() => Outcome::Failed,
        None => Outcome::Aborted,
    };
    match course.head {
        Some(head) => (facts.head_ns, facts.body_ns) = (started.until(head), head.until(now)),
        None => {
            facts.head_ns = started.until(now);
            facts.status = if facts.outcome == Outcome::Failed { 500 } else { CLIENT_LEFT };
        }
    }
}

/// NGINX's own number for a client that left before there was an answer.
const CLIENT_LEFT: u16 = 499;

use std::{cell::RefCell, str::FromStr, sync::Arc, thread};

use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body::Body;

use super::{AnalyticsLayer, ErrorNote, Skip, client, endpoint, identity, layer::Shared};
use crate::{
    clock::Tick,
    hit::{Field, Hit, Outcome},
    user::User,
};

/// The guard: whatever becomes of the request, its `Drop` records it, once.
pub(super) struct Pending(Option<Box<Draft>>);

/// A hit in the making. Drafts are used again, so that a request allocates nothing.
#[derive(Default)]
struct Draft {
    hit: Hit,
    shared: Option<Arc<Shared>>,
    course: Course,
}

/// How far the request has come.
#[derive(Default)]
struct Course {
    started: Option<Tick>,
    head: Option<Tick>,
    declared: Option<u64>,
    end: Option<Outcome>,
    no_body: bool,
    at_head: bool,
    skip: bool,
}

/// So many drafts wait on each thread for their next request.
const SPARE_DRAFTS: usize = 256;

thread_local! {
    #[allow(clippy::vec_box, reason = "a guard moves from future to body: one pointer, not the draft")]
    static SPARE: RefCell<Vec<Box<Draft>>> = const { RefCell::new(Vec::new()) };
}

impl Pending {
    /// Takes down what the request says; nothing of it is needed afterwards.
    pub(super) fn start<B>(layer: &AnalyticsLayer, request: &Request<B>) -> Self {
        let mut draft = SPARE.try_with(|spare| spare.borrow_mut().pop()).ok().flatten().unwrap_or_default();
        draft.course.started = Some(layer.shared.recorder.clock().tick());
        draft.course.no_body = request.method() == Method::HEAD;
        let hit = &mut draft.hit;
        hit.set(Field::Method, request.method().as_str());
        endpoint::note(hit, request, layer.shared.routes.as_ref());
        client::note(hit, request.headers());
        identity::note(hit, request, layer);
        draft.shared = Some(Arc::clone(&layer.shared));
        Self(Some(draft))
    }

    /// Takes down the head of the response; the guard comes back if there is a body to wait for.
    pub(super) fn head<B: Body>(mut self, response: &Response<B>) -> Option<Self> {
        let draft = self.0.as_mut()?;
        draft.course.head = draft.shared.as_ref().map(|shared| shared.recorder.clock().tick());
        let (status, extensions) = (response.status(), response.extensions());
        let connected = draft.hit.method() == "CONNECT" && status.is_success();
        draft.hit.facts.status = status.as_u16();
        draft.hit.facts.made_up = draft.hit.facts.made_up && !endpoint::is_known(&draft.hit, response);
        if !extensions.is_empty() {
            draft.course.skip = extensions.get::<Skip>().is_some();
            if let Some(user) = extensions.get::<User>() {
                identity::set_user(&mut draft.hit, user);
            }
            if let Some(note) = extensions.get::<ErrorNote>() {
                draft.hit.set_error(&note.kind, &note.message);
            }
        }
        let body = response.body();
        for (name, value) in response.headers() {
            match name.as_str() {
                "content-length" => draft.course.declared = number(value),
                "grpc-status" => draft.hit.facts.grpc = endpoint::grpc_status(value),
                _ => {}
            }
        }
        draft.course.declared = draft.course.declared.or_else(|| body.size_hint().exact());
        let no_body = draft.course.no_body
            || connected
            || status.is_informational()
            || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
            || body.is_end_stream();
        if no_body {
            draft.course.at_head = true;
            self.completed();
            return None;
        }
        Some(self)
    }

    pub(super) fn add_bytes(&mut self, bytes: u64) {
        if let Some(draft) = &mut self.0 {
            draft.hit.facts.bytes_out += bytes;
        }
    }

    pub(super) fn trailers(&mut self, trailers: &HeaderMap) {
        if let Some(draft) = &mut self.0 {
            draft.hit.facts.grpc = trailers.get("grpc-status").and_then(endpoint::grpc_status).or(draft.hit.facts.grpc);
        }
    }

    pub(super) fn has_declared_length(&self) -> bool {
        self.0.as_ref().is_some_and(|draft| draft.course.declared.is_some_and(|declared| draft.hit.facts.bytes_out >= declared))
    }

    pub(super) fn completed(mut self) {
        if let Some(draft) = &mut self.0 {
            draft.course.end = Some(Outcome::Completed);
        }
    }

    pub(super) fn failed(&mut self) {
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
            draft.end(&shared);
            shared.recorder.record(&draft.hit);
        }
        draft.reset();
        // On a thread that is being torn down there is no place for it.
        let _ = SPARE.try_with(|spare| {
            let mut spare = spare.borrow_mut();
            if spare.len() < SPARE_DRAFTS {
                spare.push(draft);
            }
        });
    }
}

impl Draft {
    fn end(&mut self, shared: &Shared) {
        let clock = shared.recorder.clock();
        // What ends at the head ended when the head was read.
        let now = self.course.head.filter(|_| self.course.at_head).unwrap_or_else(|| clock.tick());
        let facts = &mut self.hit.facts;
        facts.at = Some(clock.millis_at(now));
        let started = self.course.started.unwrap_or(now);
        facts.outcome = match self.course.end {
            Some(outcome) => outcome,
            None if thread::panicking() => Outcome::Failed,
            None => Outcome::Aborted,
        };
        match self.course.head {
            Some(head) => (facts.head, facts.body) = (started.until(head), head.until(now)),
            None => {
                facts.head = started.until(now);
                facts.status = if facts.outcome == Outcome::Failed { 500 } else { CLIENT_LEFT };
            }
        }
    }

    fn reset(&mut self) {
        self.hit.clear();
        self.course = Course::default();
    }
}

/// NGINX's own number for a client that left before there was an answer.
const CLIENT_LEFT: u16 = 499;

/// A header's value as a number.
pub(super) fn number<T: FromStr>(value: &HeaderValue) -> Option<T> {
    std::str::from_utf8(value.as_bytes()).ok()?.parse().ok()
}
